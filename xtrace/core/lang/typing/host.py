"""What typing asks about a host. The language layer knows no host: whoever calls it passes something that answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Callable, Optional, Protocol

from xtrace.core import ir
from xtrace.core.lang import ast
from xtrace.core.types import CType, Member


class Types(Protocol):
    """Kernel types by name; `xtrace.core.facts.model.TypeSource` is one. Unknown names answer None."""

    def struct(self, name: str) -> Optional[CType]: ...

    def member(self, struct: str, name: str) -> Optional[Member]: ...

    def members(self, struct: str) -> tuple[Member, ...]: ...

    def typedef(self, name: str) -> Optional[CType]: ...

    def enumerator(self, name: str) -> Optional[int]: ...

    def enum_values(self, enum: str) -> Mapping[int, str]: ...


@dataclass(frozen=True)
class EventSource:
    """One source of a named event, as the names that it gives to a clause.

    `fields` are what the clause may use: an expression each, or None for an optional field that this source lacks.
    `lets` are names for the expressions of `fields`, `where` and later `lets` only, as are the parameters of the
    attach point's prototype. `where` must hold for an event to count.
    """

    event: str
    fields: Mapping[str, Optional[ast.Expr]]
    lets: Mapping[str, ast.Expr]
    where: Optional[ast.Expr] = None


@dataclass(frozen=True)
class Settings:
    """What a run fixes besides the program.

    `parameters` are the positional parameters, None where they are not known yet. `little_endian` is the byte order of
    the traced host. `kernel_address` answers `kaddr()`; `event_fields` tells the fields of a named event while no
    source is chosen (None: no such event known).
    """

    config: ir.Config = ir.Config()
    parameters: Optional[tuple[str, ...]] = ()
    unsafe: bool = False
    cpid: int = 0
    stack_mode: str = "bpftrace"
    little_endian: bool = True
    kernel_address: Optional[Callable[[str], Optional[int]]] = None
    event_fields: Optional[Callable[[str], Optional[Mapping[str, CType]]]] = None
