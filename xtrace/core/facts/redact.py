"""What a bundle must not tell about its host: its name, addresses, and whose home is where."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IPV4 = re.compile(rf"(?<![\d.\w-]){_OCTET}(?:\.{_OCTET}){{3}}(?![\d.\w-])")
_IPV6 = re.compile(r"(?<![\w:.])[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?![\w:])")
_MAC = re.compile(r"(?<![\w:])(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}(?![\w:])")
_HOME = re.compile(r"/(?:home|Users)/[^/\s'\"]+|/root(?=/)")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


@dataclass(frozen=True)
class Redactor:
    """Replaces in texts. `name` is the host's own, which may be empty."""

    name: str = ""

    @classmethod
    def here(cls) -> Redactor:
        return cls(os.uname().nodename)

    def text(self, text: str) -> str:
        """The text without the host's name, IP and hardware addresses, home directories and passwords in URLs."""
        text = _CREDENTIALS.sub("", text)
        text = _MAC.sub("ADDRESS", text)
        text = _IPV4.sub("ADDRESS", text)
        text = _IPV6.sub(_address, text)
        text = _HOME.sub("/HOME", text)
        for word in self._names():
            text = re.sub(rf"(?<![\w-]){re.escape(word)}(?![\w-])", "HOST", text)
        return text

    def _names(self) -> tuple[str, ...]:
        """The full name before its first part; names of few letters or common words would hide too much."""
        short = self.name.partition(".")[0]
        return tuple(word for word in dict.fromkeys((self.name, short)) if len(word) > 3 and word != "localhost")

    def value(self, value: object) -> object:
        """JSON data with every string redacted."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.value(inner) for key, inner in value.items()}
        return [self.value(inner) for inner in value] if isinstance(value, list) else value


def _address(match: re.Match[str]) -> str:
    """`ADDRESS` for an IPv6 address; times of day and ratios look alike."""
    from ipaddress import AddressValueError, IPv6Address

    try:
        IPv6Address(match[0])
    except AddressValueError:
        return match[0]
    return "ADDRESS"
