"""Named events in a program: which source serves here, and the clauses that it becomes.

Fidelity comes before order: the first source that gives every field in use, and nothing but the event, is taken at
once; only where there is none are the others compared by what they lose.
"""

from __future__ import annotations

from collections.abc import Sequence

from xtrace.core import ir
from xtrace.core.errors import Diagnostic
from xtrace.core.facts.model import HostFacts
from xtrace.core.lang import ast
from xtrace.core.lang.typing.typer import Typer
from xtrace.core.plan.model import Choice, Degradation
from xtrace.core.probes.events import Event
from xtrace.core.records import dataclass
from xtrace.core.resolve.marks import Mark
from xtrace.core.resolve.source import Attempt, Offer, PassedOverError
from xtrace.core.resolve.transformed import Objections


@dataclass(frozen=True)
class Served:
    """What became of one use of a named event."""

    clauses: tuple[ir.Clause, ...] = ()
    choice: Choice | None = None
    degradations: tuple[Degradation, ...] = ()
    notes: tuple[str, ...] = ()
    complaints: tuple[Diagnostic, ...] = ()
    marks: tuple[Mark, ...] = ()


Passed = list[tuple[str, str]]


def serve(
    event: Event, clause: ast.Clause, facts: HostFacts, typer: Typer, objections: Objections, number: int
) -> Served:
    """Type the clause into the program by the source that serves best; `number` tells uses of events apart."""
    offers: list[tuple[int, Attempt, Offer]] = []
    passed: Passed = []
    for position, spec in enumerate(event.sources):
        attempt = Attempt(event, spec, clause, facts, typer, objections, number)
        try:
            offer = attempt.offer()
        except PassedOverError as reason:
            passed.append((spec.title, str(reason)))
            continue
        if offer.whole:
            return _served(attempt, offer, passed)
        offers.append((position, attempt, offer))
        passed.append((spec.title, _shortcoming(attempt, offer)))
    if not offers:
        return _refused(event, clause, passed)
    position, attempt, offer = min(offers, key=lambda one: (*one[2].loss, one[0]))
    return _served(attempt, attempt.take(offer), passed[:position])


def _shortcoming(attempt: Attempt, offer: Offer) -> str:
    """Why a source that would serve was passed over for a later one."""
    reasons = dict.fromkeys(offer.lost.values())
    words = [f"without {', '.join(n for n in offer.lost if offer.lost[n] == why)} ({why})" for why in reasons]
    if offer.approximate:
        words.append(f"approximately: {offer.approximate}")
    return f"serves only {', and only '.join(words)}"


def _served(attempt: Attempt, offer: Offer, passed: Sequence[tuple[str, str]]) -> Served:
    event, spec = attempt.event, attempt.spec
    degradations = tuple(
        Degradation(f"{event.name} has no {name} here: {reason}", attempt.clause.span)
        for name, reason in offer.lost.items()
    )
    choice = Choice(event.name, spec.title, tuple(passed), offer.approximate)
    return Served(offer.clauses, choice, degradations, offer.notes, marks=offer.marks)


def _refused(event: Event, clause: ast.Clause, passed: Passed) -> Served:
    titles: dict[str, list[str]] = {}
    for title, reason in passed:
        titles.setdefault(reason, []).append(title)
    hints = tuple(f"{', nor '.join(ones)}: {reason}" for reason, ones in titles.items())
    complaint = Diagnostic("XT0520", f"no source of {event.name} serves here", clause.points[0].span, hints)
    return Served(choice=Choice(event.name, "", tuple(passed)), complaints=(complaint,))
