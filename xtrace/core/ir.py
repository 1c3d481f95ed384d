"""The typed program: what every backend lowers and the evaluator runs.

It is made for one host (`xtrace.core.resolve`): attach points are concrete, types and offsets are numbers, options,
positional parameters, enumerators, `sizeof` and `has()` are folded away, named events have become clauses. All
arithmetic is on 64 bits in two's complement; a node says itself whether it is signed. Spans take no part in equality,
so equal expressions are captured once.
"""

from __future__ import annotations

from dataclasses import field
from typing import Optional, Union

from xtrace.core.attach import Attach
from xtrace.core.lang.source import Span
from xtrace.core.records import dataclass
from xtrace.core.types import (
    AGGREGATIONS,
    Aggregation,
    Bool,
    CType,
    Int,
    Member,
    Space,
    String,
    ValueType,
)

# --- expressions -------------------------------------------------------------------------------------------------


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
    """`pid tid comm uid gid cpu nsecs elapsed probe func rand ncpus cpid kstack ustack curtask cgroup ppid jiffies`.

    `nsecs` is the boot clock. `probe` and `func` differ by attach point; a backend with one handler per attach point
    folds them.
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
    MapLength, Unary, Binary, Compare, Contains, Logical, Ternary, Convert, Address, TupleValue, TupleItem, Captured,
]  # fmt: skip

# --- statements --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SetVar:
    name: str
    value: Expr
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class SetMap:
    map: str
    keys: tuple[Expr, ...]
    value: Expr
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class AddMap:
    """`@m[k] += by`, `++`, `--` on an integer map; a missing key starts at 0. Atomic where the engine can."""

    map: str
    keys: tuple[Expr, ...]
    by: Expr
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class Aggregate:
    """Feed the aggregation that is the map's value type; `value` is None for `count()`."""

    map: str
    keys: tuple[Expr, ...]
    value: Optional[Expr]
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class DeleteKey:
    map: str
    keys: tuple[Expr, ...]
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class If:
    condition: Expr
    then: tuple[Stmt, ...]
    otherwise: tuple[Stmt, ...]
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class While:
    condition: Expr
    body: tuple[Stmt, ...]
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class ForEach:
    """For each entry of a map in key order; the variable is the tuple (key, value)."""

    variable: str
    map: str
    body: tuple[Stmt, ...]
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class Jump:
    """`break`, `continue` or `return`"""

    kind: str
    span: Optional[Span] = field(default=None, compare=False)


@dataclass(frozen=True)
class Output:
    """Perform site `site` of the program with these values: all that the user sees, and all that must stay in order
    with it (`clear`, `zero`, `exit`)."""

    site: int
    args: tuple[Expr, ...]
    span: Optional[Span] = field(default=None, compare=False)


Stmt = Union[SetVar, SetMap, AddMap, Aggregate, DeleteKey, If, While, ForEach, Jump, Output]

# --- output sites ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Printf:
    """`format` is bpftrace's printf format, checked against `types`. `to`: "printf", "errorf", "warnf", "debugf"."""

    format: str
    types: tuple[CType, ...]
    to: str = "printf"


@dataclass(frozen=True)
class Emit:
    """One structured event: a table row, an NDJSON object."""

    columns: tuple[tuple[str, CType], ...]


@dataclass(frozen=True)
class PrintValue:
    """`print(expr)`, and `print(@m[k])`, which prints by value under the name `@m[k]`."""

    type: ValueType
    map: Optional[str] = None
    key_types: tuple[CType, ...] = ()


@dataclass(frozen=True)
class PrintMap:
    """`print(@m, top, div)`; 0 means not given."""

    map: str
    top: int = 0
    div: int = 0


@dataclass(frozen=True)
class Clear:
    map: str


@dataclass(frozen=True)
class Zero:
    map: str


@dataclass(frozen=True)
class Exit:
    """`exit(code)`; the code is the site's only argument."""


@dataclass(frozen=True)
class Time:
    """`time(format)`: the wall clock when the site is performed."""

    format: str


@dataclass(frozen=True)
class Cat:
    """`cat(format, …)`: the contents of a file, read when the site is performed."""

    format: str
    types: tuple[CType, ...]


@dataclass(frozen=True)
class Join:
    """`join(argv, delimiter)`; the values are the strings, at most 16."""

    delimiter: str


@dataclass(frozen=True)
class System:
    """`system(format, …)`, allowed only with --unsafe."""

    format: str
    types: tuple[CType, ...]


Site = Union[Printf, Emit, PrintValue, PrintMap, Clear, Zero, Exit, Time, Cat, Join, System]

# --- the program -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MapDecl:
    name: str
    keys: tuple[CType, ...]
    value: ValueType

    @property
    def hidden(self) -> bool:
        """Made by the front end for a pair of probes (`__1_path`), and never shown."""
        return self.name.startswith("__") and self.name[2:3].isdigit()

    @property
    def aggregation(self) -> Optional[Aggregation]:
        """The aggregation, or None for a map of plain values."""
        return self.value if isinstance(self.value, AGGREGATIONS) else None


@dataclass(frozen=True)
class Clause:
    """One handler. All its attach points give it the same fields and types.

    `scoped` is False where the program's scope was applied before: at the exit of a pair of probes, which may happen in
    another process than the entry (an interrupt ends what a process began).
    """

    attach: tuple[Attach, ...]
    predicate: Optional[Expr]
    body: tuple[Stmt, ...]
    span: Optional[Span] = field(default=None, compare=False)
    scoped: bool = True


@dataclass(frozen=True)
class Scope:
    """Whose events count. Applied by every backend to every clause that is `scoped`, before its predicate.

    `pid` is a thread group id (None: everybody). With `follow`, its descendants count too, from the moment they
    are forked. `uid` is a real user id. `cgroup` is a cgroup v2 path.
    """

    pid: Optional[int] = None
    follow: bool = False
    uid: Optional[int] = None
    cgroup: Optional[str] = None


@dataclass(frozen=True)
class Config:
    """The program's `config` block and the command line's answer to it, bpftrace's names."""

    max_map_keys: int = 4096
    max_strlen: int = 64
    print_maps_on_exit: bool = True
    missing_probes: str = "error"


@dataclass(frozen=True)
class Program:
    clauses: tuple[Clause, ...]
    maps: tuple[MapDecl, ...]
    sites: tuple[Site, ...]
    scope: Scope = Scope()
    config: Config = Config()
    cpid: int = 0

    def map(self, name: str) -> MapDecl:
        """The declaration of a map. Raises KeyError for a name the program does not use."""
        for decl in self.maps:
            if decl.name == name:
                return decl
        raise KeyError(name)
