"""The surface syntax tree: what the parser saw, before any host is known.

Nodes are frozen and carry their span; `span` takes no part in equality. Spellings are normalised here and nowhere
later: probe kinds have their long name (`t:` becomes `tracepoint`), `->` and `.` are one `Member`, `delete(@m, k)` is
`delete(@m[k])`, `BEGIN` is `begin`.
"""

from __future__ import annotations

from dataclasses import field
from typing import Optional, Union

from xtrace.core.lang.source import Source, Span
from xtrace.core.records import dataclass


@dataclass(frozen=True)
class Number:
    value: int
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Text:
    """A string literal without its escapes. Bytes that are no UTF-8 (`"\\xff"`) are held by `surrogateescape`."""

    value: str
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Boolean:
    value: bool
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Name:
    """A bare word: a builtin, a field of a named event, an enumerator, or a #define."""

    name: str
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Scalar:
    """`$x`: a variable, or a tool's option until options are folded."""

    name: str
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Positional:
    """`$1` ... `$N`; index 0 stands for `$#`, the number of parameters."""

    index: int
    span: Span = field(compare=False)


@dataclass(frozen=True)
class MapRef:
    """`@name[keys]`; `keys` is empty for a map without keys. The name has no `@`; the map `@` is named ""."""

    name: str
    keys: tuple[Expr, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Unary:
    """`op` is one of `! ~ - + * &`."""

    op: str
    operand: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Step:
    """`++x`, `x--`: `by` is 1 or -1; `prefix` tells which value the expression has."""

    target: Union[Scalar, MapRef]
    by: int
    prefix: bool
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Binary:
    """`op` is C's: `+ - * / % & | ^ << >> < <= > >= == != && ||`."""

    op: str
    left: Expr
    right: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Ternary:
    condition: Expr
    then: Expr
    otherwise: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Call:
    function: str
    args: tuple[Expr, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Labelled:
    """`name = value` among the arguments of `emit`."""

    name: str
    value: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Member:
    """`base.name` or `base->name`. `args.x` is `Member(Name("args"), "x")`; a tuple's `.0` has a digit as name."""

    base: Expr
    name: str
    arrow: bool
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Index:
    base: Expr
    index: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True)
class TypeName:
    """A type as written: `uint64`, `struct sock`, `enum x`, `char`, with pointer stars and an array bound.

    `count` is 0 for `[]`, an array as long as what it is cast from.
    """

    name: str
    pointers: int
    span: Span = field(compare=False)
    count: Optional[int] = None


@dataclass(frozen=True)
class Cast:
    type: TypeName
    operand: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True)
class SizeOf:
    of: Union[TypeName, Expr]
    span: Span = field(compare=False)


@dataclass(frozen=True)
class OffsetOf:
    type: TypeName
    members: tuple[str, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True)
class TupleExpr:
    items: tuple[Expr, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Has:
    """`has(args.reason)`, `has(probe)`: a question about the host, answered before anything runs."""

    subject: Expr
    span: Span = field(compare=False)


Expr = Union[
    Number, Text, Boolean, Name, Scalar, Positional, MapRef, Unary, Step, Binary, Ternary, Call, Labelled, Member,
    Index, Cast, SizeOf, OffsetOf, TupleExpr, Has,
]  # fmt: skip


@dataclass(frozen=True)
class Do:
    """An expression for its effect: a call or a step."""

    expr: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Assign:
    """`op` is "" for `=`, else the operator of `+=` and its like."""

    target: Union[Scalar, MapRef]
    op: str
    value: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Declare:
    """`let $x`, `let $x: uint64 = 1`."""

    target: Scalar
    type: Optional[TypeName]
    value: Optional[Expr]
    span: Span = field(compare=False)


@dataclass(frozen=True)
class If:
    condition: Expr
    then: tuple[Stmt, ...]
    otherwise: tuple[Stmt, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Unroll:
    count: Expr
    body: tuple[Stmt, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True)
class While:
    condition: Expr
    body: tuple[Stmt, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True)
class For:
    """`for ($kv : @map)` when `over` is a map, `for ($i : start..end)` when it is a pair."""

    variable: Scalar
    over: Union[MapRef, tuple[Expr, Expr]]
    body: tuple[Stmt, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Jump:
    """`break`, `continue`, or `return` with an optional value (ignored outside functions)."""

    kind: str
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Block:
    body: tuple[Stmt, ...]
    span: Span = field(compare=False)


Stmt = Union[Do, Assign, Declare, If, Unroll, While, For, Jump, Block]


@dataclass(frozen=True)
class AttachPoint:
    """One attach point as written, its parts split at colons (a path keeps its own).

    `kind` is the long name of a probe type, or `event` for a named event, whose dotted name is then `parts[0]`.
    `prototype` is C text in parentheses after the function, where a source gives one.

    kprobe:vfs_read+4 → ("kprobe", ("vfs_read+4",)); uprobe:/bin/sh:main → ("uprobe", ("/bin/sh", "main"));
    interval:1s → ("interval", ("s", "1")); tcp.drop → ("event", ("tcp.drop",)).
    """

    kind: str
    parts: tuple[str, ...]
    span: Span = field(compare=False)
    prototype: str = ""


@dataclass(frozen=True)
class Clause:
    """`probe[, probe] /predicate/ { body }`"""

    points: tuple[AttachPoint, ...]
    predicate: Optional[Expr]
    body: tuple[Stmt, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True)
class MapDeclaration:
    """`let @name = kind(size);`: how many keys the map takes, and whether a full one forgets its oldest (`lru`)."""

    name: str
    lru: bool
    size: int
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Program:
    """A whole program. `definitions` is the C preamble (struct, enum, #define, #include) as written, a directive or a
    definition each.

    `config` holds `config = { … }` with keys in lower case and without `BPFTRACE_`; true is 1 and false is 0.
    """

    source: Source
    clauses: tuple[Clause, ...]
    config: tuple[tuple[str, Union[int, str]], ...] = ()
    definitions: tuple[Span, ...] = ()
    maps: tuple[MapDeclaration, ...] = ()
