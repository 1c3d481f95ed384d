"""What each backend makes of each named event on one host, as lines that a reviewer reads.

    tcp.drop
      ftrace, bcc: kprobe:tcp_drop
        loses reason: the source does not give it
        not tracepoint:skb:kfree_skb (with its reason): field missing: not has(args.reason)
      systemtap: no
        ...

Backends of which all that follows is the same share a line. What the recording lacks stands at the head, and with each
verdict that depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xtrace.core.backend import Backend
from xtrace.core.describe.event import choice_of, verdicts
from xtrace.core.facts.model import HostFacts
from xtrace.core.plan.model import SHIPPED_PROBES, Refusal, Verdict
from xtrace.core.probes.events import Event, all_events


def fleet_text(name: str, facts: HostFacts, backends: Mapping[str, Backend]) -> str:
    """The whole file of one host."""
    lines = [f"{name}: {facts.release} {facts.arch}", "", *_backends(facts, backends)]
    events, complaints = all_events([SHIPPED_PROBES])
    assert not complaints, complaints
    for event in events:
        lines += ["", *_event(event, verdicts(event, facts, backends, [SHIPPED_PROBES]))]
    return "\n".join(lines) + "\n"


def _backends(facts: HostFacts, backends: Mapping[str, Backend]) -> Iterator[str]:
    """What the engines need and do not have, or what nobody recorded."""
    for name, backend in backends.items():
        for finding in backend.check(facts):
            if finding.state in ("fail", "unknown"):
                yield f"{name}: {finding.state}: {finding.subject}: {finding.evidence}"


def _event(event: Event, made: tuple[Verdict, ...]) -> Iterator[str]:
    yield event.name
    grouped: dict[tuple[str, ...], list[str]] = {}
    for verdict in made:
        grouped.setdefault(tuple(_verdict(event, verdict)), []).append(verdict.backend)
    for (head, *rest), names in grouped.items():
        yield f"  {', '.join(names)}: {head}"
        yield from (f"    {line}" for line in rest)


def _verdict(event: Event, verdict: Verdict) -> Iterator[str]:
    choice = choice_of(event, verdict)
    if isinstance(verdict, Refusal):
        yield "no"
        yield from (f"because {reason.message}" for reason in verdict.reasons if reason.code != "XT0520")
    else:
        assert choice is not None
        yield choice.source
        yield from (f"approximate: {choice.approximate}" for _ in range(bool(choice.approximate)))
        yield from (f"loses {one.message.removeprefix(f'{event.name} has no ')}" for one in verdict.degradations)
        yield from (f"note: {note}" for note in verdict.notes)
    for source, reason in choice.passed_over if choice else ():
        yield f"not {source}: {reason}"
