"""Named events in a program: the source that serves here, and the clauses it becomes.

A simple source types the user's clause at its attach points, its fields known by name (`EventSource`). A pair becomes
two clauses: the entry saves what the user's clause needs under the key, the exit takes it out again and runs the
clause.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core.errors import Diagnostic, ProgramError
from xtrace.core.facts.model import HostFacts
from xtrace.core.lang import ast
from xtrace.core.lang.typing.host import EventSource
from xtrace.core.lang.typing.typer import Typer
from xtrace.core.lang.walk import nodes
from xtrace.core.plan.model import Choice, Degradation
from xtrace.core.probes.events import Event, SourceSpec
from xtrace.core.resolve.late import read_late
from xtrace.core.resolve.points import Located, locate

Objections = Callable[[ir.Clause], "tuple[Diagnostic, ...]"]


@dataclass(frozen=True)
class Served:
    """What became of one use of a named event."""

    clauses: tuple[ir.Clause, ...] = ()
    choice: Choice | None = None
    degradations: tuple[Degradation, ...] = ()
    notes: tuple[str, ...] = ()
    complaints: tuple[Diagnostic, ...] = ()
    late: bool = False


class PassedOverError(Exception):
    """A source cannot serve; the reason in words."""


@dataclass(frozen=True)
class Attempt:
    """One source tried for one clause; `number` makes its hidden names unique in the program."""

    event: Event
    spec: SourceSpec
    clause: ast.Clause
    facts: HostFacts
    typer: Typer
    objections: Objections
    number: int

    @property
    def used(self) -> tuple[str, ...]:
        """The event's fields that the clause uses."""
        names = {node.name for node in nodes((self.clause.predicate, self.clause.body)) if isinstance(node, ast.Name)}
        return tuple(name for name in self.event.fields if name in names)


def serve(
    event: Event, clause: ast.Clause, facts: HostFacts, typer: Typer, objections: Objections, number: int
) -> Served:
    """Try the event's sources in order; the first that serves is typed into the program."""
    passed: list[tuple[str, str]] = []
    for spec in event.sources:
        attempt = Attempt(event, spec, clause, facts, typer, objections, number)
        try:
            return _accepted(attempt, tuple(passed))
        except PassedOverError as reason:
            passed.append((spec.title, str(reason)))
    choice = Choice(event.name, "", tuple(passed))
    hints = tuple(f"{title}: {reason}" for title, reason in passed)
    complaint = Diagnostic("XT0520", f"no source of {event.name} serves here", clause.points[0].span, hints)
    return Served(choice=choice, complaints=(complaint,))


def _accepted(attempt: Attempt, passed: tuple[tuple[str, str], ...]) -> Served:
    """The clauses of a source that serves. Raises PassedOverError."""
    spec, lacking = attempt.spec, _lacking(attempt)
    points, notes = _located(attempt)
    typed, lost = _typed(attempt, points, lacking)
    degradations = tuple(
        Degradation(f"{attempt.event.name} has no {name} here: {why}", attempt.clause.span)
        for name, why in lost.items()
    )
    choice = Choice(attempt.event.name, spec.title, passed, spec.approximate)
    return Served(typed, choice, degradations, notes, late=spec.late)


def _lacking(attempt: Attempt) -> dict[str, str]:
    """Optional fields that are used and that the source does not give."""
    reason = f"{attempt.spec.title} does not give it"
    return {name: reason for name in attempt.used if name not in attempt.spec.fields}


Pair = tuple[at.Attach, "at.Attach | None"]


def _located(attempt: Attempt) -> tuple[tuple[Pair, ...], tuple[str, ...]]:
    """The source's attach points on this host; points of a union that are not here are named, not missed."""
    spec = attempt.spec
    found: list[Pair] = []
    notes: list[str] = []
    missing: list[tuple[str, Located]] = []
    for position, point in enumerate(spec.attach):
        entry = locate(point, attempt.facts)
        leaving = locate(spec.leave[position], attempt.facts) if spec.leave else Located()
        bad = next((one for one in (entry, leaving) if one.complaints), None)
        if bad:
            missing.append((point.span.text, bad))
            continue
        notes += [*entry.notes, *leaving.notes]
        found += [(first, leaving.points[index] if spec.leave else None) for index, first in enumerate(entry.points)]
    if not found:
        _, located = missing[0]
        raise PassedOverError(_why(located))
    notes += [f"{attempt.event.name}: {name} is not on this host" for name, _ in missing]
    return tuple(found), tuple(notes)


def _why(located: Located) -> str:
    first = located.complaints[0]
    # Without tracefs nothing else matters, so its remedy must not be lost.
    words = f"{first.message}; {first.hints[0]}" if first.code == "XT0504" and first.hints else first.message
    return f"{located.state}: {words}" if located.state else words


def _typed(
    attempt: Attempt, pairs: tuple[Pair, ...], lacking: dict[str, str]
) -> tuple[tuple[ir.Clause, ...], dict[str, str]]:
    """Type the clause for every point. An optional field that cannot be had is given up, and said."""
    lost = dict(lacking)
    optional = [name for name in attempt.used if attempt.event.fields[name].optional and name not in lost]
    while True:
        try:
            with attempt.typer.trial() as trial:
                clauses = tuple(clause for pair in pairs for clause in _at(attempt, pair, lost))
                trial.keep()
            return clauses, lost
        except PassedOverError as reason:
            if not optional:
                raise
            lost[optional.pop()] = str(reason)


def _at(attempt: Attempt, pair: Pair, lost: Mapping[str, str]) -> tuple[ir.Clause, ...]:
    """The typed and judged clauses at one point, or at one pair of points."""
    entry, leaving = pair
    made = _simple(attempt, entry, lost) if leaving is None else _paired(attempt, entry, leaving, lost)
    return tuple(_judged(attempt, *one) for one in made)


Untyped = tuple[ast.Clause, at.Attach, EventSource]


def _judged(attempt: Attempt, clause: ast.Clause, where: at.Attach, source: EventSource) -> ir.Clause:
    spec = attempt.spec
    try:
        if spec.when is not None and not attempt.typer.constant(spec.when, (where,), source):
            raise PassedOverError(f"not {spec.when.span.text}")
        typed = attempt.typer.type_clause(clause, (where,), source)
    except ProgramError as error:
        raise PassedOverError("; ".join(d.message for d in error.diagnostics)) from None
    if spec.late:
        typed = read_late(typed)
    objections = attempt.objections(typed)
    if objections:
        raise PassedOverError("; ".join(dict.fromkeys(d.message for d in objections)))
    return typed


def _simple(attempt: Attempt, where: at.Attach, lost: Mapping[str, str]) -> tuple[Untyped, ...]:
    spec = attempt.spec
    source = EventSource(attempt.event.name, _fields(attempt, spec.fields, lost), spec.let, spec.where)
    return ((attempt.clause, where, source),)


def _fields(attempt: Attempt, given: Mapping[str, ast.Expr], lost: Mapping[str, str]) -> dict[str, ast.Expr | None]:
    return {name: None if name in lost else given.get(name) for name in attempt.event.fields}


# --- pairs -----------------------------------------------------------------------------------------------------------


def _paired(attempt: Attempt, entry: at.Attach, leaving: at.Attach, lost: Mapping[str, str]) -> tuple[Untyped, ...]:
    """Entry: `@saved[key] = value` for each name in use. Exit: take them out, delete them, run the clause."""
    spec, clause = attempt.spec, attempt.clause
    span = clause.span
    wanted = [name for name in spec.save if name in _needed(attempt, lost)]
    maps = {name: ast.MapRef(f"__{attempt.number}_{name}", (spec.key,), span) for name in wanted}
    marker = ast.MapRef(f"__{attempt.number}_entered", (spec.key,), span)
    taken = {f"__{attempt.number}_{name}": spec.save[name] for name in wanted}
    stores: list[ast.Stmt] = [ast.Assign(maps[n], "", ast.Name(f"__{attempt.number}_{n}", span), span) for n in wanted]
    stores.append(ast.Assign(marker, "", ast.Number(1, span), span))
    before = EventSource(attempt.event.name, taken, spec.let, spec.where)
    kept = {name: ast.Scalar(f"__{attempt.number}_{name}", span) for name in wanted}
    takes: list[ast.Stmt] = [ast.Assign(kept[name], "", maps[name], span) for name in wanted]
    drops: list[ast.Stmt] = [ast.Do(ast.Call("delete", (one,), span), span) for one in (*maps.values(), marker)]
    body: tuple[ast.Stmt, ...] = clause.body
    if clause.predicate is not None:
        body = (ast.If(clause.predicate, clause.body, (), span),)
    entering = ast.Clause(clause.points, None, tuple(stores), span)
    exiting = ast.Clause(clause.points, marker, (*takes, *drops, *body), span)
    after = EventSource(attempt.event.name, _fields(attempt, spec.fields, lost), kept)
    return (entering, entry, before), (exiting, leaving, after)


def _needed(attempt: Attempt, lost: Mapping[str, str]) -> set[str]:
    """The saved names that the fields in use refer to."""
    fields = [attempt.spec.fields[name] for name in attempt.used if name not in lost]
    return {node.name for node in nodes(fields) if isinstance(node, ast.Name)}
