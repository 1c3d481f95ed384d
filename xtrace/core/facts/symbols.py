"""The kernel's text symbols, kept as the bytes of kallsyms and searched in place.

A kernel has 100,000 symbols and more, and a trace asks for a few: nothing is parsed but the lines that match.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate
from functools import cached_property
from typing import Optional

from xtrace.core.facts.model import KernelSymbol, alike, near_names

_TEXT = b"tTwW"
_TEXT_LINE = re.compile(rb"^(?:([0-9a-fA-F]+) )?([tTwW]) (\S+)(?:[ \t]+\[([^\]\n]+)\])?$", re.M)
_LINE = re.compile(rb"(?:([0-9a-fA-F]+) )?(\S) (\S+)(?:[ \t]+\[([^\]]+)\])?")


class KernelSymbols:
    """`Symbols` over lines `[ADDRESS ]TYPE NAME[\\t[MODULE]]`; symbols that are not text are passed over."""

    def __init__(self, text: bytes) -> None:
        self.text = b"\n" + text.strip() + b"\n"

    @classmethod
    def of(cls, names: Iterable[str]) -> KernelSymbols:
        """Symbols of type `t` with these names, for tests."""
        return cls("\n".join(f"t {name}" for name in names).encode())

    def lookup(self, name: str) -> tuple[KernelSymbol, ...]:
        """All text symbols with exactly this name."""
        wanted = name.encode("utf-8", "surrogateescape")
        return tuple(s for s in self._holding(b" " + wanted) if s.name == name)

    def address(self, name: str) -> Optional[int]:
        """Where a symbol lies, of data as well as of text; None where it is not listed, or its address is hidden."""
        wanted = b" " + name.encode("utf-8", "surrogateescape")
        at = self.text.find(wanted)
        while at >= 0:
            end = self.text.find(b"\n", at)
            match = _LINE.fullmatch(self.text[self.text.rfind(b"\n", 0, at) + 1 : end])
            if match and match[3] == wanted[1:] and match[1]:
                return int(match[1], 16) or None
            at = self.text.find(wanted, end)
        return None

    def variants(self, name: str) -> tuple[KernelSymbol, ...]:
        """Text symbols `name.SUFFIX` that the compiler made of a function, in name order."""
        found = self._holding(b" " + name.encode("utf-8", "surrogateescape") + b".")
        return tuple(sorted(found, key=lambda symbol: symbol.name))

    def glob(self, pattern: str) -> tuple[KernelSymbol, ...]:
        """Text symbols whose name matches a shell pattern (`*`, `?`, `[…]`), in name order."""
        matches = re.compile(translate(pattern).encode("utf-8", "surrogateescape")).match
        found = (_symbol(match) for match in _TEXT_LINE.finditer(self.text) if matches(match[3]))
        return tuple(sorted(found, key=lambda symbol: symbol.name))

    def near(self, name: str, count: int = 3) -> tuple[str, ...]:
        """Names that a user may have meant, best first."""
        return near_names(name, alike(name, self.names), count)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all text symbols, each once, in name order."""
        found = set(re.findall(rb"\n(?:[0-9a-fA-F]+ )?[tTwW] (\S+)", self.text))
        return tuple(sorted(name.decode("utf-8", "replace") for name in found))

    def _holding(self, part: bytes) -> list[KernelSymbol]:
        found, at = [], self.text.find(part)
        while at >= 0:
            start = self.text.rfind(b"\n", 0, at) + 1
            end = self.text.find(b"\n", at)
            match = _LINE.fullmatch(self.text[start:end])
            if match and match[2] in _TEXT and self.text[start:end].find(b" " + match[3]) + start == at:
                found.append(_symbol(match))
            at = self.text.find(part, end)
        return found


def _symbol(match: re.Match[bytes]) -> KernelSymbol:
    return KernelSymbol(
        match[3].decode("utf-8", "replace"),
        match[2].decode(),
        int(match[1] or b"0", 16),
        (match[4] or b"").decode("utf-8", "replace"),
    )
