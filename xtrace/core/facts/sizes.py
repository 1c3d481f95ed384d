"""Sizes of types in memory."""

from __future__ import annotations

from xtrace.core.types import Array, Bool, Buffer, CType, Enumerated, Int, Pointer, String, Struct


def size_of(kind: CType) -> int:
    """Bytes that a value takes in memory on an LP64 kernel; 0 where that is not known or makes no sense."""
    if isinstance(kind, (Int, Enumerated, String, Struct, Buffer)):
        return kind.size
    if isinstance(kind, Bool):
        return 1
    if isinstance(kind, Pointer):
        return 8
    return size_of(kind.of) * kind.count if isinstance(kind, Array) else 0
