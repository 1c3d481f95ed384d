"""Values of messages as shown values: one function per type, chosen once per site."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from xtrace.core.events import Blob, Hexadecimal, Sequence, Shown
from xtrace.core.lang.arithmetic import convert, unsigned
from xtrace.core.messages import StackValue
from xtrace.core.records import dataclass
from xtrace.core.session.clocks import WallClock
from xtrace.core.session.symboliser import Symboliser, frames_of, symbol_text
from xtrace.core.syscall_abi import split
from xtrace.core.types import (
    Array,
    Bool,
    Buffer,
    CType,
    Enumerated,
    Inet,
    Int,
    Pointer,
    Stack,
    String,
    Struct,
    Symbol,
    Timestamp,
    Tuple,
    Void,
)

Convert = Callable[[Any], Shown]
TRAILER = ".."
_CODES = {1: "b", 2: "h", 4: "i", 8: "q"}


@dataclass(frozen=True)
class Showing:
    """What showing values needs: names for addresses, the clock, and the size at which strings are cut."""

    symbols: Symboliser
    wall: WallClock = field(default_factory=WallClock)
    max_strlen: int = 64
    enum_names: Callable[[str], Mapping[int, str]] = lambda name: {}
    """Names by value of one of the host's enums, and of its system calls (`syscall`)."""

    def of(self, kind: CType) -> Convert:
        """The function that shows values of a type."""
        if isinstance(kind, Enumerated):
            return self._enumerated(kind)
        return self.number(kind)

    def number(self, kind: CType) -> Convert:
        """Like `of`, but an enumerated value stays a number: what every conversion of printf but %s gets."""
        if isinstance(kind, Enumerated) and kind.name == "syscall":
            return lambda value: split(value)[0]
        if isinstance(kind, (Int, Enumerated)):
            return integer(kind.size, kind.signed)
        maker = _MAKERS.get(type(kind))
        return maker(self, kind) if maker else lambda value: value

    def _enumerated(self, kind: Enumerated) -> Convert:
        names, plain = self.enum_names(kind.name), integer(kind.size, kind.signed)
        return (lambda value: names.get(value) or plain(value)) if names else plain

    def cut(self, kind: CType) -> bool:
        """May strings of this type have been cut at `max_strlen`?"""
        return isinstance(kind, String) and kind.size == self.max_strlen

    def was_cut(self, text: str) -> bool:
        """Does the text fill its buffer? bpftrace takes that for a cut one, too (`str_trunc_trailer`, since v0.20)."""
        return len(text.encode("utf-8", "surrogateescape")) + 1 >= self.max_strlen

    def _string(self, kind: String) -> Convert:
        if not self.cut(kind):
            return str
        return lambda text: text + TRAILER if self.was_cut(text) else text

    def _stack(self, kind: Stack) -> Convert:
        return lambda value: frames_of(value if isinstance(value, StackValue) else StackValue(()), kind, self.symbols)

    def _symbol(self, kind: Symbol) -> Convert:
        return lambda value: symbol_text(value, self.symbols)

    def _timestamp(self, kind: Timestamp) -> Convert:
        return lambda nsecs: self.wall.strftime(kind.format, nsecs)

    def _tuple(self, kind: Tuple) -> Convert:
        items = tuple(self.of(item) for item in kind.items)
        return lambda values: tuple(show(value) for show, value in zip(items, values))

    def _array(self, kind: Array) -> Convert:
        show = self.of(kind.of)
        size = getattr(kind.of, "size", 8)
        code = _CODES.get(size)
        if code is None:
            return lambda data: Blob(data)

        def items(value: Any) -> Shown:
            if isinstance(value, bytes):
                value = struct.unpack(f"={len(value) // size}{code}", value[: len(value) // size * size])
            return Sequence(tuple(show(item) for item in value))

        return items


def integer(size: int, signed: bool) -> Convert:
    """Shows integers of a size, whichever way an engine hands on their upper half."""
    low, high = (-(1 << 8 * size - 1), 1 << 8 * size - 1) if signed else (0, 1 << 8 * size)
    if signed or size < 8:
        return lambda value: value if low <= value < high else convert(value, size, signed)
    return lambda value: value if value >= 0 else unsigned(value)


def inet(value: Any) -> str:
    """4 or 16 bytes in network order as inet_ntop(3) writes them; "" for anything else."""
    if len(value) == 4:
        return ".".join(map(str, value))
    from socket import AF_INET6, inet_ntop

    return inet_ntop(AF_INET6, value) if len(value) == 16 else ""


def hardware_address(data: bytes) -> str:
    """Six bytes as bpftrace's `macaddr` writes them."""
    return data.hex(":").upper()


_MAKERS: dict[type, Callable[[Showing, Any], Convert]] = {
    Bool: lambda _, kind: bool,
    String: Showing._string,
    Void: lambda _, kind: lambda value: None,
    Pointer: lambda _, kind: lambda value: Hexadecimal(unsigned(value)),
    Inet: lambda _, kind: inet,
    Buffer: lambda _, kind: hardware_address if kind.mac else Blob,
    Struct: lambda _, kind: Blob,
    Stack: Showing._stack,
    Symbol: Showing._symbol,
    Timestamp: Showing._timestamp,
    Tuple: Showing._tuple,
    Array: Showing._array,
}
