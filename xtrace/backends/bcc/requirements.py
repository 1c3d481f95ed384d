"""What BCC needs on a host: findings from facts, each with what would help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from xtrace.backends.bcc.registers import ARCHITECTURES
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core.errors import Diagnostic
from xtrace.core.facts import packages
from xtrace.core.facts.model import Fact, HostFacts, State
from xtrace.core.plan.model import Degradation, Finding

Verdict = Literal["ok", "warn", "fail", "unknown", "skip"]


def findings(facts: HostFacts) -> tuple[Finding, ...]:
    return (_syscall(facts), _programs(facts), _interpreter(facts), _caller(facts), _lockdown(facts), _arch(facts))


def lacking(facts: HostFacts, elsewhere: bool = False) -> tuple[Diagnostic, ...]:
    """What makes BCC impossible here, whoever asks: missing privileges are left to the launch. A program that will run
    `elsewhere` needs no module here."""
    subjects = [_syscall(facts), _programs(facts), _lockdown(facts), _arch(facts)]
    subjects += [] if elsewhere else [_interpreter(facts)]
    return tuple(
        Diagnostic(
            "XT0704", f"{finding.subject}: {finding.evidence}", hints=(finding.remedy,) if finding.remedy else ()
        )
        for finding in subjects
        if finding.state == "fail"
    )


def not_installed(facts: HostFacts) -> tuple[Degradation, ...]:
    """What must be installed before the program can run on this host."""
    finding = _interpreter(facts)
    lost = Degradation(f"this host cannot run it yet: {finding.subject}: {finding.evidence}; {finding.remedy}")
    return (lost,) if finding.state == "fail" else ()


_ATTACHED_BY = {
    at.Kprobe: ("KPROBE", "kprobe.usable", "kprobe.pmu"),
    at.Uprobe: ("UPROBE", "uprobe.usable", "uprobe.pmu"),
    at.Usdt: ("UPROBE", "uprobe.usable", "uprobe.pmu"),
}
"""How BCC attaches: a perf event of its own type (Linux 4.17 and backports), else a definition in tracefs."""


def unattachable(clause: ir.Clause, facts: HostFacts) -> tuple[Diagnostic, ...]:
    """Attach points of kinds that this kernel conclusively does not have."""
    found = []
    for point in clause.attach:
        kind, *ways = _ATTACHED_BY.get(type(point), ("",))
        known = [facts.fact(way) for way in ways]
        if known and all(fact.no for fact in known):
            message = f"{point.name}: this kernel has no {kind.lower()}s ({known[0].evidence})"
            hint = f"a kernel with CONFIG_{kind}_EVENTS has them; a tracepoint may tell the same"
            found.append(Diagnostic("XT0704", message, clause.span, (hint,)))
    return tuple(found)


def interpreter(facts: HostFacts) -> str:
    """The Python that owns BCC's module; "" where there is none."""
    value = facts.fact("bcc.python").value
    if isinstance(value, Mapping):
        return str(value.get("path", ""))
    return value if isinstance(value, str) else ""


def _state(fact: Fact, otherwise: Verdict = "fail") -> Verdict:
    if fact.yes:
        return "ok"
    return otherwise if fact.no else "unknown"


def _syscall(facts: HostFacts) -> Finding:
    fact = facts.fact("bpf.syscall")
    remedy = "" if not fact.no else "this kernel needs CONFIG_BPF_SYSCALL (Linux 4.4 or a backport)"
    return Finding("bpf(2)", _state(fact), fact.evidence, remedy)


def _programs(facts: HostFacts) -> Finding:
    fact = facts.fact("bpf.prog.kprobe")
    remedy = "" if not fact.no else "tracing programs need CONFIG_BPF_EVENTS (Linux 4.7 or a backport)"
    return Finding("BPF tracing programs", _state(fact), fact.evidence, remedy)


def _interpreter(facts: HostFacts) -> Finding:
    """PyPI's `bcc` is another project: only a distribution's package will do."""
    fact = facts.fact("bcc.python")
    remedy = packages.command(facts, packages.BCC) if fact.no else ""
    return Finding("a Python with BCC's module", _state(fact), fact.evidence, remedy)


def _caller(facts: HostFacts) -> Finding:
    uid, held = facts.fact("caller.uid"), facts.fact("caller.capabilities").value
    known = isinstance(held, list)
    names = {str(name).lower().removeprefix("cap_") for name in held} if isinstance(held, list) else set()
    enough = "sys_admin" in names or {"bpf", "perfmon"} <= names
    if (uid.value == 0 and not known) or enough:
        return Finding("privileges", "ok", uid.evidence or "root")
    if uid.state is State.UNPROBED:
        return Finding("privileges", "unknown", uid.evidence)
    remedy = "run it as root (sudo), or with CAP_SYS_ADMIN, or CAP_BPF and CAP_PERFMON"
    return Finding(
        "privileges", "fail", f"user {uid.value} has neither CAP_SYS_ADMIN nor CAP_BPF and CAP_PERFMON", remedy
    )


def _lockdown(facts: HostFacts) -> Finding:
    """Lockdown in confidentiality mode keeps BPF from reading kernel memory (security/lockdown)."""
    fact = facts.fact("kernel.lockdown")
    if fact.value == "confidentiality":
        remedy = "boot with lockdown=integrity, or trace with --backend ftrace"
        return Finding("kernel lockdown", "fail", "confidentiality: BPF may not read kernel memory", remedy)
    return Finding("kernel lockdown", "ok" if fact.yes or fact.no else "unknown", fact.evidence)


def _arch(facts: HostFacts) -> Finding:
    known = facts.arch in ARCHITECTURES
    remedy = "" if known else f"known to this backend: {', '.join(ARCHITECTURES)}"
    return Finding("architecture", "ok" if known else "fail", facts.arch, remedy)
