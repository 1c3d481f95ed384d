"""From event ids to what happens: which values a record gives, and which clauses and bookkeeping it feeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Optional

from xtrace.backends.ftrace import stacks
from xtrace.backends.ftrace.decode import TID, layout_of
from xtrace.backends.ftrace.fetch import field_member
from xtrace.backends.ftrace.identity import Identity
from xtrace.backends.ftrace.instance import Instance
from xtrace.backends.ftrace.model import Column, Event, FtraceModel, Source
from xtrace.backends.ftrace.model import Handler as ModelHandler
from xtrace.backends.ftrace.reader import StacksMaker
from xtrace.backends.ftrace.ring_buffer import Extractor, Row
from xtrace.backends.ftrace.slots import LateStrings, slots_of
from xtrace.core import ir
from xtrace.core.evaluate.evaluator import Handler
from xtrace.core.facts.event_format import parse_event_format
from xtrace.core.types import Int, Member

Fire = Callable[[int, int, Row], None]
"""Handles one record: boot clock, CPU, row."""
Test = Callable[[Row], bool]

_FLAGS = Member("common_flags", Int(1, False), 2, 1)
_HOLDERS = (Source.FIELD, Source.LATE_STRING)


@dataclass
class Dispatch:
    """`fires` and `extractors` by event id."""

    extractors: dict[int, Extractor] = field(default_factory=dict)
    fires: dict[int, Fire] = field(default_factory=dict)
    stacks: Optional[StacksMaker] = None


@dataclass
class _Kind:
    """One kernel event id while its consumers are gathered."""

    members: dict[str, Member] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    identity: str = ""
    waits: bool = False


def dispatch(
    model: FtraceModel, instance: Instance, identity: Identity, handlers: Sequence[Handler], late: LateStrings
) -> Dispatch:
    """Wire up all events of the model that the kernel accepted. Reads their formats."""
    kinds: dict[int, _Kind] = {}
    for number, event in enumerate(model.events):
        if number not in instance.outcome.missing:
            _want_event(kinds, event, instance)
    for name in model.recording.identity:
        _want_identity(kinds, name, instance)
    stacked = bool(model.recording.kernel_stacks) or model.recording.user_stacks
    flags: dict[int, int] = {}
    made = Dispatch()
    test = _scope_test(model.program.scope, identity)
    for number, kind in kinds.items():
        if stacked:
            kind.members["common_flags"] = _FLAGS
        layout = layout_of(tuple(kind.members.values()))
        places = dict(zip(kind.members, layout.columns))
        flags[number] = places.get("common_flags", 0)
        made.extractors[number] = layout.extractor
        made.fires[number] = _fire(kind, places, identity, handlers, late, test)
    for number, (fed, _, columns) in enumerate(model.profiles):
        made.fires[profile_kind(number)] = _profile_fire(fed, columns, identity, handlers, late, test)
    if stacked:
        _add_stacks(made, kinds, flags, model, instance)
    return made


def profile_kind(number: int) -> int:
    """What stands for an event id in samples of profile probe `number`."""
    return -1 - number


def _profile_fire(
    fed: Sequence[ModelHandler],
    columns: Sequence[Column],
    identity: Identity,
    handlers: Sequence[Handler],
    late: LateStrings,
    test: Optional[Test],
) -> Fire:
    fires = []
    for handler in fed:
        slots = slots_of([columns[i] for i in handler.columns], {}, identity, late)
        fires.append(_clause_fire(handlers[handler.clause], slots))
    inner = _in_turn(fires)
    inner = _tested(inner, test) if test is not None else inner

    def fire(nsecs: int, cpu: int, row: Row) -> None:
        identity.seen(row[TID], row[TID + 1])
        inner(nsecs, cpu, row)

    return fire


def _want_event(kinds: dict[int, _Kind], event: Event, instance: Instance) -> None:
    system = instance.name if event.own else event.system
    number, members = read_format(instance, system, event.name, parse=event.own)
    kind = kinds.setdefault(number, _Kind())
    kind.events.append(event)
    for column in event.columns:
        for name, member in _members_of(column, members):
            kind.members[name] = member
        if column.source in (Source.KERNEL_STACK, Source.USER_STACK):
            kind.waits = True


def _members_of(column: Column, members: dict[str, Member]) -> list[tuple[str, Member]]:
    if column.source not in _HOLDERS:
        return []
    if column.member is not None:
        return [(column.field, column.member)]
    guards = [(name, field_member(members, name, name, Int(8, False))) for name in column.guards]
    return [(column.field, field_member(members, column.field, column.last, column.type)), *guards]


def _want_identity(kinds: dict[int, _Kind], name: str, instance: Instance) -> None:
    system, _, event = name.partition(":")
    try:
        number, members = read_format(instance, system, event, parse=True)
    except OSError:
        return
    kind = kinds.setdefault(number, _Kind())
    kind.identity = event
    for wanted in _IDENTITY_FIELDS[event]:
        kind.members.setdefault(wanted, members[wanted])


_IDENTITY_FIELDS = {
    "task_newtask": ("pid", "comm", "clone_flags"),
    "task_rename": ("pid", "newcomm"),
    "sched_process_exit": (),
}


def read_format(instance: Instance, system: str, event: str, parse: bool) -> tuple[int, dict[str, Member]]:
    """The id of an event and, where `parse`, its fields by name. Raises OSError."""
    directory = f"{instance.path}/events/{system}/{event}"
    if not parse:
        return int(instance.tracefs.read(f"{directory}/id")), {}
    made = parse_event_format(instance.tracefs.read(f"{directory}/format"), system)
    return made.id, {member.name: member for member in made.fields}


# --- firing ------------------------------------------------------------------------------------------------------


def _fire(
    kind: _Kind,
    places: dict[str, int],
    identity: Identity,
    handlers: Sequence[Handler],
    late: LateStrings,
    test: Optional[Test],
) -> Fire:
    clauses: list[tuple[int, Fire]] = []
    for event in kind.events:
        for handler in event.handlers:
            slots = slots_of([event.columns[i] for i in handler.columns], places, identity, late)
            clauses.append((handler.clause, _clause_fire(handlers[handler.clause], slots)))
    clauses.sort(key=lambda pair: pair[0])
    fire = _in_turn([one for _, one in clauses])
    if test is not None:
        fire = _tested(fire, test)
    if kind.identity:
        fire = _with_identity(fire, kind.identity, places, identity)
    return fire


def _clause_fire(handler: Handler, slots: Callable[[Row, int], Sequence[object]]) -> Fire:
    def fire(nsecs: int, cpu: int, row: Row) -> None:
        handler(slots(row, cpu), nsecs, cpu)  # type: ignore[arg-type]

    return fire


def _in_turn(fires: list[Fire]) -> Fire:
    if len(fires) == 1:
        return fires[0]

    def fire(nsecs: int, cpu: int, row: Row) -> None:
        for one in fires:
            one(nsecs, cpu, row)

    return fire


def _tested(inner: Fire, test: Test) -> Fire:
    def fire(nsecs: int, cpu: int, row: Row) -> None:
        if test(row):
            inner(nsecs, cpu, row)

    return fire


def _scope_test(scope: ir.Scope, identity: Identity) -> Optional[Test]:
    """What a row must meet to count; None where all do. The kernel's own limits only make the stream shorter."""
    tests: list[Test] = []
    if scope.pid is not None:
        inside = identity.inside
        tests.append(lambda row: row[TID] in inside)
    if scope.uid is not None:
        wanted = scope.uid
        tests.append(lambda row: identity.uid(row[TID]) == wanted)
    if scope.cgroup is not None:
        tests.append(_cgroup_test(scope.cgroup, identity))
    if not tests:
        return None
    return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)


def _cgroup_test(path: str, identity: Identity) -> Test:
    wanted = "/" + path.removeprefix("/sys/fs/cgroup").removeprefix("/unified").strip("/")
    below = wanted.rstrip("/") + "/"

    def test(row: Row) -> bool:
        found = identity.cgroup(row[TID])[0]
        return found == wanted or found.startswith(below)

    return test


def _with_identity(inner: Fire, event: str, places: dict[str, int], identity: Identity) -> Fire:
    if event == "task_newtask":
        pid, comm, flags = (places[name] for name in _IDENTITY_FIELDS[event])

        def forked(nsecs: int, cpu: int, row: Row) -> None:
            identity.forked(row[TID], row[pid], row[comm], row[flags])
            inner(nsecs, cpu, row)

        return forked
    if event == "task_rename":
        pid, comm = (places[name] for name in _IDENTITY_FIELDS[event])

        def renamed(nsecs: int, cpu: int, row: Row) -> None:
            inner(nsecs, cpu, row)
            identity.renamed(row[pid], row[comm])

        return renamed

    def exited(nsecs: int, cpu: int, row: Row) -> None:
        inner(nsecs, cpu, row)
        identity.exited(row[TID])

    return exited


# --- stacks ------------------------------------------------------------------------------------------------------


def _add_stacks(
    made: Dispatch, kinds: dict[int, _Kind], flags: dict[int, int], model: FtraceModel, instance: Instance
) -> None:
    kernel, members = _stack_format(instance, "kernel_stack")
    made.extractors[kernel] = stacks.kernel_stack_extractor(members["size"], members["caller"])
    user, members = _stack_format(instance, "user_stack")
    made.extractors[user] = stacks.user_stack_extractor(members["tgid"], members["caller"])
    waiting = frozenset(number for number, kind in kinds.items() if kind.waits)
    both = bool(model.recording.kernel_stacks) and model.recording.user_stacks
    made.stacks = StacksMaker(kernel, user, waiting, flags, both)


def _stack_format(instance: Instance, event: str) -> tuple[int, dict[str, Member]]:
    """The kernel's own stack records; their formats are at the top only, instances share them."""
    made = parse_event_format(instance.tracefs.read(f"events/ftrace/{event}/format"), "ftrace")
    return made.id, {member.name: member for member in made.fields}
