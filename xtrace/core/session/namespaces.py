"""A trace from inside a process namespace (a container), where ids are not those that the kernel's events carry."""

from __future__ import annotations

from xtrace.core import ir
from xtrace.core.errors import Diagnostic, PlanError
from xtrace.core.facts.model import HostFacts

SHARE_IDS = (
    "run xtrace on the host, or in a container that shares its ids: docker run --pid=host, hostPID: true in a pod"
)


def own_process_ids(facts: HostFacts) -> bool:
    """Is the caller's pid namespace another one than the host's?"""
    foreign = facts.fact("caller.initial_namespaces").value
    return isinstance(foreign, (list, tuple)) and "pid" in foreign


def need_host_ids(what: str, facts: HostFacts, *hints: str) -> None:
    """Raises PlanError where an id of here says nothing to the kernel, so that `what` would show no event, or another
    process's."""
    if own_process_ids(facts):
        evidence = facts.fact("caller.initial_namespaces").evidence
        message = f"{what} needs the host's process ids, and this is a namespace with its own ({evidence})"
        raise PlanError.of("XT1009", message, hints=(SHARE_IDS, *hints))


def ids_differ(scope: ir.Scope, facts: HostFacts) -> Diagnostic | None:
    """What to tell of ids before a trace starts; None on the host itself. Raises PlanError where `scope` limits the
    trace to a process."""
    if scope.pid is not None:
        hint = "without -p and -c all processes of the host are traced"
        need_host_ids("a trace of one process (-p, -c)", facts, hint)
    if not own_process_ids(facts):
        return None
    evidence = facts.fact("caller.initial_namespaces").evidence
    message = (
        f"process ids are the host's, not those of this namespace ({evidence}): what is looked up by them in /proc, as"
        " symbols of user stacks, may be missing or of another process"
    )
    return Diagnostic("XT1009", message, hints=(SHARE_IDS,), severity="warning")
