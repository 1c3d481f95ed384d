"""A fact, and a check that rests on it."""

from __future__ import annotations

from xtrace.core.facts.model import Fact, HostFacts, State
from xtrace.core.plan.model import Finding


def watchdog(host: HostFacts) -> Fact:
    """Can the kernel have a soft lockup detector? Answers come from facts, so that it works on recorded hosts too."""
    option = host.config("CONFIG_SOFTLOCKUP_DETECTOR")
    if option.yes:
        return Fact(State.PRESENT, None, option.evidence)
    return Fact(option.state, None, option.evidence)


def check_watchdog(host: HostFacts) -> tuple[Finding, ...]:
    """The kernel's lockup detector."""
    fact = host.fact("example.watchdog")
    return (Finding("watchdog", "ok" if fact.yes else "skip", fact.evidence or "not known"),)
