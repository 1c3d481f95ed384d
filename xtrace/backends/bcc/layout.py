"""How values lie in keys, map values and records: whole 64-bit words, unused bytes zero.

One unit everywhere means no padding that a map would compare and no alignment rule that a library's version could
change. A number is one word; a string is its bytes and zeros.
"""

from __future__ import annotations

from typing import Any

from xtrace.core import types as t

WORD = 8
INET_BYTES = 16


def size_of(kind: t.CType) -> int:
    """Bytes that a plain C type takes in memory: numbers, pointers and arrays of them."""
    if isinstance(kind, t.Array):
        return size_of(kind.of) * kind.count
    if isinstance(kind, (t.Int, t.Enumerated, t.Struct, t.String, t.Buffer)):
        return kind.size
    return 1 if isinstance(kind, t.Bool) else WORD


def words_for(size: int) -> int:
    return max(1, (size + WORD - 1) // WORD)


def words(kind: t.CType) -> int:
    """Words that a value of this type takes. Buffers and addresses are preceded by their length in bytes; user stacks
    and user symbols are followed by the process they belong to."""
    if isinstance(kind, t.Tuple):
        return sum(words(item) for item in kind.items)
    if isinstance(kind, t.String):
        return words_for(kind.size)
    if isinstance(kind, (t.Array, t.Struct)):
        return words_for(size_of(kind))
    if isinstance(kind, t.Buffer):
        return 1 + words_for(kind.size)
    if isinstance(kind, t.Inet):
        return 1 + INET_BYTES // WORD
    return 2 if isinstance(kind, (t.Stack, t.Symbol)) and kind.user else 1


def is_region(kind: t.CType) -> bool:
    """Is a value of this type kept in memory rather than in a register?"""
    if isinstance(kind, (t.Stack, t.Symbol)):
        return kind.user
    return isinstance(kind, (t.Tuple, t.String, t.Array, t.Struct, t.Buffer, t.Inet))


def signed(kind: t.CType) -> bool:
    """Does the sign bit of a value of this type mean a negative number?"""
    return isinstance(kind, (t.Int, t.Enumerated)) and kind.signed


def code(kind: t.CType) -> list[Any]:
    """The type as the worker knows it: a list that begins with a word and survives JSON."""
    if isinstance(kind, t.Tuple):
        return ["tuple", [code(item) for item in kind.items]]
    if isinstance(kind, (t.Array, t.Struct)):
        return ["array", size_of(kind)]
    if isinstance(kind, (t.String, t.Buffer)):
        return ["string" if isinstance(kind, t.String) else "buffer", kind.size]
    if isinstance(kind, t.Stack):
        return ["ustack" if kind.user else "kstack", kind.depth, kind.mode]
    if isinstance(kind, t.Timestamp):
        return ["time", kind.format]
    return [_plain(kind)]


def _plain(kind: t.CType) -> str:
    if isinstance(kind, t.Symbol):
        return "usym" if kind.user else "ksym"
    if isinstance(kind, t.Enumerated) and kind.name == "syscall":
        return "call"
    if isinstance(kind, (t.Int, t.Enumerated)):
        return "int" if kind.signed else "uint"
    names: dict[type, str] = {t.Pointer: "pointer", t.Bool: "bool", t.Inet: "inet", t.Void: "none"}
    return names[type(kind)]
