"""The whole typed program, and what holds for all of it."""

from __future__ import annotations

from dataclasses import field
from typing import Optional

from xtrace.core.attach import Attach
from xtrace.core.ir.expressions import Expr
from xtrace.core.ir.sites import Site
from xtrace.core.ir.statements import Stmt
from xtrace.core.lang.source import Span
from xtrace.core.records import dataclass
from xtrace.core.types import AGGREGATIONS, Aggregation, CType, ValueType


@dataclass(frozen=True)
class MapDecl:
    """A map. `capacity` is the number of keys it was declared for, 0 where the program's `max_map_keys` holds; a full
    map that is `lru` makes room by forgetting the key that was written longest ago."""

    name: str
    keys: tuple[CType, ...]
    value: ValueType
    capacity: int = 0
    lru: bool = False

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
    """The program's `config` block and the command line's answer to it, bpftrace's names.

    `aggregate` says where maps are fed by engines that can do it in two places: `kernel`, `user`, or `auto`, the kernel
    where that gives the same results for less. `buffer_kb` is the size of each CPU's event buffer in kilobytes, 0 for
    what the engine finds fit.

    `missing_probes` says what becomes of a probe that is not here: `error`, `warn`, `ignore`, or "" where nobody said:
    then one of a list may be missing, with a warning, as long as another of the list is there.
    """

    max_map_keys: int = 4096
    max_strlen: int = 64
    print_maps_on_exit: bool = True
    missing_probes: str = ""
    aggregate: str = "auto"
    buffer_kb: int = 0

    @property
    def may_miss(self) -> bool:
        """May a probe be left out that should be here, but that the kernel refuses?"""
        return self.missing_probes in ("warn", "ignore")


@dataclass(frozen=True)
class Program:
    clauses: tuple[Clause, ...]
    maps: tuple[MapDecl, ...]
    sites: tuple[Site, ...]
    scope: Scope = Scope()
    config: Config = Config()
    cpid: int = 0

    def room(self, decl: MapDecl) -> int:
        """How many keys a map takes."""
        return decl.capacity or self.config.max_map_keys

    def map(self, name: str) -> MapDecl:
        """The declaration of a map. Raises KeyError for a name the program does not use."""
        for decl in self.maps:
            if decl.name == name:
                return decl
        raise KeyError(name)
