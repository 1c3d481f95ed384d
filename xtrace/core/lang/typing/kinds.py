"""Questions about types: are they numbers, do two agree, how are they called in a message."""

from __future__ import annotations

from typing import Optional

from xtrace.core.types import (
    AGGREGATIONS,
    Aggregation,
    Array,
    Avg,
    Bool,
    Buffer,
    Count,
    CType,
    Enumerated,
    Inet,
    Int,
    Max,
    Min,
    Pointer,
    Space,
    Stack,
    String,
    Struct,
    Sum,
    Symbol,
    Timestamp,
    Tuple,
    Unknown,
    ValueType,
    Void,
)

INT64 = Int(8, True)
UINT64 = Int(8, False)
INTEGERS = (Int, Bool, Enumerated)
NUMBERS = (Int, Bool, Enumerated, Pointer)
READABLE = (Count, Sum, Min, Max, Avg)
"""Aggregations that are a number when read."""

_WORDS: dict[type, str] = {
    Bool: "bool",
    String: "string",
    Void: "absent field",
    Unknown: "unknown",
    Inet: "internet address",
    Buffer: "buffer",
    Timestamp: "timestamp",
}


def is_number(type_: CType) -> bool:
    """Whether arithmetic takes the type; an unknown type may be a number."""
    return isinstance(type_, (*NUMBERS, Unknown))


def is_signed(type_: CType) -> bool:
    """Whether 64-bit arithmetic on the type is signed: narrower unsigned types fit a signed 64-bit number."""
    if isinstance(type_, Int):
        return type_.signed or type_.size < 8
    if isinstance(type_, Enumerated):
        return type_.signed or type_.size < 8
    return not isinstance(type_, Pointer)


def width(type_: CType) -> int:
    """Bytes that a number of this type takes in memory; 8 where it is not known."""
    if isinstance(type_, (Int, Enumerated)):
        return type_.size
    return 1 if isinstance(type_, Bool) else 8


def size_of(type_: CType) -> Optional[int]:
    """`sizeof`, in bytes; None for what has no size in C."""
    if isinstance(type_, (Int, Enumerated, Bool, Pointer)):
        return width(type_)
    if isinstance(type_, (Struct, String, Buffer)):
        return type_.size
    if isinstance(type_, Array):
        of = size_of(type_.of)
        return None if of is None else of * type_.count
    return None


def is_char_array(type_: CType) -> bool:
    """C's strings inside structs: arrays of (signed) char."""
    return isinstance(type_, Array) and is_char(type_.of)


def is_char(type_: CType) -> bool:
    return type_ == Int(1, True)


def is_byte_array(type_: CType) -> bool:
    return isinstance(type_, Array) and isinstance(type_.of, Int) and type_.of.size == 1


def stored(type_: CType) -> CType:
    """How a map keeps a value: integers take 64 bits, so that all that is assigned fits."""
    return Int(8, is_signed(type_)) if isinstance(type_, Int) else type_


def is_settled(type_: CType) -> bool:
    """Whether nothing in the type is unknown."""
    if isinstance(type_, Tuple):
        return all(is_settled(item) for item in type_.items)
    return not isinstance(type_, Unknown)


def join(a: CType, b: CType) -> Optional[CType]:
    """The type that holds values of both, or None where there is none."""
    if a == b or isinstance(b, Unknown):
        return a
    if isinstance(a, Unknown):
        return b
    if isinstance(a, NUMBERS) and isinstance(b, NUMBERS):
        return _join_numbers(a, b)
    if isinstance(a, Stack) and isinstance(b, Stack):
        same = (a.user, a.mode) == (b.user, b.mode)
        return Stack(a.user, max(a.depth, b.depth), a.mode) if same else None
    return _join_sized(a, b)


def _join_numbers(a: CType, b: CType) -> CType:
    if isinstance(a, Pointer) and isinstance(b, Pointer):
        return Pointer(_join_pointees(a.to, b.to), a.space if a.space is b.space else Space.AUTO)
    if isinstance(a, Pointer):
        return a
    if isinstance(b, Pointer):
        return b
    return Int(8, is_signed(a) and is_signed(b))


def _join_pointees(a: CType, b: CType) -> CType:
    """A struct is the same by its name: where only its name was known, it has no size."""
    if isinstance(a, Struct) and isinstance(b, Struct) and (a.name, a.union) == (b.name, b.union):
        return max(a, b, key=lambda one: one.size)
    return a if a == b else Void()


def _join_sized(a: CType, b: CType) -> Optional[CType]:
    if isinstance(a, String) and isinstance(b, String):
        return String(max(a.size, b.size))
    if isinstance(a, Buffer) and isinstance(b, Buffer):
        return Buffer(max(a.size, b.size)) if a.mac is b.mac else None
    if isinstance(a, Tuple) and isinstance(b, Tuple) and len(a.items) == len(b.items):
        items = [join(x, y) for x, y in zip(a.items, b.items)]
        return None if None in items else Tuple(tuple(item for item in items if item is not None))
    return None


def join_values(a: ValueType, b: ValueType) -> Optional[ValueType]:
    """`join` for what a map may hold; two aggregations agree when they differ in signedness at most."""
    if isinstance(a, AGGREGATIONS) or isinstance(b, AGGREGATIONS):
        if a == b or isinstance(b, Unknown):
            return a
        if isinstance(a, Unknown):
            return b
        same = type(a) is type(b) and hasattr(a, "signed")
        return type(a)(signed=False) if same else None  # type: ignore[call-arg]
    return join(a, b)


def describe(type_: ValueType) -> str:
    """The type as a message names it."""
    if isinstance(type_, AGGREGATIONS):
        return describe_aggregation(type_)
    if isinstance(type_, Int):
        return f"{'' if type_.signed else 'u'}int{8 * type_.size}"
    if isinstance(type_, Pointer):
        return f"{_pointee(type_.to)} *"
    if isinstance(type_, Struct):
        return f"{'union' if type_.union else 'struct'} {type_.name}"
    if isinstance(type_, Enumerated):
        return f"enum {type_.name}"
    if isinstance(type_, Array):
        return f"{describe(type_.of)}[{type_.count}]"
    if isinstance(type_, (Stack, Symbol)):
        return f"{'user' if type_.user else 'kernel'} {type(type_).__name__.lower()}"
    if isinstance(type_, Tuple):
        return f"({', '.join(describe(item) for item in type_.items)})"
    return _WORDS[type(type_)]


def article(type_: ValueType) -> str:
    """The type with its article: `an int64`, `a string`."""
    words = describe(type_)
    if isinstance(type_, AGGREGATIONS):
        return words
    return f"{'an' if words[0] in 'aeio' else 'a'} {words}"


def _pointee(type_: CType) -> str:
    return "void" if isinstance(type_, Void) else describe(type_)


def describe_aggregation(type_: Aggregation) -> str:
    name = "lhist" if type(type_).__name__ == "LinearHist" else type(type_).__name__.lower()
    return f"{name}()"
