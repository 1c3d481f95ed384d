"""BCC: one Python file with a BPF program in it, run by the Python that owns the `bcc` module."""

from __future__ import annotations

from dataclasses import dataclass

from xtrace.backends.bcc import requirements
from xtrace.backends.bcc.handler import Host
from xtrace.core import ir
from xtrace.core.backend import Session
from xtrace.core.errors import BackendError, Diagnostic
from xtrace.core.facts import packages
from xtrace.core.facts.model import HostFacts
from xtrace.core.plan.model import Artifact, Finding, Plan, Refusal, Request, Start, Verdict

WORKER = "xtrace_bcc.py"


def host_of(facts: HostFacts) -> Host:
    """What lowering asks of the host."""
    helpers = facts.fact("bpf.helpers").value
    return Host(
        arch=facts.arch,
        types=facts.types,
        boot_clock=isinstance(helpers, list) and "ktime_get_boot_ns" in helpers,
        bounded_loops=not facts.fact("bpf.bounded_loops").no,
    )


@dataclass(frozen=True)
class BccBackend:
    name: str = "bcc"

    def check(self, facts: HostFacts) -> tuple[Finding, ...]:
        return requirements.findings(facts)

    def plan(self, request: Request, facts: HostFacts) -> Verdict:
        from xtrace.backends.bcc.lower import lower, objections
        from xtrace.backends.bcc.scope import follow_offsets, scope_objections
        from xtrace.backends.bcc.writer import UnsupportedError
        from xtrace.core.resolve import compat_calls
        from xtrace.core.resolve.resolve import resolve

        host = host_of(facts)
        resolved = resolve(
            request, facts, lambda clause: (*requirements.unattachable(clause, facts), *objections(clause, host))
        )
        lacking = requirements.lacking(facts, request.elsewhere)
        problems = (*lacking, *resolved.problems, *scope_objections(request.scope, facts))
        if resolved.program is None or problems:
            return Refusal(self.name, problems, resolved.choices)
        program: ir.Program = resolved.program
        follow = follow_offsets(facts) if program.scope.follow and program.scope.pid is not None else None
        try:
            model = lower(program, host, follow, request.title)
        except UnsupportedError as error:
            return Refusal(self.name, (error.diagnostic,), resolved.choices)
        return Plan(
            backend=self.name,
            program=program,
            degradations=(
                *resolved.degradations,
                *compat_calls.untold(
                    program, host.arch, lambda: compat_calls.current_abi(host.arch, host.types) is not None
                ),
                *(requirements.not_installed(facts) if request.elsewhere else ()),
            ),
            choices=resolved.choices,
            costs=("compiles for about 0.2 s and takes 120 MB", "each event shown costs the traced task microseconds"),
            notes=resolved.notes,
            aggregates_in_kernel=True,
            start=Start.SECONDS,
            detail=model,
        )

    def render(self, plan: Plan) -> Artifact:
        from xtrace.backends.bcc.lower import Model
        from xtrace.backends.bcc.render import worker

        assert isinstance(plan.detail, Model)
        files = {WORKER: worker(plan.detail)}
        return Artifact(self.name, files, WORKER, ("python3", WORKER), plan)

    def launch(self, artifact: Artifact, facts: HostFacts) -> Session:
        from xtrace.backends.bcc.lower import Model
        from xtrace.backends.bcc.runner import BccSession

        assert isinstance(artifact.plan.detail, Model)
        interpreter = requirements.interpreter(facts)
        if not interpreter:
            hint = packages.command(facts, packages.BCC)
            raise BackendError(Diagnostic("XT0704", "no Python on this host owns BCC's module", hints=(hint,)))
        return BccSession(interpreter, artifact.files[artifact.main], artifact.plan.detail.tables)
