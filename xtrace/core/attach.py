"""Concrete attach points: what a program's probes have become on one host."""

from __future__ import annotations

from typing import Optional, Union

from xtrace.core.records import dataclass
from xtrace.core.types import CType, Member


@dataclass(frozen=True)
class Begin:
    name: str = "begin"


@dataclass(frozen=True)
class End:
    name: str = "end"


@dataclass(frozen=True)
class Interval:
    """Fires every `nsecs` nanoseconds, once for the whole host."""

    name: str
    nsecs: int


@dataclass(frozen=True)
class Profile:
    """Fires on every CPU: `hz` times a second, or every `nsecs` where `hz` is 0."""

    name: str
    hz: int
    nsecs: int = 0


@dataclass(frozen=True)
class Tracepoint:
    """`fields` are the event's own, without the common header; empty where the host's format could not be read."""

    name: str
    system: str
    event: str
    fields: tuple[Member, ...] = ()


@dataclass(frozen=True)
class Parameter:
    name: str
    type: CType


@dataclass(frozen=True)
class UsdtArgument:
    """Where one argument lies, as the note of a USDT site says it (`-4@%edi`), size in bytes and sign taken apart."""

    size: int
    signed: bool
    operand: str


@dataclass(frozen=True)
class Kprobe:
    """A kernel function's entry or return.

    `symbol` is what to give the kernel: it may differ from `function` by a suffix (`.isra.0`). `sites` holds the
    places of an inlined function as offsets from `_stext`; then `symbol` is "" and there is no return, and
    `site_arguments` tells for each site where the parameters lie, an empty operand where that is not known.
    """

    name: str
    function: str
    symbol: str
    returns: bool = False
    offset: int = 0
    module: str = ""
    sites: tuple[int, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    result: Optional[CType] = None
    site_arguments: tuple[tuple[UsdtArgument, ...], ...] = ()

    @property
    def trampoline(self) -> bool:
        """Was it written as `fentry` or `fexit`, where the arguments are at hand at the exit too?"""
        return self.name.startswith(("fentry:", "fexit:"))


@dataclass(frozen=True)
class Uprobe:
    """`offset` is an offset into the file, as tracefs and perf_event_open take it."""

    name: str
    path: str
    function: str
    offset: int
    returns: bool = False


@dataclass(frozen=True)
class UsdtSite:
    """`offset` and `semaphore` are file offsets; 0 means no semaphore."""

    offset: int
    semaphore: int
    arguments: tuple[UsdtArgument, ...]


@dataclass(frozen=True)
class Usdt:
    name: str
    path: str
    provider: str
    probe: str
    sites: tuple[UsdtSite, ...]


@dataclass(frozen=True)
class PerfEvent:
    """`software:faults:100`, `hardware:cycles:1e6`: a counter that fires every `period` counts."""

    name: str
    hardware: bool
    event: str
    period: int


Attach = Union[Begin, End, Interval, Profile, Tracepoint, Kprobe, Uprobe, Usdt, PerfEvent]
"""`name` is what the builtin `probe` gives, bpftrace's full spelling (`tracepoint:sched:sched_switch`)."""

USER_SPACE = (Begin, End, Interval)
"""Attach points that need no tracing engine: the controller can fire them itself."""
