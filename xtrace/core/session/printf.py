"""bpftrace's printf: C's conversions on 64-bit integers, `%s` for whatever has a text, `%r` for bytes.

A format becomes one format of Python's `%` operator, whose flags, width and precision are C's, and a function per
value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from xtrace.core.events import Blob, Hexadecimal, Shown
from xtrace.core.lang.arithmetic import convert, unsigned, wrap
from xtrace.core.session.wording import printable, text_of

_CONVERSION = re.compile(r"%([-+ 0#]*)(\*|\d*)(?:\.(\*|\d*))?(hh|h|ll|l|j|z|t|q|L)?(r[xh]|[diouxXpcsr%])")
_SIZES = {"hh": 1, "h": 2}
_Show = Callable[[Shown], Any]


class Formatter:
    """A format, taken apart once. `words` gives the text of what `%s` shows.

    Integers are 64 bits wide whatever the conversion's length says, except `hh` and `h`, which cut them; `%u %x %X %o`
    read them as unsigned. What is no conversion stays in the text.
    """

    def __init__(self, text: str, words: Callable[[Shown], str] = text_of) -> None:
        self._words = words
        self._shows: list[_Show] = []
        self.letters: list[str] = []
        """The conversion of each value, `d` or `s` say."""
        parts: list[str] = []
        end = 0
        for found in _CONVERSION.finditer(text):
            parts.append(text[end : found.start()].replace("%", "%%"))
            parts.append("%%" if found[5] == "%" else self._conversion(*found.groups()))
            end = found.end()
        self._format = "".join([*parts, text[end:].replace("%", "%%")])

    def __call__(self, values: Sequence[Shown]) -> str:
        """The text with the values in place; a missing value shows as 0, one too many not at all."""
        missing = len(self._shows) - len(values)
        if missing > 0:
            values = [*values, *[0] * missing]
        return self._format % tuple([show(value) for show, value in zip(self._shows, values)])

    def _conversion(self, flags: str, width: str, precision: str | None, length: str | None, letter: str) -> str:
        """The conversion as Python writes it; enters how its values are shown."""
        stars = [given for given in (width, precision) if given == "*"]
        self._shows += [number_of for _ in stars]
        self.letters += [*stars, letter]
        exact = "" if precision is None or letter in "cp" else f".{precision}"
        if letter == "o" and "#" in flags:
            self._shows.append(lambda value: f"0{unsigned(number_of(value)):o}")
            return f"%{flags}{width}{exact}s"
        if letter in "diouxX":
            self._shows.append(_integer(letter in "di", _SIZES.get(length or "", 8)))
            return f"%{flags}{width}{exact}{'d' if letter in 'iu' else letter}"
        self._shows.append({"c": character, "p": pointer}.get(letter) or self._text(letter))
        return f"%{flags}{width}{exact}s"

    def _text(self, letter: str) -> _Show:
        words = self._words
        if letter == "s":
            return words
        return lambda value: _bytes(letter, value.data) if isinstance(value, Blob) else words(value)


def _integer(signed: bool, size: int) -> _Show:
    if signed and size == 8:
        return number_of
    if size == 8:
        return lambda value: unsigned(number_of(value))
    return lambda value: convert(number_of(value), size, signed)


def number_of(value: Shown) -> int:
    """The integer that a value is, in the signed range; 0 for what is none."""
    if isinstance(value, Hexadecimal):
        return wrap(value.value)
    return wrap(value) if isinstance(value, int) else 0


def character(value: Shown) -> str:
    """`%c`: the low byte."""
    return bytes([number_of(value) & 0xFF]).decode("utf-8", "surrogateescape")


def pointer(value: Shown) -> str:
    """`%p`: as C++ streams show an address, which for 0 is `0`."""
    return f"{unsigned(number_of(value)):#x}" if number_of(value) else "0"


def _bytes(letter: str, data: bytes) -> str:
    if letter == "rx":
        return "".join(f"\\x{byte:02x}" for byte in data)
    return data.hex(" ") if letter == "rh" else printable(data)
