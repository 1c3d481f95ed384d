"""Plans in words and as JSON."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

from xtrace.core.alike import MOST, said_once, told_once
from xtrace.core.errors import Diagnostic
from xtrace.core.plan.choose import Ranked, Ranking
from xtrace.core.plan.model import Choice, Refusal


def plan_text(title: str, ranking: Ranking) -> str:
    """The ranking as a person reads it, first choice first."""
    lines = [f"{title}:"]
    for place, entry in enumerate(ranking.ranked, 1):
        lines += _ranked(place, entry)
    for refused in ranking.refused:
        lines += _refused(refused)
    if not ranking.ranked:
        lines.append("No backend can run it here.")
    return "\n".join(lines)


def _ranked(place: int, entry: Ranked) -> list[str]:
    lines = [f"{place}. {entry.plan.backend}: can run it{'  (chosen)' if place == 1 else ''}"]
    lines += [f"     {reason}" for reason in said_once(entry.reasons)]
    for choice in entry.plan.choices:
        lines += choice_lines(choice)
    return lines + [f"     note: {note}" for note in said_once(entry.plan.notes, MOST)]


def choice_lines(choice: Choice) -> list[str]:
    """Which source of a named event serves, and why the ones before it do not."""
    lines = [f"     {choice.event} comes from {choice.source}"] if choice.source else []
    same = groupby(choice.passed_over, key=itemgetter(1))
    return lines + [
        f"       not from {', nor '.join(source for source, _ in group)}: {reason}" for reason, group in same
    ]


def _refused(refused: Refusal) -> list[str]:
    lines = [f"-  {refused.backend}: cannot run it"]
    for reason in told_once(refused.reasons):
        lines += [f"     {line}" for line in reason_lines(reason)]
    return lines


def reason_lines(reason: Diagnostic) -> list[str]:
    """One reason of a refusal with its hints."""
    place = f" ({reason.span.location()})" if reason.span else ""
    return [f"{reason.message} [{reason.code}]{place}", *(f"  hint: {hint}" for hint in reason.hints)]


def plan_document(title: str, ranking: Ranking) -> dict[str, object]:
    """The ranking as a JSON object of schema `xtrace.plan/1`."""
    return {
        "schema": "xtrace.plan/1",
        "program": title,
        "chosen": ranking.ranked[0].plan.backend if ranking.ranked else None,
        "ranked": [
            {
                "backend": entry.plan.backend,
                "reasons": list(entry.reasons),
                "degradations": [degradation.message for degradation in entry.plan.degradations],
                "choices": [choice_document(choice) for choice in entry.plan.choices],
                "notes": list(entry.plan.notes),
            }
            for entry in ranking.ranked
        ],
        "refused": [
            {"backend": one.backend, "reasons": [reason.as_dict() for reason in one.reasons]} for one in ranking.refused
        ],
    }


def choice_document(choice: Choice) -> dict[str, object]:
    """Which source of a named event serves, and why others do not, as a JSON object."""
    return {
        "event": choice.event,
        "source": choice.source,
        "approximate": choice.approximate or None,
        "passed_over": [{"source": source, "reason": reason} for source, reason in choice.passed_over],
    }
