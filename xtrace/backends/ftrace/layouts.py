"""Which events the instance records, by id: how their records are read and where each value stands in a row."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Optional

from xtrace.backends.ftrace import stacks
from xtrace.backends.ftrace.decode import TextCache, layout_of
from xtrace.backends.ftrace.fetch import field_member
from xtrace.backends.ftrace.instance import Instance
from xtrace.backends.ftrace.model import Column, Event, FtraceModel, Source
from xtrace.backends.ftrace.reader import StacksMaker
from xtrace.backends.ftrace.ring_buffer import Extractor
from xtrace.backends.ftrace.slots import plain_place
from xtrace.core.facts.event_format import parse_event_format
from xtrace.core.records import dataclass
from xtrace.core.types import Int, Member, String

_PATH_MAX = 4096
"""include/uapi/linux/limits.h"""
_FLAGS = Member("common_flags", Int(1, False), 2, 1)
_HOLDERS = (Source.FIELD, Source.LATE_STRING)

IDENTITY_FIELDS = {
    "task_newtask": ("pid", "comm", "clone_flags"),
    "task_rename": ("pid", "newcomm"),
    "sched_process_exec": ("filename",),
    "sched_process_exit": (),
}
"""What is read of the events that tell who is who."""


@dataclass
class Kind:
    """One kernel event id. `events` of the model come from it; `identity` is the event's name where the session
    itself reads it; `waits`: its records need stacks."""

    members: dict[str, Member] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    identity: str = ""
    waits: bool = False
    places: dict[str, int] = field(default_factory=dict)


@dataclass
class Layouts:
    kinds: dict[int, Kind]
    extractors: dict[int, Extractor]
    stacks: Optional[StacksMaker] = None
    texts: list[TextCache] = field(default_factory=list)
    """What reads the strings of events that xtrace itself defined."""

    @property
    def faults(self) -> int:
        """Strings whose memory was not there when the event happened."""
        return sum(text.faults for text in self.texts)


def layouts(model: FtraceModel, instance: Instance) -> Layouts:
    """All events of the model that the kernel accepted. Reads their formats; raises OSError."""
    kinds: dict[int, Kind] = {}
    for number, event in enumerate(model.events):
        if event.handlers and number not in instance.outcome.missing:
            _want_event(kinds, event, instance)
    for name in model.recording.identity:
        _want_identity(kinds, name, instance)
    stacked = bool(model.recording.kernel_stacks) or model.recording.user_stacks
    made = Layouts(kinds, {})
    for number, kind in kinds.items():
        if stacked:
            kind.members["common_flags"] = _FLAGS
        layout = layout_of(tuple(kind.members.values()))
        kind.places = dict(zip(kind.members, layout.columns))
        made.extractors[number] = layout.extractor
        if any(event.own for event in kind.events):
            made.texts += layout.texts
    if stacked:
        _add_stacks(made, model, instance)
    return made


def row_places(model: FtraceModel, made: Layouts) -> dict[int, tuple[int, ...]]:
    """For each clause whose slots are plain values of the rows of a single event: where a row holds each slot. Such a
    clause can be given the row itself."""
    found: dict[int, list[Optional[tuple[int, ...]]]] = {}
    for kind in made.kinds.values():
        for event in kind.events:
            for handler in event.handlers:
                places = [plain_place(event.columns[column], kind.places) for column in handler.columns]
                plain = tuple(place for place in places if place is not None)
                found.setdefault(handler.clause, []).append(plain if len(plain) == len(places) else None)
    for fed, _, _ in model.profiles:
        for handler in fed:
            found.setdefault(handler.clause, []).append(None)
    return {clause: places[0] for clause, places in found.items() if len(places) == 1 and places[0] is not None}


def _want_event(kinds: dict[int, Kind], event: Event, instance: Instance) -> None:
    system = instance.name if event.own else event.system
    number, members = read_format(instance, system, event.name, parse=event.own)
    kind = kinds.setdefault(number, Kind())
    kind.events.append(event)
    for column in event.columns:
        for name, member in _members_of(column, members):
            kind.members[name] = member
        if column.source in (Source.KERNEL_STACK, Source.USER_STACK):
            kind.waits = True


def _members_of(column: Column, members: dict[str, Member]) -> list[tuple[str, Member]]:
    if column.source not in _HOLDERS and not column.field:
        return []
    if column.member is not None:
        return [(column.field, column.member)]
    guards = [(name, field_member(members, name, name, Int(8, False))) for name in column.guards]
    kind = column.type if column.source in _HOLDERS else Int(8, False)
    return [(column.field, field_member(members, column.field, column.last, kind)), *guards]


def _want_identity(kinds: dict[int, Kind], name: str, instance: Instance) -> None:
    system, _, event = name.partition(":")
    try:
        number, members = read_format(instance, system, event, parse=True)
    except OSError:
        return
    kind = kinds.setdefault(number, Kind())
    kind.identity = event
    for wanted in IDENTITY_FIELDS[event]:
        member = members[wanted]
        whole = member if member.location == "inline" else replace(member, type=String(_PATH_MAX))
        kind.members.setdefault(wanted, whole)


def read_format(instance: Instance, system: str, event: str, parse: bool) -> tuple[int, dict[str, Member]]:
    """The id of an event and, where `parse`, its fields by name. Raises OSError."""
    directory = f"{instance.path}/events/{system}/{event}"
    if not parse:
        return int(instance.tracefs.read(f"{directory}/id")), {}
    made = parse_event_format(instance.tracefs.read(f"{directory}/format"), system)
    return made.id, {member.name: member for member in made.fields}


# --- stacks ------------------------------------------------------------------------------------------------------


def _add_stacks(made: Layouts, model: FtraceModel, instance: Instance) -> None:
    kernel, members = _stack_format(instance, "kernel_stack")
    made.extractors[kernel] = stacks.kernel_stack_extractor(members["size"], members["caller"])
    user, members = _stack_format(instance, "user_stack")
    made.extractors[user] = stacks.user_stack_extractor(members["tgid"], members["caller"])
    waiting = frozenset(number for number, kind in made.kinds.items() if kind.waits)
    flags = {number: kind.places["common_flags"] for number, kind in made.kinds.items()}
    both = bool(model.recording.kernel_stacks) and model.recording.user_stacks
    made.stacks = StacksMaker(kernel, user, waiting, flags, both)


def _stack_format(instance: Instance, event: str) -> tuple[int, dict[str, Member]]:
    """The kernel's own stack records; their formats are at the top only, instances share them."""
    made = parse_event_format(instance.tracefs.read(f"events/ftrace/{event}/format"), "ftrace")
    return made.id, {member.name: member for member in made.fields}
