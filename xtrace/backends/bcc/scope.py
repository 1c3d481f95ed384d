"""Whose events count, as conditions at the start of each handler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from xtrace.core import ir
from xtrace.core.errors import Diagnostic
from xtrace.core.facts.model import HostFacts
from xtrace.core.quoting import Code


@dataclass(frozen=True)
class Follow:
    """Offsets in the records of sched:sched_process_fork and sched:sched_process_free."""

    child_pid: int
    freed_pid: int


def wants_scope(scope: ir.Scope) -> bool:
    return scope.pid is not None or scope.uid is not None or scope.cgroup is not None


def scope_lines(scope: ir.Scope) -> tuple[Code, ...]:
    """Statements of a function that returns 1 for the events that count."""
    lines = []
    if scope.pid is not None and scope.follow:
        lines.append("u32 group = bpf_get_current_pid_tgid() >> 32;")
        lines.append("if (!x_followed.lookup(&group)) return 0;")
    elif scope.pid is not None:
        lines.append(f"if ((bpf_get_current_pid_tgid() >> 32) != {scope.pid}) return 0;")
    if scope.uid is not None:
        lines.append(f"if ((u32)bpf_get_current_uid_gid() != {scope.uid}u) return 0;")
    if scope.cgroup is not None:
        lines.append("if (x_cgroup.check_current_task(0) <= 0) return 0;")
    return tuple(Code(line) for line in lines)


def follow_offsets(facts: HostFacts) -> Optional[Follow]:
    """Where the fork and free records keep the pid; None where the host does not tell."""
    fork = facts.event_format("sched", "sched_process_fork")
    free = facts.event_format("sched", "sched_process_free")
    child = next((field.offset for field in fork.fields if field.name == "child_pid"), None) if fork else None
    freed = next((field.offset for field in free.fields if field.name == "pid"), None) if free else None
    return None if child is None or freed is None else Follow(child, freed)


def scope_objections(scope: ir.Scope, facts: HostFacts) -> tuple[Diagnostic, ...]:
    """What the scope asks that this host cannot do."""
    if scope.pid is not None and scope.follow and follow_offsets(facts) is None:
        message = "following children needs the tracepoints sched_process_fork and sched_process_free"
        remedy = "run as root" if facts.fact("tracefs.path").yes else "mount -t tracefs nodev /sys/kernel/tracing"
        return (Diagnostic("XT0705", message, hints=(f"their formats are in tracefs: {remedy}",)),)
    return ()
