"""One run from wish to exit code: target, plan, fallback, session.

Everything that a command decides is passed in; nothing here knows the command line.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TextIO

from xtrace.core import ir
from xtrace.core.backend import Backend
from xtrace.core.elf.abi import abi_of, start_of
from xtrace.core.errors import Diagnostic, PlanError, PrivilegeError
from xtrace.core.facts.model import HostFacts
from xtrace.core.facts.number_names import (
    CgroupPaths,
    capability_names,
    disk_names,
    error_names,
    signal_names,
    user_names,
)
from xtrace.core.facts.syscalls import CallNames
from xtrace.core.plan.model import Degradation, Plan, Refusal, Request
from xtrace.core.plan.planning import Candidates
from xtrace.core.records import dataclass
from xtrace.core.resolve.compat_calls import unseen
from xtrace.core.resolve.named_values import values_of
from xtrace.core.session.attempt import launch_first
from xtrace.core.session.drive import Limits, Writer, drive
from xtrace.core.session.namespaces import ids_differ
from xtrace.core.session.present import Presenter
from xtrace.core.session.symbols import HostSymbols
from xtrace.core.session.target import Existing, Started, Target
from xtrace.core.syscall_abi import COMPAT


@dataclass(frozen=True)
class Aim:
    """Whom to trace. With `restrict`, only the target's events count, and with `follow` its descendants' too."""

    pid: int | None = None
    command: str | None = None
    restrict: bool = True
    follow: bool = False
    uid: int | None = None
    cgroup: str | None = None

    def target(self) -> Target | None:
        """The process the trace is about: started and held, or found. Raises UsageError."""
        if self.command is not None:
            return Started(self.command)
        return Existing(self.pid) if self.pid is not None else None

    def scope(self, target: Target | None) -> ir.Scope:
        """Whose events count. A started command is followed to its children: it may be a shell."""
        if target is None or not self.restrict:
            return ir.Scope(uid=self.uid, cgroup=self.cgroup)
        return ir.Scope(target.pid, self.follow or self.command is not None, self.uid, self.cgroup)


@dataclass(frozen=True)
class Outlet:
    """Where results and words go. `warn` hears what is odd about the program, `explain` which plan runs and what of its
    minor losses concerns the target, both before it starts."""

    sink: Writer
    out: TextIO
    tell: Callable[[str], None]
    warn: Callable[[Diagnostic], None]
    explain: Callable[[Plan, Sequence[Degradation]], None]
    safe: bool = False


def conduct(
    request_for: Callable[[ir.Scope, int], Request],
    aim: Aim,
    facts: HostFacts,
    backends: Mapping[str, Backend],
    outlet: Outlet,
    limits: Limits,
) -> int:
    """Run a program to its end and give the exit code.

    Raises UsageError for a target that cannot be, ProgramError, PlanError when no backend can serve or see the target,
    BackendError or PrivilegeError when none starts. The target is ended and nothing is left in every case.
    """
    target = aim.target()
    try:
        scope = aim.scope(target)
        ids = ids_differ(scope, facts)
        if ids:
            outlet.tell(ids.text())
        request = request_for(scope, target.pid if target else 0)
        candidates = Candidates(request, facts, backends)
        for warning in candidates.warnings:
            outlet.warn(warning)
        launched = launch_first(candidates, backends, facts, lambda d: outlet.tell(d.text()))
        if launched is None:
            raise refusal(candidates.refused, request.title, facts)
        session, plan = launched
        warned = {warning.message for warning in candidates.warnings}
        untold = replace(plan, notes=tuple(note for note in plan.notes if note not in warned))
        outlet.explain(untold, _concerning(target, plan, facts))
        names = enum_names(facts)
        presenter = Presenter(plan.program, request.title, HostSymbols(), safe=outlet.safe, enum_names=names)
        return drive(session, presenter, outlet.sink, outlet.out, outlet.tell, limits, target)
    finally:
        if target is not None:
            target.close()


def _concerning(target: Target | None, plan: Plan, facts: HostFacts) -> Sequence[Degradation]:
    """What a target that is a program of another ABI than the kernel's own loses by that."""
    if target is None or abi_of(start_of(target.program), facts.arch) != COMPAT:
        return ()
    return unseen(plan.program.clauses, facts)


def enum_names(facts: HostFacts) -> Callable[[str], Mapping[int, str]]:
    """Names by value of the host's enums, of fields that print formats name, and of what the language names itself."""
    tables: Mapping[str, Callable[[], Mapping[int, str]]] = {
        "syscall": lambda: CallNames(facts.arch),
        "disk": disk_names,
        "signal": signal_names,
        "capability": capability_names,
        "errno": error_names,
        "user": user_names,
        "cgroup": CgroupPaths,
    }

    def names(enum: str) -> Mapping[int, str]:
        if enum in tables:
            return tables[enum]()
        recorded = values_of(enum, facts)
        return facts.types.enum_values(enum) if recorded is None else recorded

    return names


def _merged(refused: list[Refusal]) -> Iterator[Diagnostic]:
    """Each reason once, with the backends that have it; what all of them say comes first and is said of none.

    Where the program is at fault, what an engine lacks besides is a note.
    """
    backends: dict[Diagnostic, list[str]] = {}
    for one in refused:
        for reason in one.reasons:
            backends.setdefault(reason, []).append(one.backend)
    blamed = any(reason.span for reason in backends)
    for reason, names in sorted(backends.items(), key=lambda item: (item[0].span is None, len(item[1]) < len(refused))):
        words = reason.message if len(names) == len(refused) else f"{', '.join(names)}: {reason.message}"
        aside = blamed and reason.span is None
        yield replace(reason, message=words, severity="note" if aside else reason.severity)


def refusal(refused: list[Refusal], title: str, facts: HostFacts) -> PlanError | PrivilegeError:
    """Why nothing can run, backend by backend. Without privilege that is the first thing to say."""
    reasons = tuple(_merged(refused))
    if not facts.recorded and os.geteuid() != 0:
        first = Diagnostic("XT1007", f"{title} cannot be traced by this user", hints=("run as root: sudo xtrace ...",))
        return PrivilegeError(first, *reasons)
    return PlanError(*reasons)
