"""What number and string literals stand for."""

from __future__ import annotations

import re

UNITS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
"""Nanoseconds in each unit of a duration literal."""

_C_SUFFIXES = frozenset(("u", "l", "ul", "lu", "ll", "ull", "llu"))
_LARGEST = (1 << 64) - 1
_LEAST = 1 << 63
_LARGEST_EXPONENT = 19
_DECIMAL = re.compile(r"([0-9][0-9_]*)(?:[eE]([0-9][0-9_]*))?([A-Za-z_]\w*)?\Z", re.ASCII)
_HEXADECIMAL = re.compile(r"0[xX]([0-9a-fA-F_]*)([uUlL]*)\Z", re.ASCII)
_SIMPLE_ESCAPES = {
    "n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'", "a": "\a", "b": "\b", "f": "\f", "v": "\v",
}  # fmt: skip
_BYTES = re.compile(r"(?:\\x[0-9a-fA-F]{1,2}|\\[0-7]{1,3})+")
_ESCAPE = re.compile(r"\\.", re.DOTALL)


def number(text: str) -> int:
    """The value of a number literal: decimal, octal, hexadecimal, `1e6`, `1_000`, a duration such as `5ms` in
    nanoseconds, with C's suffixes, which mean nothing here.

    Raises ValueError with what is wrong, as the rest of a sentence that begins with the literal.
    """
    hexadecimal = _HEXADECIMAL.match(text)
    if hexadecimal:
        digits, suffix = hexadecimal.groups()
        if not digits.strip("_"):
            raise ValueError("has no hexadecimal digits")
        return _checked(int(digits.replace("_", ""), 16), suffix)
    if text[:2] in ("0x", "0X"):
        raise ValueError("is not a hexadecimal number")
    decimal = _DECIMAL.match(text)
    if decimal is None:
        raise ValueError("is not a number")
    digits, exponent, suffix = decimal.groups()
    return _checked(_whole(digits.replace("_", ""), exponent), suffix or "")


def signed_number(text: str) -> int:
    """The value of a number given on the command line: a literal, with a sign or without.

    Raises ValueError as `number` does.
    """
    if not text.startswith("-"):
        return number(text[text.startswith("+") :])
    value = number(text[1:])
    if value > _LEAST:
        raise ValueError("does not fit into 64 bits")
    return -value


def _whole(digits: str, exponent: str | None) -> int:
    if exponent is not None:
        power = int(exponent.replace("_", "")[:4] or "0")
        if power > _LARGEST_EXPONENT:
            raise ValueError("does not fit into 64 bits")
        return int(digits[:40]) * int(10**power)
    if len(digits) > 1 and digits[0] == "0":
        try:
            return int(digits[:40], 8)
        except ValueError:
            raise ValueError("begins with 0, which makes it octal, and has a digit above 7") from None
    return int(digits[:40])


def _checked(value: int, suffix: str) -> int:
    if suffix in UNITS:
        value *= UNITS[suffix]
    elif suffix and suffix.lower() not in _C_SUFFIXES:
        if suffix in ("e", "E"):
            raise ValueError("has no exponent after its e; exponents are whole and not negative")
        raise ValueError(f"ends in {suffix!r}, which is no unit; durations end in {', '.join(UNITS)}")
    if value > _LARGEST:
        raise ValueError("does not fit into 64 bits")
    return value


def unescaped(text: str) -> str:
    """The string that the inside of a literal stands for; unknown escapes stand for themselves.

    Runs of byte escapes are decoded as UTF-8; what is none is kept as `surrogateescape` has it.
    """
    if "\\" not in text:
        return text
    parts = []
    position = 0
    while position < len(text):
        if text[position] != "\\":
            stop = text.find("\\", position)
            stop = len(text) if stop < 0 else stop
            parts.append(text[position:stop])
            position = stop
            continue
        run = _BYTES.match(text, position)
        if run:
            parts.append(_decoded(run.group()))
            position = run.end()
            continue
        escape = text[position : position + 2]
        parts.append(_SIMPLE_ESCAPES.get(escape[1:], escape))
        position += 2
    return "".join(parts)


def _decoded(escapes: str) -> str:
    values = []
    for escape in escapes.split("\\")[1:]:
        values.append(int(escape[1:], 16) if escape[0] == "x" else int(escape, 8) & 0xFF)
    return bytes(values).decode("utf-8", "surrogateescape")


def unknown_escapes(text: str) -> list[tuple[int, str]]:
    """The escapes of the inside of a literal that mean nothing, with their offsets."""
    unknown = []
    for match in _ESCAPE.finditer(text):
        escape = match.group()
        known = escape[1] in _SIMPLE_ESCAPES or escape[1] in "01234567"
        if not known and not _BYTES.match(text, match.start()):
            unknown.append((match.start(), escape))
    return unknown
