"""What a session tells the controller, whatever engine runs it.

The evaluator, the BCC worker and a SystemTap script all speak in these few messages; `xtrace.core.session.present`
turns them into what the sinks show.

A value is what a site's type says: an int for integers and pointers, a str for strings (undecodable bytes kept by
`surrogateescape`), bytes for Buffer and Inet, `StackValue`, `SymbolValue`, or a tuple of values.
"""

from __future__ import annotations

from typing import Final, Union

from xtrace.core.records import dataclass


class _Unread(str):
    """Says "" to a program, and to a reader that there was something."""


UNREAD: Final = _Unread()
"""A string whose memory could not be read. Programs compare and print it as the empty string it is to every engine;
a column of its own shows that it is missing."""


@dataclass(frozen=True)
class StackValue:
    """Return addresses, innermost first. `pid` is 0 for a kernel stack. `frames` are names where already known."""

    addresses: tuple[int, ...]
    pid: int = 0
    frames: tuple[str, ...] = ()


@dataclass(frozen=True)
class SymbolValue:
    """An address that is shown as a name; `pid` is 0 for a kernel address."""

    address: int
    pid: int = 0


Value = Union[int, str, bytes, StackValue, SymbolValue, "tuple[Value, ...]"]


@dataclass(frozen=True)
class StatsValue:
    """The state of `avg`, `stats`, `min` or `max` at one key; `low` and `high` are None where not kept."""

    count: int
    total: int
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True)
class HistValue:
    """Counts by bucket. Log2: bucket index as `xtrace.core.histogram.log2_bucket` gives it. Linear: index from 0
    for below `low`, then one per step, the last for `high` and above. Buckets that are 0 may be absent."""

    buckets: tuple[tuple[int, int], ...]


MapEntryValue = Union[Value, StatsValue, HistValue]


@dataclass(frozen=True)
class Hit:
    """Perform output site `site` of the program. `nsecs` is the boot clock, or 0 where the engine gives none."""

    site: int
    values: tuple[Value, ...]
    nsecs: int = 0
    cpu: int = -1


@dataclass(frozen=True)
class MapDump:
    """The contents of a map at the moment site `site` (a PrintMap) was performed; -1: at the end of the session."""

    map: str
    entries: tuple[tuple[tuple[Value, ...], MapEntryValue], ...]
    site: int = -1


@dataclass(frozen=True)
class Attached:
    """All probes are in place. `probes` counts attach points, `missing` names those that were refused."""

    probes: int
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loss:
    """`count` events or updates did not reach the user. `kind`: overrun, dropped, commit-overrun, missed-page,
    probe-miss, map-full, reserve-failed, sequence-gap, unreadable, missed-tick. `where` is a CPU, probe or map."""

    kind: str
    count: int
    where: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Notice:
    """Something the user should know about this run that is not a loss (a value that is not certain, say)."""

    text: str


@dataclass(frozen=True)
class Exited:
    """The program called `exit(code)`; nothing but final maps and losses follows."""

    code: int = 0


@dataclass(frozen=True)
class Mapped:
    """Process `pid` mapped a file to run it, from `offset` on: what names need when it has ended."""

    pid: int
    start: int
    end: int
    offset: int
    path: str


@dataclass(frozen=True)
class Forked:
    """Process `parent` made process `pid`, which begins with its mappings."""

    pid: int
    parent: int


@dataclass(frozen=True)
class Stacked:
    """A user stack of process `pid` was recorded for the first time; now its mappings can still be read."""

    pid: int


Message = Union[Hit, MapDump, Attached, Loss, Notice, Exited, Mapped, Forked, Stacked]
