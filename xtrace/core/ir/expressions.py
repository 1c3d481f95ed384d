"""Expressions of the typed program: what gives a value."""

from __future__ import annotations

from dataclasses import field
from typing import Optional, Union

from xtrace.core.lang.source import Span
from xtrace.core.records import dataclass
from xtrace.core.types import Bool, CType, Int, Member, Space, String


@dataclass(frozen=True)
class Const:
    """An integer, stored as a signed 64-bit number whatever the type's signedness."""

    value: int
    type: CType = Int()
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class Text:
    value: str
    type: CType = String()
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class Builtin:
    """`pid tid comm uid gid cpu nsecs elapsed probe func rand ncpus cpid kstack ustack curtask cgroup ppid jiffies
    syscall_abi`.

    `nsecs` is the boot clock. `probe` and `func` differ by attach point; a backend with one handler per attach point
    folds them. `syscall_abi` is that of the system call which the current task is in (`xtrace.core.syscall_abi`);
    programs have no name for it, `syscall_name()` makes it.
    """

    name: str
    type: CType
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class Field:
    """A field of the event record (`args.x` of a tracepoint)."""

    member: Member
    type: CType
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class Arg:
    """Argument `index` of the probed function, or of a USDT probe, as a 64-bit value."""

    index: int
    type: CType = Int(8, True)
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class Retval:
    type: CType = Int(8, True)
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class Register:
    name: str
    type: CType = Int(8, False)
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class Load:
    """Read `type` (an Int, Bool, Enumerated or Pointer) from memory at `base + offset`; a fault reads 0.

    A bit field gives `bit_size` > 0: shift right by `bit_offset`, mask, then extend by the type's signedness.
    """

    base: Expr
    offset: int
    type: CType
    space: Space
    bit_offset: int = 0
    bit_size: int = 0
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class ReadString:
    """`str(address, size)`: bytes up to NUL from memory; a fault reads "". `type.size` bounds it, NUL included.

    `late`: an engine that cannot read it when the event happens may read it soon afterwards, from the process while
    it lives; it then says that the value is not certain. Only sources of named events ask for that.
    """

    address: Expr
    space: Space
    type: CType = String()
    span: Optional[Span] = field(default=None, compare=False)
    late: bool = False


@dataclass(frozen=True)
class ReadBytes:
    """`buf(address, length)`, and a struct's byte array: raw memory. `type` is Buffer, Inet or Array."""

    address: Expr
    length: Expr
    space: Space
    type: CType
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class Var:
    name: str
    type: CType
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class MapValue:
    """The value at a key, 0 or "" where there is none. Of an aggregation: its number (count, sum, min, max, avg)."""

    map: str
    keys: tuple[Expr, ...]
    type: CType
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class MapHasKey:
    map: str
    keys: tuple[Expr, ...]
    type: CType = Bool()
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class MapLength:
    map: str
    type: CType = Int(8, False)
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class Unary:
    """`op` is one of `! ~ -`."""

    op: str
    operand: Expr
    type: CType
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class Binary:
    """Integer arithmetic and comparison. `signed` decides `/ % >> < <= > >=`; division by zero gives 0.

    Shift counts are taken modulo 64.
    """

    op: str
    left: Expr
    right: Expr
    signed: bool
    type: CType
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class Compare:
    """`==` and `!=` on strings, tuples, buffers. `length` > 0 compares only that many bytes (`strncmp`)."""

    op: str
    left: Expr
    right: Expr
    length: int = 0
    type: CType = Bool()
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class Contains:
    """`strcontains(text, part)`"""

    text: Expr
    part: Expr
    type: CType = Bool()
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class Cut:
    """The first `length` bytes of a text: `str(address, n)` with an n that only the run tells, taken as unsigned.
    `type.size` bounds it, NUL included."""

    text: Expr
    length: Expr
    type: CType = String()
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class TextLength:
    """`strlen(text)`: its bytes before the NUL."""

    text: Expr
    type: CType = Int(8, False)
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class TextByte:
    """`text[index]`: one byte as C's signed char; 0 from the end on."""

    text: Expr
    index: int
    type: CType = Int(1, True)
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class Logical:
    """`&&` and `||`, evaluated from the left and only as far as needed; gives 0 or 1."""

    op: str
    left: Expr
    right: Expr
    type: CType = Bool()
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class Ternary:
    condition: Expr
    then: Expr
    otherwise: Expr
    type: CType
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class Convert:
    """An integer cast: truncate to the type's size, then extend by its signedness."""

    operand: Expr
    type: CType
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class Address:
    """Wraps an integer as something shown otherwise: `ksym`, `usym` (Symbol), `ntop` of an integer (Inet),
    `strftime` (Timestamp). The number travels; the sink makes the words."""

    operand: Expr
    type: CType
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class TupleValue:
    items: tuple[Expr, ...]
    type: CType
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class TupleItem:
    base: Expr
    index: int
    type: CType
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class Captured:
    """Slot `index` of what the kernel recorded; made by `xtrace.core.plan.capture`, never by the front end."""

    index: int
    type: CType
    span: Optional[Span] = field(default=None, compare=False)


Expr = Union[
    Const, Text, Builtin, Field, Arg, Retval, Register, Load, ReadString, ReadBytes, Var, MapValue, MapHasKey,
    MapLength, Unary, Binary, Compare, Contains, Cut, TextLength, TextByte, Logical, Ternary, Convert, Address,
    TupleValue, TupleItem, Captured,
]  # fmt: skip
