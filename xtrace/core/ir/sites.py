"""Output sites: what a program shows. Statements name one by its number and bring its values."""

from __future__ import annotations

from typing import Optional, Union

from xtrace.core.records import dataclass
from xtrace.core.types import CType, ValueType


@dataclass(frozen=True)
class Printf:
    """`format` is bpftrace's printf format, checked against `types`. `to`: "printf", "errorf", "warnf", "debugf".
    `place` is where a complaint stands in the program: file, line and column, from 1."""

    format: str
    types: tuple[CType, ...]
    to: str = "printf"
    place: Optional[tuple[str, int, int]] = None


@dataclass(frozen=True)
class Emit:
    """One structured event: a table row, an NDJSON object."""

    columns: tuple[tuple[str, CType], ...]


@dataclass(frozen=True)
class PrintValue:
    """`print(expr)`, and `print(@m[k])`: the value alone, which the map tells how to show. An aggregation as `type`
    is one whose value only user space can tell (`min`, `max`): the engine may look it up when the hit is reached."""

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
