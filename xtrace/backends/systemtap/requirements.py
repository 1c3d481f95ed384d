"""What SystemTap needs on a host, as findings: a compiler with all that it reads, or a module built elsewhere."""

from __future__ import annotations

from xtrace.backends.systemtap import modules
from xtrace.core.facts import packages
from xtrace.core.facts.model import Fact, HostFacts, State
from xtrace.core.plan.model import Degradation, Finding

INSTALLABLE = frozenset({"staprun", "stap", "kernel headers", "C compiler", "privilege"})
"""Subjects that do not matter for a script that is compiled or run elsewhere."""


def findings(facts: HostFacts) -> tuple[Finding, ...]:
    """Every need with its evidence. A host with modules built elsewhere needs no compiler and no headers."""
    found = [_program(facts, "staprun.path", "staprun", packages.install(facts, "systemtap-runtime"))]
    if not facts.recorded and modules.any_prebuilt(facts.release):
        found.append(Finding("modules built elsewhere", "ok", f"present for {facts.release}"))
    else:
        found += [
            _program(facts, "stap.path", "stap", packages.install(facts, "systemtap")),
            _headers(facts),
            _program(facts, "gcc.path", "C compiler", packages.install(facts, "gcc")),
            _system_map(facts),
        ]
    return (*found, _loading(facts), _privilege(facts))


def not_yet(finding: Finding) -> Degradation:
    """A need that this host does not meet, said of a script that may run elsewhere."""
    return Degradation(f"this host cannot run it yet: {finding.subject}: {finding.evidence}; {finding.remedy}")


def _program(facts: HostFacts, name: str, subject: str, remedy: str) -> Finding:
    fact = facts.fact(name)
    return _finding(subject, fact, "not installed", remedy)


def _finding(subject: str, fact: Fact, missing: str, remedy: str) -> Finding:
    if fact.yes:
        return Finding(subject, "ok", str(fact.value or fact.evidence))
    if fact.no:
        return Finding(subject, "fail", missing, remedy)
    return Finding(subject, "unknown", fact.evidence or "not recorded")


def _headers(facts: HostFacts) -> Finding:
    fact = facts.fact("kernel.headers")
    remedy = packages.command(facts, packages.KERNEL_HEADERS)
    if fact.yes and isinstance(fact.value, dict) and fact.value.get("matches") is False:
        return Finding("kernel headers", "fail", f"for another kernel: {fact.evidence}", remedy)
    return _finding("kernel headers", fact, f"no build tree for {facts.release}", remedy)


def _system_map(facts: HostFacts) -> Finding:
    """Function names come from System.map alone (session.cxx, parse_kernel_functions), which Debian ships as a stub."""
    fact = facts.fact("kernel.system_map")
    if fact.yes and not (isinstance(fact.value, dict) and fact.value.get("stub")):
        return Finding("System.map", "ok", fact.evidence)
    if not fact.yes and not fact.no:
        return Finding("System.map", "unknown", fact.evidence)
    if not facts.fact("kernel.headers").yes:
        return Finding("System.map", "skip", "comes with the kernel headers")
    places = f"/lib/modules/{facts.release}/build/System.map", f"/usr/lib/debug/boot/System.map-{facts.release}"
    remedy = f"mkdir -p /usr/lib/debug/boot; tee {' '.join(places)} </proc/kallsyms >/dev/null (as root)"
    return Finding("System.map", "warn", f"{fact.evidence}: kprobes by name will not compile", remedy)


def _loading(facts: HostFacts) -> Finding:
    disabled, lockdown, signed = (
        facts.fact(name) for name in ("kernel.modules_disabled", "kernel.lockdown", "kernel.sig_enforce")
    )
    sign = "sign the module (stap --sign-module) with a key the kernel trusts, or use another backend"
    if disabled.yes:
        return Finding("module loading", "fail", f"switched off until the next boot ({disabled.evidence})", "reboot")
    if lockdown.yes and lockdown.value in ("integrity", "confidentiality"):
        return Finding("module loading", "fail", f"lockdown is {lockdown.value}: unsigned modules are refused", sign)
    if signed.yes:
        return Finding("module loading", "fail", f"only signed modules load ({signed.evidence})", sign)
    if State.DENIED in (disabled.state, signed.state):
        return Finding("module loading", "unknown", disabled.evidence or signed.evidence)
    return Finding("module loading", "ok", disabled.evidence or "nothing forbids it")


def _privilege(facts: HostFacts) -> Finding:
    uid, groups = facts.fact("caller.uid"), facts.fact("stap.groups")
    remedy = "run as root, or: usermod -aG stapusr,stapdev USER"
    if uid.value == 0:
        return Finding("privilege", "ok", "root")
    held = set(groups.value) if groups.yes and isinstance(groups.value, (list, tuple)) else set()
    if {"stapusr", "stapdev"} <= held:
        return Finding("privilege", "ok", "in the groups stapusr and stapdev")
    if not uid.yes:
        return Finding("privilege", "unknown", uid.evidence or "not recorded")
    return Finding("privilege", "fail", f"user {uid.value} may not load SystemTap modules", remedy)
