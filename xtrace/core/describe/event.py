"""A named event's manual: its fields, its sources, and which one serves on a host with each backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from xtrace.core.alike import told_once
from xtrace.core.backend import Backend
from xtrace.core.describe.catalogue import field_type, fields
from xtrace.core.describe.plans import choice_document, reason_lines
from xtrace.core.facts.model import HostFacts
from xtrace.core.lang.parser import parse
from xtrace.core.lang.source import Source
from xtrace.core.plan.model import Choice, Plan, Refusal, Request, Verdict
from xtrace.core.plan.planning import plan_all
from xtrace.core.probes.events import Event, SourceSpec

ANYWHERE = "It happens in whatever process runs at the time, so pid and comm may have nothing to do with it."


def verdicts(
    event: Event, facts: HostFacts, backends: Mapping[str, Backend], paths: Sequence[Path]
) -> tuple[Verdict, ...]:
    """What each backend makes of a program that shows every field of the event."""
    program = parse(Source(event.name, f"{event.name} {{ emit({', '.join(event.fields)}); }}"))
    return plan_all(Request(program, event.name, probe_paths=tuple(paths)), facts, backends)


def text(event: Event, made: Sequence[Verdict], release: str) -> str:
    """The manual as a terminal shows it."""
    lines = [f"{event.name}: {event.summary}"]
    lines += ["", event.description] if event.description else []
    lines += ["", ANYWHERE] if event.anywhere else []
    lines += ["", "Fields:"]
    width = 2 + max(len(name) for name in event.fields)
    for one in event.fields.values():
        doc = f"{one.doc} (where the host has it)" if one.optional else one.doc
        lines.append(f"  {one.name:<{width}}{field_type(one):<9}{doc}")
    lines += ["", "Sources, in the order in which they are tried:"]
    for number, spec in enumerate(event.sources, 1):
        lines += _source(number, spec)
    lines += ["", f"On this host ({release}):"]
    for verdict in made:
        lines += _verdict(event, verdict)
    return "\n".join(lines)


def _source(number: int, spec: SourceSpec) -> list[str]:
    first, *others = spec.titles
    lines = [f"  {number}. {first}", *(f"     and {title}" for title in others)]
    lines += [f"     {spec.how}"] if spec.how else []
    lines += [f"     only where {spec.when.span.text}"] if spec.when is not None else []
    lines += [f"     counts only {spec.where.span.text}"] if spec.where is not None else []
    return lines + ([f"     approximate: {spec.approximate}"] if spec.approximate else [])


def _verdict(event: Event, verdict: Verdict) -> list[str]:
    choice = choice_of(event, verdict)
    passed = choice.passed_over if choice else ()
    tried = [f"    not source {number}: {reason}" for number, (_, reason) in enumerate(passed, 1)]
    if isinstance(verdict, Refusal):
        reasons = told_once([reason for reason in verdict.reasons if reason.code != "XT0520"])
        lines = [line for reason in reasons for line in reason_lines(reason)]
        return [f"  {verdict.backend}: no", *(f"    {line}" for line in lines), *tried]
    loses = [f"    loses: {one.message}" for one in verdict.degradations]
    return [f"  {verdict.backend}: from source {len(passed) + 1}", *loses, *tried]


def choice_of(event: Event, verdict: Verdict) -> Choice | None:
    """Which source a verdict takes, if it came that far."""
    return next((choice for choice in verdict.choices if choice.event == event.name), None)


def document(event: Event, made: Sequence[Verdict]) -> dict[str, object]:
    """The manual as a JSON object of schema `xtrace.event-manual/1`."""
    return {
        "schema": "xtrace.event-manual/1",
        "name": event.name,
        "summary": event.summary,
        "description": event.description,
        "anywhere": event.anywhere,
        "fields": fields(event),
        "sources": [
            {
                "attach": spec.title,
                "when": spec.when.span.text if spec.when is not None else None,
                "where": spec.where.span.text if spec.where is not None else None,
                "approximate": spec.approximate or None,
            }
            for spec in event.sources
        ],
        "backends": [_verdict_document(event, verdict) for verdict in made],
    }


def _verdict_document(event: Event, verdict: Verdict) -> dict[str, object]:
    choice = choice_of(event, verdict)
    return {
        "backend": verdict.backend,
        "serves": isinstance(verdict, Plan),
        "choice": choice_document(choice) if choice else None,
        "loses": [one.message for one in verdict.degradations] if isinstance(verdict, Plan) else [],
        "reasons": [one.as_dict() for one in verdict.reasons] if isinstance(verdict, Refusal) else [],
    }
