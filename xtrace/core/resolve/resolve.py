"""One program on one host for one engine: concrete attach points, typed clauses, or every reason why not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field, replace
from pathlib import Path

from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core.errors import Diagnostic
from xtrace.core.facts.cgroup_ids import cgroup_id
from xtrace.core.facts.model import HostFacts, near_names
from xtrace.core.lang import ast
from xtrace.core.lang.typing.host import Settings
from xtrace.core.lang.typing.typer import Typer
from xtrace.core.lang.walk import nodes
from xtrace.core.plan.model import Choice, Degradation, Request
from xtrace.core.probes.events import Event, all_events, find_event
from xtrace.core.records import dataclass
from xtrace.core.resolve import compat_calls
from xtrace.core.resolve.functions import FunctionState
from xtrace.core.resolve.kernel_points import GLOB
from xtrace.core.resolve.marks import Mark, marked
from xtrace.core.resolve.named import serve
from xtrace.core.resolve.points import by_layout, locate
from xtrace.core.resolve.transformed import Objections, also_of_variants
from xtrace.core.resolve.user_symbols import user_symbol

_NOT_HERE = frozenset(
    ("absent", "no binary", *(state.value for state in FunctionState if state is not FunctionState.UNPROBED))
)
"""What looking for a probe says of one that this host has not, unlike one that is written wrongly or is not known."""

BIG_ENDIAN = frozenset(("s390x", "s390", "ppc64", "ppc", "mips", "sparc64"))
"""Architectures, as `uname -m` names them, that keep the highest byte first."""


@dataclass(frozen=True)
class Resolved:
    """`program` is None where there are `problems`. `choices` tell which source serves each named event."""

    program: ir.Program | None
    problems: tuple[Diagnostic, ...] = ()
    choices: tuple[Choice, ...] = ()
    degradations: tuple[Degradation, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Work:
    """What has been found so far."""

    request: Request
    facts: HostFacts
    objections: Objections
    typer: Typer
    problems: list[Diagnostic] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    degradations: list[Degradation] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    uses: int = 0
    missing: list[Diagnostic] = field(default_factory=list)
    """Probes that are not here, where the program may do without them if there are others."""
    absent: list[Diagnostic] = field(default_factory=list)
    """Those of `problems` that are about probes which are not here."""
    attached: bool = False
    """Is there a probe of the host's, not only of xtrace's own?"""
    marks: list[Mark] = field(default_factory=list)
    """Of each clause typed so far."""


def resolve(request: Request, facts: HostFacts, objections: Objections) -> Resolved:
    """Resolve and type a program. `objections` is the engine's judgement of one typed clause.

    Raises ProgramError for what is wrong with the program itself.
    """
    settings = Settings(
        request.config,
        request.parameters,
        request.unsafe,
        request.cpid,
        little_endian=facts.arch not in BIG_ENDIAN,
        kernel_address=lambda name: facts.symbols.address(name),  # reading all symbols takes 50 ms
        cgroup_id=None if facts.recorded else cgroup_id,
        user_symbol=lambda attach, name, span: user_symbol(attach, name, facts, span),
        compat_calls=lambda: compat_calls.possible(facts),
    )
    objections = also_of_variants(objections)
    work = _Work(request, facts, objections, Typer(request.program, facts.types, settings))
    for clause in request.program.clauses:
        _clause(clause, work)
    _settle_missing(work)
    program = None
    if not work.problems:
        program = _marked(work.typer.program(request.scope), work.marks)
        work.problems += _once(d for clause in program.clauses for d in objections(clause))
        work.degradations += compat_calls.unseen(program.clauses, facts)
    return Resolved(
        None if work.problems else program,
        tuple(work.problems),
        tuple(work.choices),
        tuple(work.degradations),
        tuple(dict.fromkeys((*work.notes, *(d.message for d in work.typer.warnings)))),
    )


def _marked(program: ir.Program, marks: Sequence[Mark]) -> ir.Program:
    """Typing the whole program makes its clauses anew, so the marks are put on them again."""
    return replace(program, clauses=tuple(marked(clause, mark) for clause, mark in zip(program.clauses, marks)))


_ALLOWED = 'config = { missing_probes = "warn" } lets the other probes run'


def _settle_missing(work: _Work) -> None:
    """Probes that are not here and that the program can do without (`missing_probes`), unless nothing else is left."""
    if not work.attached:
        work.problems += work.missing
        return
    if work.typer.settings.config.missing_probes == "":
        work.problems = [replace(d, hints=(*d.hints, _ALLOWED)) if d in work.absent else d for d in work.problems]
    if work.typer.settings.config.missing_probes == "ignore":
        work.notes += [complaint.message for complaint in work.missing]
    else:
        work.degradations += [Degradation(complaint.message, complaint.span) for complaint in work.missing]


def _once(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    return list(dict.fromkeys(diagnostics))


def _clause(clause: ast.Clause, work: _Work) -> None:
    events = [point for point in clause.points if point.kind == "event"]
    plain = [point for point in clause.points if point.kind != "event"]
    if plain:
        _plain(clause, plain, work)
    for point in events:
        _event(replace(clause, points=(point,)), point.parts[0], work)


def _plain(clause: ast.Clause, points: Sequence[ast.AttachPoint], work: _Work) -> None:
    found: list[at.Attach] = []
    missing: list[Diagnostic] = []
    wrong: list[Diagnostic] = []
    unmatched: list[Diagnostic] = []
    for point in points:
        located = locate(point, work.facts)
        found += located.points
        work.notes += located.notes
        if located.state not in _NOT_HERE:
            wrong += located.complaints
        elif located.state == "absent" and any(GLOB.search(part) for part in point.parts):
            unmatched += located.complaints
        else:
            missing += located.complaints
    if found or missing:
        # As in bpftrace, a pattern beside other attach points may match nothing: `f, f.constprop.*`.
        work.degradations += [Degradation(complaint.message, complaint.span) for complaint in unmatched]
    else:
        missing = unmatched
    work.problems += wrong
    policy = work.typer.settings.config.missing_probes
    if policy == "error" or (policy == "" and not found):
        work.problems += missing
        work.absent += missing
    else:
        work.missing += missing
    work.attached |= any(not isinstance(point, at.USER_SPACE) for point in found)
    groups = _groups(clause, found)
    for group in groups:
        typed = work.typer.type_clause(clause, group)
        work.marks.append(Mark())
        work.problems += [d for d in work.objections(typed) if d not in work.problems]


def _groups(clause: ast.Clause, found: Sequence[at.Attach]) -> Sequence[tuple[at.Attach, ...]]:
    """Attach points for which the clause means the same; what uses something that differs is typed for each layout."""
    used = list(nodes((clause.predicate, clause.body)))
    if any(isinstance(node, ast.Call) and node.function == "uaddr" for node in used):
        return [(point,) for point in found]
    return by_layout(found) if _reads_record(used) else [tuple(found)] if found else []


def _reads_record(used: Iterable[object]) -> bool:
    names = {node.name for node in used if isinstance(node, ast.Name)}
    return bool(names & {"args", "ctx", "retval"}) or any(name.startswith("arg") for name in names)


def _event(clause: ast.Clause, name: str, work: _Work) -> None:
    paths = work.request.probe_paths
    event = find_event(name, paths)
    if event is None:
        work.problems.append(no_event(name, paths, clause.points[0]))
        return
    work.uses += 1
    served = serve(event, clause, work.facts, work.typer, work.objections, work.uses)
    work.marks += served.marks
    work.attached |= bool(served.clauses)
    work.problems += served.complaints
    said = {one.message for one in work.degradations}
    work.degradations += [
        one for one in (*served.degradations, *_missed(event, clause, work)) if one.message not in said
    ]
    work.notes += served.notes
    if served.choice:
        work.choices.append(served.choice)


def _missed(event: Event, clause: ast.Clause, work: _Work) -> tuple[Degradation, ...]:
    """What choosing processes loses of an event that does not happen in the process that it is about."""
    if not event.anywhere or work.request.scope == ir.Scope():
        return ()
    message = f"{event.name} happens in whatever process runs at the time: chosen by process, much of it is missed"
    return (Degradation(message, clause.span),)


def no_event(name: str, paths: Sequence[Path], point: ast.AttachPoint) -> Diagnostic:
    """The complaint about a named event that does not exist, or whose definition is wrong."""
    events, complaints = all_events(paths)
    near = near_names(name, [event.name for event in events])
    hint = f"did you mean {' or '.join(near)}?" if near else "xtrace list names the events"
    broken = tuple(d.text().splitlines()[0] for d in complaints)
    return Diagnostic("XT0512", f"there is no event {name}", point.span, (hint, *broken))
