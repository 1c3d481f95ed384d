"""What typing asks about a host. The language layer knows no host: whoever calls it passes something that answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Callable, Optional, Protocol

from xtrace.core import ir
from xtrace.core.attach import Attach
from xtrace.core.lang import ast
from xtrace.core.lang.source import Span
from xtrace.core.records import dataclass
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
class UserSymbol:
    """A symbol of a traced program: `distance` bytes from where `register` points when the probe fires."""

    register: str
    distance: int
    size: int


@dataclass(frozen=True)
class Settings:
    """What a run fixes besides the program.

    `parameters` are the positional parameters, None where they are not known yet, and `named` those of `getopt()`.
    `little_endian` is the byte order of the traced host. `kernel_address` answers `kaddr()`, `cgroup_id` answers
    `cgroupid()` or raises OSError, `user_symbol` answers `uaddr()` at one attach point; `event_fields` tells the
    fields of a named event while no source is chosen (None: no such event known). `compat_calls`: may a program on the
    host make system calls of another ABI than the kernel's own?
    """

    config: ir.Config = ir.Config()
    parameters: Optional[tuple[str, ...]] = ()
    unsafe: bool = False
    cpid: int = 0
    stack_mode: str = "bpftrace"
    little_endian: bool = True
    named: Mapping[str, Optional[str]] = field(default_factory=dict)
    user_symbol: Optional[Callable[[Attach, str, Span], Optional[UserSymbol]]] = None
    kernel_address: Optional[Callable[[str], Optional[int]]] = None
    cgroup_id: Optional[Callable[[str], int]] = None
    event_fields: Optional[Callable[[str], Optional[Mapping[str, CType]]]] = None
    compat_calls: Callable[[], bool] = lambda: False
