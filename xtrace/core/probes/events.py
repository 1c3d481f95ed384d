"""Named events: stable names and fields, with ordered sources that say how to get them on different kernels.

One file holds the events of one subject (`events/tcp.yaml` has `tcp.drop` and its kin), so one event is found without
reading the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from functools import lru_cache
from pathlib import Path
from typing import Optional

from xtrace.core.errors import Diagnostic
from xtrace.core.lang import ast
from xtrace.core.lang.source import Source, Span
from xtrace.core.probes import source_text
from xtrace.core.probes.schema import Reader
from xtrace.core.probes.yaml_nodes import Mapping as MappingNode
from xtrace.core.probes.yaml_nodes import read
from xtrace.core.records import dataclass
from xtrace.core.types import CType, Inet, Int, Pointer, Stack, String, Symbol, Void

FIELD_TYPES: dict[str, CType] = {
    "int": Int(8, True),
    "uint": Int(8, False),
    "string": String(),
    "inet": Inet(),
    "pointer": Pointer(Void()),
    "ksym": Symbol(user=False),
    "kstack": Stack(user=False),
    "ustack": Stack(user=True),
}
_EVENT_NAME = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+|[a-z]+_[a-z0-9_]+")


@dataclass(frozen=True)
class EventField:
    name: str
    type: CType
    doc: str = ""
    optional: bool = False


@dataclass(frozen=True)
class SourceSpec:
    """One way to get an event.

    A simple source has `attach`: several points are one event together (open and openat), each with the same
    expressions. A pair has `enter` and `leave` point by point, `key` to match them, and `save`: names for what is
    taken at the entry and usable in `fields`, which are then of the exit. `when` and `where` are then asked at the
    entry, `exit_where` at the exit. Expressions use the attach point's own names, its prototype's parameters, and
    `let`s. `how` tells sources with the same attach points apart.
    """

    attach: tuple[ast.AttachPoint, ...]
    leave: tuple[ast.AttachPoint, ...]
    key: ast.Expr
    save: Mapping[str, ast.Expr]
    fields: Mapping[str, ast.Expr]
    let: Mapping[str, ast.Expr]
    when: Optional[ast.Expr]
    where: Optional[ast.Expr]
    exit_where: Optional[ast.Expr]
    approximate: str
    late: bool
    how: str
    span: Span

    @property
    def titles(self) -> tuple[str, ...]:
        """The attach points, or pairs of them, without prototypes."""
        points = [shown(point) for point in self.attach]
        return tuple(f"{a} with {shown(b)}" for a, b in zip(points, self.leave)) if self.leave else tuple(points)

    @property
    def title(self) -> str:
        """The attach points in short: the first, and how many more there are."""
        first, *others = self.titles
        more = f" and {len(others)} more" if others else ""
        return f"{first}{more}{f' ({self.how})' if self.how else ''}"


def shown(point: ast.AttachPoint) -> str:
    """An attach point as users write it."""
    return ":".join((point.kind, *point.parts))


@dataclass(frozen=True)
class Event:
    """`anywhere`: it happens in whatever process runs at the time, so that process says nothing about it."""

    name: str
    summary: str
    description: str
    fields: Mapping[str, EventField]
    sources: tuple[SourceSpec, ...]
    anywhere: bool
    path: Path
    span: Span


@dataclass(frozen=True)
class EventFile:
    """What one file gives: the events that are right, and complaints about the others."""

    events: Mapping[str, Event] = field(default_factory=dict)
    complaints: tuple[Diagnostic, ...] = ()


def find_event(name: str, paths: Sequence[Path]) -> Event | None:
    """The event of this name; only the file of its first word is read."""
    subject = re.split(r"[._]", name)[0]
    for path in paths:
        for file in (path / "events" / f"{subject}.yaml", path / "events" / f"{name}.yaml"):
            if file.is_file() and name in load_events(file).events:
                return load_events(file).events[name]
    return None


def all_events(paths: Sequence[Path]) -> tuple[tuple[Event, ...], tuple[Diagnostic, ...]]:
    """Every event that loads, by name, and the complaints about those that do not."""
    events: dict[str, Event] = {}
    complaints: list[Diagnostic] = []
    for file in _files(paths):
        loaded = load_events(file)
        complaints += loaded.complaints
        for name, event in loaded.events.items():
            events.setdefault(name, event)
    return tuple(events[name] for name in sorted(events)), tuple(complaints)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted((path / "events").glob("*.yaml"))


@lru_cache(maxsize=64)
def load_events(file: Path) -> EventFile:
    """Read one file of events. What is wrong with one event never takes the others along."""
    source = Source(str(file), file.read_text(encoding="utf-8", errors="replace"))
    root, complaints = read(source)
    if not isinstance(root, MappingNode):
        wrong = () if root is None else (Diagnostic("XT0305", "a file of events must be a mapping", root.span),)
        return EventFile({}, (*complaints, *wrong))
    whole = Reader(root)
    events: dict[str, Event] = {}
    found = list(complaints)
    for name in root.entries:
        reader = Reader(whole.mapping(name).node)
        event = _event(name, reader, file, root.keys[name])
        found += reader.complaints
        if not reader.complaints and not any(_inside(complaint, reader.span) for complaint in complaints):
            events[name] = event
    return EventFile(events, (*found, *whole.complaints))


def _inside(complaint: Diagnostic, span: Span) -> bool:
    return complaint.span is not None and span.start <= complaint.span.start < span.end


def _event(name: str, reader: Reader, file: Path, place: Span) -> Event:
    if not _EVENT_NAME.fullmatch(name):
        reader.complain("XT0308", f"{name!r} cannot be an event's name", place, "write subject.verb in lower case")
    reader.only(("summary", "description", "fields", "sources", "anywhere"))
    declared = reader.mapping("fields")
    fields = {key: _field(key, declared.mapping(key)) for key in declared.node.entries}
    if not fields:
        reader.complain("XT0306", "the event declares no fields", place)
    sources: list[SourceSpec] = []
    for item in reader.items("sources", required=True):
        if isinstance(item, MappingNode):
            sources.append(source_text.source(Reader(item, reader.complaints), fields))
        else:
            reader.complain("XT0305", "a source must be a mapping", item.span)
    if not sources and "sources" in reader.node.entries:
        reader.complain("XT0309", f"{name} has no source", place)
    return Event(
        name,
        summary=reader.text("summary", required=True),
        description=reader.text("description").strip(),
        fields=fields,
        sources=tuple(sources),
        anywhere=reader.flag("anywhere"),
        path=file,
        span=place,
    )


def _field(name: str, reader: Reader) -> EventField:
    reader.only(("type", "optional", "doc"))
    kind = reader.text("type", required=True)
    if kind and kind not in FIELD_TYPES:
        hint = f"one of {', '.join(FIELD_TYPES)}"
        reader.complain("XT0305", f"{kind!r} is not a field type", reader.span_of("type"), hint)
    return EventField(name, FIELD_TYPES.get(kind, Int()), reader.text("doc"), reader.flag("optional"))
