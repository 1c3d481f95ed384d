"""Prints what each backend makes of every named event as JSON: ``python3 -m tests.lab.named_events [BUNDLE]``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from xtrace.core.describe.event import choice_of, verdicts
from xtrace.core.facts.open import host
from xtrace.core.plan.model import SHIPPED_PROBES, Refusal
from xtrace.core.plugins import Plugins
from xtrace.core.probes.events import all_events, find_event


def choices(bundle: str | None) -> dict[str, object]:
    """By `EVENT BACKEND`, whether it refuses, the source and what it loses."""
    facts = host(bundle)
    registry = Plugins(external=False).registry("backends")
    backends = {name: registry.make(name) for name in registry.names()}
    events, _ = all_events([SHIPPED_PROBES])
    found: dict[str, object] = {}
    for event in events:
        for verdict in verdicts(event, facts, backends, [SHIPPED_PROBES]):
            choice = choice_of(event, verdict)
            refused = isinstance(verdict, Refusal)
            lost = [] if isinstance(verdict, Refusal) else [one.message for one in verdict.degradations]
            chosen = [choice.source, choice.approximate] if choice else []
            found[f"{event.name} {verdict.backend}"] = [refused, *chosen, *lost]
    return found


def served(names: Sequence[str], backend: str) -> dict[str, str]:
    """The events of these that a backend serves on this host, and in which way what it shows is another event."""
    facts = host(None)
    backends = {backend: Plugins(external=False).registry("backends").make(backend)}
    found = {}
    for event in filter(None, (find_event(name, [SHIPPED_PROBES]) for name in names)):
        (verdict,) = verdicts(event, facts, backends, [SHIPPED_PROBES])
        choice = choice_of(event, verdict)
        if choice and not isinstance(verdict, Refusal):
            found[event.name] = choice.approximate
    return found


if __name__ == "__main__":
    print(json.dumps(choices(sys.argv[1] if len(sys.argv) > 1 else None), indent=1))
