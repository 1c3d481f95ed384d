"""From the typed program to the steps on tracefs and the reading of records. Pure: the host is asked by facts only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Optional

from xtrace.backends.ftrace import tokens
from xtrace.backends.ftrace.features import Features
from xtrace.backends.ftrace.filters import Filter, either, kernel_filter
from xtrace.backends.ftrace.model import (
    Action,
    Column,
    Event,
    Follow,
    FtraceModel,
    Handler,
    HistMap,
    Kept,
    KeyKind,
    Name,
    Recording,
    Refusal,
    Source,
    Step,
    Text,
)
from xtrace.backends.ftrace.placement import Files, Placed, definition, place_all
from xtrace.core import ir
from xtrace.core.attach import Profile, Tracepoint
from xtrace.core.plan.capture import Capture, capture, separate
from xtrace.core.plan.hoist import hoist
from xtrace.core.plan.traverse import all_expressions

INSTANCE: Text = ("instances/", Name.SESSION)
FORKS = ("task:task_newtask", "task:task_rename")
"""Events that tell each thread's process and name: Linux 43d2b113241d, v3.4."""
EXITS = ("sched:sched_process_exit",)
EXECS = "sched:sched_process_exec"

_OF_THREADS = frozenset(
    (Source.PID, Source.PPID, Source.UID, Source.GID, Source.CGROUP, Source.COMM, Source.SYSCALL_ABI)
)
"""What threads have from those that made them."""
_RARE = ("sched:sched_process_", "task:", "signal:", "oom:", "module:", "syscalls:sys_enter_exec")
RARE_BUFFER_KB = 512
_LATE_SEMAPHORES = (
    "this kernel does not switch on USDT probes that test a semaphore: xtrace does so in the memory of each process, "
    "some milliseconds late in one that starts meanwhile"
)
MAX_SYSCALL_STRING = 165
"""Bytes of a syscall's string that the kernel records at most; it begins with 63 (SYSCALL_FAULT_USER_MAX of
kernel/trace/trace_syscalls.c, v6.19)."""


def prepared(program: ir.Program) -> ir.Program:
    """The program as ftrace lowers it: user space's clauses apart, strings read where their pointers are saved."""
    return hoist(separate(program)).program


def lower(program: ir.Program, features: Features, count_in_kernel: bool = True) -> FtraceModel:
    """The model of a program that met no objection (`xtrace.backends.ftrace.objections`). Maps that hist triggers can
    keep are kept by them, unless not `count_in_kernel`. Raises QuotingError for names that tracefs cannot hold."""
    made = _lowered(program, features, count_in_kernel)
    if not made.offers_kernel or not any(isinstance(one, ir.MapValue) for one in _expressions(program)):
        return made
    instead = _lowered(replace(program, config=replace(program.config, aggregate="kernel")), features, True)
    if not instead.timings or any(event.handlers for event in instead.events) or _blurs(instead.hists):
        return made
    note = "with more events than user space can take the kernel takes the times: " + "; ".join(instead.coarser)
    return replace(made, under_load=instead, notes=(*made.notes, note))


def _expressions(program: ir.Program) -> Iterator[ir.Expr]:
    return (expr for clause in program.clauses for expr in all_expressions(clause))


def _blurs(hists: tuple[HistMap, ...]) -> bool:
    """Do tables hold keys that may be another than the event's own?"""
    return any(key.kind in (KeyKind.NAME, KeyKind.STACK) for one in hists for key in one.keys)


def _lowered(program: ir.Program, features: Features, count_in_kernel: bool) -> FtraceModel:
    program = prepared(program)
    captures = [capture(clause) for clause in program.clauses]
    placed, kept = _placed_and_kept(program, captures, features, count_in_kernel)
    recorded = [place for place in placed if not isinstance(place.attach, Profile)]
    hists = kept.tables
    for place in placed:
        place.clauses = [pair for pair in place.clauses if pair[0] not in kept.clauses]
    asked = program.config.aggregate == "kernel"
    files = Files()
    recording = _recording(program, [place for place in placed if place.clauses], hists, features)
    filters = [
        None if _tracepoint_name(place) in recording.identity else _filter(place, captures, features)
        for place in recorded
    ]
    names = [_definition_steps(place, n, files, features) for n, place in enumerate(recorded)]
    events = tuple(_event(place, name, made) for place, (name, _), made in zip(recorded, names, filters))
    steps = [
        *_instance_steps(recording, _longest_syscall_string(recorded)),
        *(step for _, some in names for step in some),
    ]
    steps += _identity_steps(recording)
    for number, event in enumerate(events):
        steps += _event_steps(number, event, recording, _triggers(hists, number))
    if kept.timings:
        from xtrace.backends.ftrace.synthetic import with_timings

        events, steps = with_timings(kept, events, steps, recording.clock)
    return FtraceModel(
        program=replace(program, clauses=tuple(made.clause for made in captures)),
        steps=tuple(steps),
        events=events,
        files=files.files(),
        recording=recording,
        hists=hists,
        timings=kept.timings,
        coarser=kept.coarser,
        offers_kernel=kept.offered and not asked,
        profiles=tuple(_profile(place) for place in placed if isinstance(place.attach, Profile)),
        notes=() if asked else kept.reasons,
        degradations=(
            *(kept.reasons if asked else ()),
            *kept.coarser,
            *([_LATE_SEMAPHORES] if files.semaphores else []),
        ),
    )


def _placed_and_kept(
    program: ir.Program, captures: list[Capture], features: Features, count_in_kernel: bool
) -> tuple[list[Placed], Kept]:
    """The events of a program, and what the kernel keeps of its maps. Where only the task's name is wanting, event
    probes stand for tracepoints."""
    placed = place_all(captures, features)
    if not (program.maps and count_in_kernel):
        return placed, Kept()
    from xtrace.backends.ftrace.kernel_maps import kernel_maps

    probes = features.named_event_probes
    kept = kernel_maps(program, captures, placed, features, names=not probes)
    if not kept.unnamed or not probes:
        return placed, kept
    named = place_all(captures, features, kept.unnamed)
    better = kernel_maps(program, captures, named, features, names=True)
    return (named, better) if len(better.reasons) < len(kept.reasons) else (placed, kept)


def _triggers(hists: tuple[HistMap, ...], event: int) -> tuple[str, ...]:
    """The hist triggers of an event. Two maps that count the same share one: the kernel refuses a second of its
    kind."""
    if not hists:
        return ()
    from xtrace.backends.ftrace.hist import trigger

    return tuple(dict.fromkeys(trigger(one) for one in hists if one.event == event))


def _filter(place: Placed, captures: list[Capture], features: Features) -> Optional[Filter]:
    """The kernel filter of an event; the predicates tested are those before capture's slots replaced their leaves."""
    made = []
    for clause, _ in place.clauses:
        slots = captures[clause].leaves

        def operand(expr: ir.Expr, slots: tuple[ir.Expr, ...] = slots):  # type: ignore[no-untyped-def]
            return place.columns.operand(slots[expr.index]) if isinstance(expr, ir.Captured) else None

        made.append(kernel_filter(captures[clause].clause.predicate, operand, features.bit_tests))
    return either(made)


def _definition_steps(place: Placed, number: int, files: Files, features: Features) -> tuple[str, list[Step]]:
    if isinstance(place.attach, Tracepoint) and not place.event_probe:
        return tokens.name(place.attach.event), []
    made = definition(place, number, files, features)
    undo: Text = ("-:", Name.SESSION, f"/{made.name}\n")
    step = Step(Action.DEFINE, (made.file,), made.text, undo, Refusal.DROP_EVENT, number, f"define {place.attach.name}")
    return made.name, [step]


def _event(place: Placed, name: str, made: Optional[Filter]) -> Event:
    own = place.event_probe or not isinstance(place.attach, Tracepoint)
    system = "" if own or not isinstance(place.attach, Tracepoint) else tokens.system(place.attach.system)
    exact = made is not None and made.exact and len(place.clauses) == 1
    handlers = tuple(Handler(clause, columns, filtered=exact) for clause, columns in place.clauses)
    filter_text = made.text if made else ""
    return Event(system, name, own, tuple(place.columns.columns), handlers, place.attach.name, filter_text)


def _profile(place: Placed) -> tuple[tuple[Handler, ...], Profile, tuple[Column, ...]]:
    assert isinstance(place.attach, Profile)
    handlers = tuple(Handler(clause, columns) for clause, columns in place.clauses)
    return handlers, place.attach, tuple(place.columns.columns)


# --- the instance ------------------------------------------------------------------------------------------------


def _recording(program: ir.Program, placed: list[Placed], hists: tuple[HistMap, ...], features: Features) -> Recording:
    sources = {column.source for place in placed for column in place.columns.columns}
    if any(key.kind is KeyKind.PROCESS for one in hists for key in one.keys):
        sources.add(Source.PID)
    follow = _follow(program, features)
    needed: list[str] = []
    if sources & _OF_THREADS or _scoped(program):
        needed.append(FORKS[0])
    if Source.COMM in sources:
        needed.append(FORKS[1])
    if follow is Follow.USER:
        needed += EXITS
    if Source.SYSCALL_ABI in sources:
        needed.append(EXECS)
    identity = tuple(name for name in needed if features.exists(*name.split(":")))
    names = [_tracepoint_name(place) for place in placed]
    rare = all(name.startswith(_RARE) for name in names)
    return Recording(
        clock=features.clock,
        buffer_kb=program.config.buffer_kb or (RARE_BUFFER_KB if rare else 0),
        follow=follow,
        fork_option=follow is Follow.KERNEL and features.event_fork,
        kernel_stacks=_stacks(placed, Source.KERNEL_STACK, features),
        user_stacks=any(_has(place, Source.USER_STACK) for place in placed),
        identity=identity,
    )


def _scoped(program: ir.Program) -> bool:
    scope = program.scope
    return scope.pid is not None or scope.uid is not None or scope.cgroup is not None


def _follow(program: ir.Program, features: Features) -> Follow:
    """The kernel's limit is the instance's, so it would also hide what clauses without a scope must see."""
    if program.scope.pid is None:
        return Follow.EVERYBODY
    by_kernel = features.event_fork and all(clause.scoped for clause in program.clauses)
    return Follow.KERNEL if by_kernel else Follow.USER


def _tracepoint_name(place: Placed) -> str:
    return f"{place.attach.system}:{place.attach.event}" if isinstance(place.attach, Tracepoint) else ""


def _has(place: Placed, source: Source) -> bool:
    return any(column.source is source for column in place.columns.columns)


def _stacks(placed: list[Placed], source: Source, features: Features) -> str:
    """How kernel stacks are recorded: "" not at all, `trigger` for single events, `option` for all."""
    if not any(_has(place, source) for place in placed if not isinstance(place.attach, Profile)):
        return ""
    return "trigger" if features.stack_triggers else "option"


def _longest_syscall_string(placed: list[Placed]) -> int:
    """The size in bytes that the strings of syscall events should have; 0 where none is recorded."""
    return max(
        (column.size for place in placed for column in place.columns.columns if column.source is Source.FIELD),
        default=0,
    )


def _instance_steps(recording: Recording, string_size: int) -> list[Step]:
    steps = [
        Step(Action.MAKE, INSTANCE, purpose="make a private trace buffer"),
        _setting("trace_clock", recording.clock, "set the clock"),
        _setting("buffer_size_kb", Name.BUFFER_KB, "size the buffer", Refusal.IGNORE),
    ]
    if string_size:
        size = str(min(string_size, MAX_SYSCALL_STRING))
        steps.append(_setting("syscall_user_buf_size", size, "record long strings", Refusal.IGNORE))
    if recording.kernel_stacks == "option":
        steps.append(_setting("options/stacktrace", "1", "record kernel stacks"))
    if recording.user_stacks:
        steps.append(_setting("options/userstacktrace", "1", "record user stacks"))
    if recording.fork_option:
        steps.append(_setting("options/event-fork", "1", "follow children"))
    if recording.follow is Follow.KERNEL:
        steps.append(_setting("set_event_pid", Name.THREADS, "limit events to the process"))
    return steps


def _setting(file: str, value: str | Name, purpose: str, refusal: Refusal = Refusal.STOP) -> Step:
    return Step(Action.WRITE, (*INSTANCE, f"/{file}"), (value,), on_refusal=refusal, purpose=purpose)


def _identity_steps(recording: Recording) -> list[Step]:
    settings = (
        _setting(f"events/{name.replace(':', '/')}/enable", "1", f"learn who is who from {name}", Refusal.IGNORE)
        for name in recording.identity
    )
    return [replace(setting, tells_who=True) for setting in settings]


def _event_steps(number: int, event: Event, recording: Recording, triggers: Iterable[str]) -> list[Step]:
    directory: Text = (*INSTANCE, "/", *event.directory, "/")
    steps = [
        Step(Action.ADD, (*directory, "trigger"), (text,), (), Refusal.STOP, number, f"count {event.probe}")
        for text in triggers
    ]
    if not event.handlers:
        return steps
    if event.filter:
        steps.append(
            Step(Action.WRITE, (*directory, "filter"), (event.filter,), (), Refusal.UNFILTERED, number, "filter")
        )
    if recording.kernel_stacks == "trigger" and any(c.source is Source.KERNEL_STACK for c in event.columns):
        condition = f" if {event.filter}" if event.filter else ""
        data = (f"stacktrace{condition}",)
        steps.append(Step(Action.ADD, (*directory, "trigger"), data, (), Refusal.STOP, number, "record stacks"))
    purpose = f"enable {event.probe}"
    steps.append(Step(Action.WRITE, (*directory, "enable"), ("1",), (), Refusal.DROP_EVENT, number, purpose))
    return steps
