"""Statements of the typed program: what changes variables and maps, and what happens in which order."""

from __future__ import annotations

from dataclasses import field
from typing import Optional, Union

from xtrace.core.ir.expressions import Expr
from xtrace.core.lang.source import Span
from xtrace.core.records import dataclass


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
