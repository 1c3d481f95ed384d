"""Values as the evaluator holds them: what is read where nothing was stored, truncation, comparison, order.

Integers are kept in the signed 64-bit range whatever the signedness of their type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Optional

from xtrace.core.lang.arithmetic import divide, unsigned, wrap
from xtrace.core.messages import StackValue, SymbolValue, Value
from xtrace.core.types import Array, Buffer, CType, Inet, Int, Stack, String, Struct, Symbol, Tuple


def missing(kind: CType) -> Value:
    """What a variable or a map gives before anything was stored: 0, "", or what is like it."""
    if isinstance(kind, String):
        return ""
    if isinstance(kind, (Buffer, Inet, Array, Struct)):
        return b""
    if isinstance(kind, Stack):
        return StackValue(())
    if isinstance(kind, Symbol):
        return SymbolValue(0)
    if isinstance(kind, Tuple):
        return tuple(missing(item) for item in kind.items)
    return 0


def cut(text: str, size: int) -> str:
    """The text as it fits a string of `size` bytes with its NUL."""
    if len(text) < size and text.isascii():
        return text
    raw = text.encode("utf-8", "surrogateescape")
    return text if len(raw) < size else raw[: size - 1].decode("utf-8", "surrogateescape")


def shortened(text: str, length: int, size: int) -> str:
    """The first `length` bytes, as many as a string of `size` bytes holds; a length is unsigned, as in C."""
    return cut(text, min(unsigned(length), size - 1) + 1)


def length_of(text: str) -> int:
    """Bytes of a text (`strlen`)."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def byte_at(text: str, index: int) -> int:
    """One byte of a text as a signed char, 0 from its end on."""
    byte = text.encode("utf-8", "surrogateescape")[index : index + 1]
    return int.from_bytes(byte, "little", signed=True)


def same_start(left: str, right: str, length: int) -> bool:
    """Are the first `length` bytes equal, both ending at a NUL (`strncmp` gives 0)?"""
    if left.isascii() and right.isascii():
        return left[:length] == right[:length]
    a, b = (text.encode("utf-8", "surrogateescape")[:length] for text in (left, right))
    return a == b


def mean(state: Optional[Sequence[int]], signed: bool) -> int:
    """Of a (count, total) pair the mean, truncated towards zero; 0 of nothing."""
    if not state:
        return 0
    count, total = state
    return divide(total, count) if signed else wrap(divide(unsigned(total), count))


def _order_of(kind: CType) -> Callable[[Any], Any]:
    if isinstance(kind, Int) and kind.size == 8 and not kind.signed:
        return unsigned
    if isinstance(kind, String):
        return lambda text: text.encode("utf-8", "surrogateescape")
    if isinstance(kind, Stack):
        return lambda stack: (stack.pid, stack.addresses, stack.frames)
    if isinstance(kind, Symbol):
        return lambda symbol: (symbol.pid, unsigned(symbol.address))
    if isinstance(kind, Tuple):
        return key_order(kind.items)
    return lambda value: value


def key_order(kinds: Iterable[CType]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """A function that gives for a key what sorts it among others: numbers by value, strings by bytes."""
    orders = tuple(_order_of(kind) for kind in kinds)
    return lambda key: tuple(order(part) for order, part in zip(orders, key))
