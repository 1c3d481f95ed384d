"""Where a clause is attached, and which builtins have a meaning there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from xtrace.core.attach import (
    Attach,
    Begin,
    End,
    Interval,
    Kprobe,
    PerfEvent,
    Profile,
    Tracepoint,
    Uprobe,
    Usdt,
)
from xtrace.core.lang import ast
from xtrace.core.records import dataclass
from xtrace.core.types import Space

_KINDS: dict[type, str] = {
    Begin: "begin",
    End: "end",
    Interval: "interval",
    Profile: "profile",
    Tracepoint: "tracepoint",
    Usdt: "usdt",
}
_USER_KINDS = frozenset(("uprobe", "uretprobe", "usdt"))

ENTRIES = frozenset(("kprobe", "uprobe", "usdt", "fentry", "rawtracepoint"))
RETURNS = frozenset(("kretprobe", "uretprobe", "fexit"))
RECORDS = frozenset(("tracepoint", "kprobe", "fentry", "fexit", "rawtracepoint", "uprobe"))
FUNCTIONS = frozenset(("kprobe", "kretprobe", "uprobe", "uretprobe", "fentry", "fexit"))
TIMERS = frozenset(("begin", "end", "interval"))


@dataclass(frozen=True)
class Place:
    """`kinds` are the probe types of the clause by their long names. `attach` stands for all its attach points; None
    while no host is known. `events` are the named events that no source is chosen for."""

    kinds: tuple[str, ...]
    attach: Optional[Attach]
    events: tuple[str, ...] = ()

    @property
    def _user(self) -> bool:
        if isinstance(self.attach, Tracepoint):
            return self.attach.system == "syscalls" and self.attach.event.startswith("sys_enter_")
        return any(kind in _USER_KINDS for kind in self.kinds)

    @property
    def integer_space(self) -> Space:
        """Where `str()` reads when it is given a plain integer."""
        return Space.USER if self._user else Space.AUTO

    @property
    def cast_space(self) -> Space:
        """Where a plain integer points to when it is cast to a pointer."""
        return Space.USER if self._user else Space.KERNEL

    def words(self) -> str:
        """The probe type for a message: `a kretprobe`."""
        kind = self.kinds[0] if self.kinds else "probe"
        return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def place_of(attach: Optional[Sequence[Attach]], points: Sequence[ast.AttachPoint]) -> Place:
    """Where a clause is attached; by what is written where no concrete attach points are given."""
    if attach:
        return Place(tuple(dict.fromkeys(_kind(one) for one in attach)), attach[0])
    events = tuple(point.parts[0] for point in points if point.kind == "event")
    return Place(tuple(dict.fromkeys(point.kind for point in points)), None, events)


def _kind(attach: Attach) -> str:
    if isinstance(attach, Kprobe):
        if attach.trampoline:
            return "fexit" if attach.returns else "fentry"
        return "kretprobe" if attach.returns else "kprobe"
    if isinstance(attach, Uprobe):
        return "uretprobe" if attach.returns else "uprobe"
    if isinstance(attach, PerfEvent):
        return "hardware" if attach.hardware else "software"
    return _KINDS[type(attach)]
