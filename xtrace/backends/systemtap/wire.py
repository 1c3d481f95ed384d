"""How values travel in the script's lines: which columns a type takes, and back again.

A line is TAB separated. Integers are decimal, strings are escaped by the tapset's `text_str` (C escapes, `\\ooo`,
`\\uXXXX`), so that no raw TAB or newline survives inside a column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from xtrace.core import types as t
from xtrace.core.messages import StackValue, SymbolValue, Value

Column = str
"""`%d` for a number, `%s` for a text."""


def columns(kind: t.CType) -> tuple[Column, ...]:
    """The columns that a value of this type takes, left to right."""
    if isinstance(kind, t.Tuple):
        return tuple(column for item in kind.items for column in columns(item))
    if isinstance(kind, (t.String, t.Inet, t.Buffer, t.Stack, t.Array)):
        return ("%s",)
    if isinstance(kind, t.Symbol) and kind.user:
        return ("%s",)
    return ("%d",)


def read(kind: t.CType, fields: Iterator[str]) -> Value:
    """Take one value off the columns. Raises StopIteration when they run out and ValueError for a bad number."""
    if isinstance(kind, t.Tuple):
        return tuple(read(item, fields) for item in kind.items)
    text = next(fields)
    if isinstance(kind, t.String):
        return unescape(text)
    if isinstance(kind, t.Stack):
        return _stack(kind, text)
    if isinstance(kind, (t.Inet, t.Buffer, t.Array)):
        return bytes.fromhex(text)
    if isinstance(kind, t.Symbol):
        pid, _, address = text.rpartition(":")
        return SymbolValue(int(address) & (2**64 - 1), int(pid or 0))
    return int(text)


def _stack(kind: t.Stack, text: str) -> StackValue:
    words = text.split()
    pid = int(words.pop(0)) if kind.user and words else 0
    addresses = tuple(int(word, 16) for word in words if word.startswith("0x"))
    return StackValue(addresses[: kind.depth], pid)


_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{1,3})|(.))")
_NAMED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def unescape(text: str) -> str:
    """Undo `text_str`. Bytes that came as octal escapes are put together to UTF-8 where they are that."""
    if "\\" not in text:
        return text
    plain = _ESCAPE.sub(_unescaped, text)
    return plain.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def _unescaped(match: re.Match[str]) -> str:
    short, long, octal, single = match.groups()
    if short or long:
        return chr(int(short or long, 16))
    if octal:
        return bytes([int(octal, 8) & 0xFF]).decode("utf-8", "surrogateescape")
    return _NAMED.get(single, single)
