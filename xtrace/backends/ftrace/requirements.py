"""What ftrace needs on a host, as findings for `doctor` and for refusals."""

from __future__ import annotations

from typing import Literal

from xtrace.core.facts.model import Fact, HostFacts, State
from xtrace.core.plan.model import Finding

_MOUNT = "mount -t tracefs nodev /sys/kernel/tracing (as root)"

_OPTIONAL = (
    (
        "kprobe.usable",
        "kprobes",
        "a kernel with CONFIG_KPROBE_EVENTS has them; a tracepoint may tell the same",
    ),
    ("uprobe.usable", "uprobes", "a kernel with CONFIG_UPROBE_EVENTS has them"),
    ("tracefs.hist_triggers", "aggregation in the kernel", "nothing: xtrace counts in user space"),
    ("tracefs.set_event_pid", "limiting events to a process in the kernel", "nothing: xtrace does it in user space"),
    ("tracefs.eprobes", "strings of syscall arguments", "kprobes or --backend bcc read them"),
    ("perf.open", "profile probes", "root, or kernel.perf_event_paranoid = -1"),
)


REMEDIES = {name: remedy for name, _, remedy in _OPTIONAL}
"""What would help where a fact of the optional ones is missing."""


def findings(facts: HostFacts) -> tuple[Finding, ...]:
    """Needs first; what only some programs need is a warning."""
    return (_tracefs(facts), _privilege(facts), _instances(facts), *(_optional(facts, *entry) for entry in _OPTIONAL))


def _tracefs(facts: HostFacts) -> Finding:
    fact = facts.fact("tracefs.path")
    if fact.yes:
        return Finding("tracefs", "ok", fact.evidence or f"mounted at {fact.value}")
    if fact.state is State.DENIED:
        return Finding("tracefs", "unknown", fact.evidence, "run as root")
    return Finding("tracefs", "fail" if fact.no else "unknown", fact.evidence, _MOUNT)


def _privilege(facts: HostFacts) -> Finding:
    """tracefs is the caller's to use, or closed (0700 and root's, unless it was mounted otherwise)."""
    fact = facts.fact("tracefs.instances")
    if fact.state is not State.DENIED:
        return Finding("privileges", "ok" if fact.yes else "skip", fact.evidence)
    return Finding("privileges", "unknown" if facts.recorded else "fail", fact.evidence, "run as root: sudo xtrace ...")


def _instances(facts: HostFacts) -> Finding:
    fact = facts.fact("tracefs.instances")
    if facts.fact("tracefs.path").no:
        return Finding("private trace buffers", "skip", "no tracefs to look into")
    remedy = "RHEL 6 and Linux before 3.10 have no private trace buffers: use SystemTap there"
    return Finding("private trace buffers", _state(fact, "fail"), fact.evidence, remedy if fact.no else "")


def _optional(facts: HostFacts, name: str, subject: str, remedy: str) -> Finding:
    fact = facts.fact(name)
    return Finding(subject, _state(fact, "warn"), fact.evidence, remedy if fact.no else "")


def _state(fact: Fact, lacking: Literal["warn", "fail"]) -> Literal["ok", "warn", "fail", "unknown"]:
    if fact.yes:
        return "ok"
    return lacking if fact.no else "unknown"
