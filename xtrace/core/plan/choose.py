"""Which plan runs: the user's wish, then feasibility, then fidelity, then cost. Pure, with reasons in words."""

from __future__ import annotations

from collections.abc import Sequence

from xtrace.core import ir
from xtrace.core.attach import USER_SPACE
from xtrace.core.plan.model import Plan, Refusal, Start, Verdict
from xtrace.core.records import dataclass


@dataclass(frozen=True)
class Ranked:
    """A plan with its place, and why it stands there."""

    plan: Plan
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Ranking:
    """All verdicts in the order in which they would be tried; refusals keep the order of registration."""

    ranked: tuple[Ranked, ...]
    refused: tuple[Refusal, ...]

    @property
    def plans(self) -> tuple[Plan, ...]:
        return tuple(entry.plan for entry in self.ranked)


def choose(verdicts: Sequence[Verdict], wish: str | None = None) -> Ranking:
    """Rank verdicts. With a wish only that backend's plan is ranked: a user who names one wants no other.

    Ties keep the order of registration.
    """
    considered = [verdict for verdict in verdicts if wish is None or verdict.backend == wish]
    plans = [verdict for verdict in considered if isinstance(verdict, Plan)]
    refused = tuple(verdict for verdict in considered if isinstance(verdict, Refusal))
    ordered = sorted(plans, key=lambda plan: (fidelity(plan), remoteness(plan), cost(plan)))
    return Ranking(tuple(Ranked(plan, _reasons(plan)) for plan in ordered), refused)


def fidelity(plan: Plan) -> int:
    """How much of what was asked is lost: each degradation that is not minor, and each approximate source."""
    return len(losses(plan, minor=False))


def losses(plan: Plan, minor: bool = True) -> tuple[str, ...]:
    """What is lost, in words for the user, with or without what is minor."""
    degradations = (one for one in plan.degradations if minor or not one.minor)
    approximate = (f"{choice.event}: {choice.approximate}" for choice in plan.choices if choice.approximate)
    return (*(degradation.message for degradation in degradations), *approximate)


def remoteness(plan: Plan) -> int:
    """How far the approximate sources are from the best ones: an event's sources stand in the order of their worth."""
    return sum(len(choice.passed_over) for choice in plan.choices if choice.approximate)


def cost(plan: Plan) -> tuple[bool, bool, Start]:
    """Minutes before the first event are too long in an incident. Aggregating in user space costs the traced task a
    record per event, more than the seconds that a program takes to compile."""
    in_user_space = aggregates(plan.program) and not plan.aggregates_in_kernel
    return (plan.start is Start.MINUTES, in_user_space, plan.start)


def aggregates(program: ir.Program) -> bool:
    """Does the program count what the kernel does, more than it prints? One that only has timers of its own costs no
    traced task anything."""
    in_kernel = any(not isinstance(point, USER_SPACE) for clause in program.clauses for point in clause.attach)
    return in_kernel and any(decl.aggregation is not None for decl in program.maps)


def settled(plan: Plan) -> bool:
    """Can no other backend's plan come before this one? Then the others need not be asked before a run."""
    return fidelity(plan) == 0 and cost(plan) == (False, False, Start.AT_ONCE)


def _reasons(plan: Plan) -> tuple[str, ...]:
    reasons = [f"loses: {degradation.message}" for degradation in plan.degradations]
    reasons += [f"approximate: {choice.approximate}" for choice in plan.choices if choice.approximate]
    if aggregates(plan.program):
        where = "in the kernel" if plan.aggregates_in_kernel else "in user space, one record per event"
        reasons.append(f"aggregates {where}")
    else:
        reasons.append("streams events")
    return (*reasons, *plan.costs)
