"""A list of functions as the kernel prints it, kept as bytes and searched in place: it has 50,000 lines and more."""

from __future__ import annotations

import re


class FunctionList:
    """Lines `NAME` or `NAME [MODULE]`, as in available_filter_functions."""

    def __init__(self, text: bytes) -> None:
        self._text = b"\n" + text.strip() + b"\n"

    def __contains__(self, function: object) -> bool:
        if not isinstance(function, str):
            return False
        line = b"\n" + function.encode("utf-8", "surrogateescape")
        return line + b"\n" in self._text or line + b" [" in self._text

    def __len__(self) -> int:
        return self._text.count(b"\n") - 1 if self._text.strip() else 0

    @property
    def names(self) -> frozenset[str]:
        """Every function, each once."""
        return frozenset(name.decode("utf-8", "replace") for name in re.findall(rb"^\S+", self._text, re.M))
