"""What a host says of one of its own names: a tracepoint's fields, a kernel function's state and prototype."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xtrace.core.describe.declarations import declaration, member, type_name
from xtrace.core.facts.model import Fact, HostFacts
from xtrace.core.resolve.functions import FunctionState, judge


@dataclass(frozen=True)
class Manual:
    """`kind` is tracepoint or function; `lines` are declarations, `told` what else is known, by subject."""

    kind: str
    name: str
    state: str
    evidence: str
    lines: tuple[str, ...] = ()
    told: tuple[tuple[str, str], ...] = ()


def tracepoint(system: str, event: str, facts: HostFacts) -> Manual | None:
    """A tracepoint with its fields; None where the host does not have it or does not tell."""
    known = facts.event_format(system, event)
    if known is None:
        return None
    told = [("values of " + name, _values(values)) for name, values in dict(known.enums).items()]
    evidence = f"id {known.id}, from {facts.fact('tracefs.path').value or 'a recording'}"
    return Manual(
        "tracepoint",
        f"tracepoint:{system}:{event}",
        "present",
        evidence,
        tuple(member(one) for one in known.fields),
        tuple(told),
    )


def _values(values: Mapping[int, str]) -> str:
    return ", ".join(f"{name} = {value}" for value, name in sorted(values.items()))


def function(name: str, facts: HostFacts) -> Manual | None:
    """A kernel function with its state and prototype; None where nothing is known of it."""
    verdict = judge(name, facts)
    if verdict.state is FunctionState.ABSENT:
        return None
    known = facts.types.prototype(name)
    lines = (_prototype(name, facts),) if known else ()
    told = [("symbol", verdict.symbol)] if verdict.symbol and verdict.symbol != name else []
    told += [("module", verdict.module)] if verdict.module else []
    told += [("advice", verdict.remedy)] if verdict.remedy else []
    told += [
        ("kprobes", _fact(facts.fact("kprobe.usable"))),
        ("kprobe blacklist", _fact(facts.blacklisted(name))),
        ("function tracer", _fact(facts.filterable(name))),
    ]
    return Manual("function", name, verdict.state.value, verdict.evidence, lines, tuple(told))


def _prototype(name: str, facts: HostFacts) -> str:
    known = facts.types.prototype(name)
    assert known is not None
    inside = ", ".join(declaration(parameter, kind) for parameter, kind in known.parameters) or "void"
    return f"{type_name(known.result)} {name}({inside})"


def _fact(fact: Fact) -> str:
    return f"{fact.state.value} ({fact.evidence})" if fact.evidence else fact.state.value


def text(manual: Manual) -> str:
    """The manual as a terminal shows it."""
    lines = [f"{manual.name}: {manual.kind}, {manual.state} ({manual.evidence})"]
    lines += [f"    {line}" for line in manual.lines]
    return "\n".join(lines + [f"  {subject}: {words}" for subject, words in manual.told])


def document(manual: Manual) -> dict[str, object]:
    """The manual as a JSON object of schema `xtrace.point-manual/1`."""
    return {
        "schema": "xtrace.point-manual/1",
        "kind": manual.kind,
        "name": manual.name,
        "state": manual.state,
        "evidence": manual.evidence,
        "declarations": list(manual.lines),
        "told": dict(manual.told),
    }
