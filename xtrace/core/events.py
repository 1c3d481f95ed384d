"""What the user sees, ready to be written: `xtrace.core.session.present` makes these of messages, sinks write them.

Addresses have become names, maps are sorted and cut to what `print` asked for, text is formatted. A sink chooses only
the layout.
"""

from __future__ import annotations

from typing import Literal, Optional, Union

from xtrace.core.histogram import Row as Bucket
from xtrace.core.records import dataclass


@dataclass(frozen=True)
class Hexadecimal:
    """A pointer: text shows it as 0x…"""

    value: int


@dataclass(frozen=True)
class Blob:
    """Raw bytes (`buf`)."""

    data: bytes


@dataclass(frozen=True)
class Frames:
    """A stack, innermost frame first, as it is to be shown. `perf`: in perf's layout, each after a tab; `raw`: nothing
    but addresses."""

    names: tuple[str, ...]
    perf: bool = False
    user: bool = False
    raw: bool = False


@dataclass(frozen=True)
class Sequence:
    """An array; tuples of the language are Python tuples."""

    items: tuple[Shown, ...]


@dataclass(frozen=True)
class Averages:
    """`stats()`"""

    count: int
    average: int
    total: int


@dataclass(frozen=True)
class Histogram:
    """The rows of a histogram, from its first to its last bucket that holds anything."""

    rows: tuple[Bucket, ...]


Shown = Union[None, bool, int, str, Hexadecimal, Blob, Frames, Sequence, "tuple[Shown, ...]"]
"""None is a value that this host does not have: null in JSON, `-` in text."""
MapShown = Union[Shown, Averages, Histogram]


@dataclass(frozen=True)
class Column:
    """A column of an `emit`. `width` is what its type usually needs, in characters; numbers align right."""

    name: str
    width: int
    right: bool


@dataclass(frozen=True)
class Table:
    """The shape of the rows of one `emit`; `title` is the name of the tool or program."""

    title: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Row:
    """One `emit`. `time` is nanoseconds since the epoch; `truncated` names columns whose text was cut at
    `max_strlen`."""

    table: Table
    values: tuple[Shown, ...]
    time: int
    truncated: tuple[str, ...] = ()


@dataclass(frozen=True)
class Printed:
    """Text the program printed; `to` and `place` as in `ir.Printf`."""

    text: str
    to: str = "printf"
    place: Optional[tuple[str, int, int]] = None


@dataclass(frozen=True)
class ValueOutput:
    """`print(expr)`"""

    value: Shown


@dataclass(frozen=True)
class MapOutput:
    """A map's contents, in the order to show; `name` has its `@`.

    `kind` is bpftrace's: `stats` for avg and stats, `hist` for both kinds of histogram, else `map`. `counts` tells that
    values are numbers of events. `final` marks the maps of a session's end.
    """

    name: str
    keyed: bool
    kind: Literal["map", "stats", "hist"]
    entries: tuple[tuple[tuple[Shown, ...], MapShown], ...]
    counts: bool = False
    final: bool = False


@dataclass(frozen=True)
class TextOutput:
    """What `time`, `cat`, `join` or `system` gave; `kind` is the function's name."""

    kind: Literal["time", "cat", "join", "system"]
    text: str


@dataclass(frozen=True)
class AttachedOutput:
    """Probes are in place: how many, and which were refused."""

    probes: int
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class LossOutput:
    """As `xtrace.core.messages.Loss`."""

    kind: str
    count: int
    where: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class NoticeOutput:
    text: str


Output = Union[Row, Printed, ValueOutput, MapOutput, TextOutput, AttachedOutput, LossOutput, NoticeOutput]
