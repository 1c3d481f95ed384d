"""SystemTap: one script, compiled to a kernel module here or elsewhere."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace

from xtrace.backends.systemtap import modules, requirements
from xtrace.backends.systemtap.abi import syscall_abi
from xtrace.backends.systemtap.decode import Decoder
from xtrace.backends.systemtap.lower import Model, clause_objections, lower, objections
from xtrace.core import ir
from xtrace.core.backend import Session
from xtrace.core.errors import Diagnostic
from xtrace.core.facts.model import HostFacts
from xtrace.core.plan.model import Artifact, Finding, Plan, Refusal, Request, Start, Verdict
from xtrace.core.syscall_abi import UNKNOWN

SCRIPT = "xtrace.stp"


_CLOCK = "nsecs is the monotonic clock: SystemTap has no boot clock"
_BUFFER = "the buffer size is SystemTap's own choice; `stap -s MB` on the rendered script sets it"


def _notes(program: ir.Program) -> tuple[str, ...]:
    return (_CLOCK, _BUFFER) if program.config.buffer_kb else (_CLOCK,)


@dataclass(frozen=True)
class SystemTapBackend:
    name: str = "systemtap"

    def check(self, facts: HostFacts) -> tuple[Finding, ...]:
        return requirements.findings(facts)

    def plan(self, request: Request, facts: HostFacts) -> Verdict:
        from xtrace.core.resolve import compat_calls
        from xtrace.core.resolve.resolve import resolve

        failed = [finding for finding in self.check(facts) if finding.state == "fail"]
        later = [finding for finding in failed if request.elsewhere and finding.subject in requirements.INSTALLABLE]
        lacking = tuple(
            Diagnostic("XT0903", f"{finding.subject}: {finding.evidence}", hints=(finding.remedy,))
            for finding in failed
            if finding not in later
        )
        resolved = resolve(request, facts, lambda clause: clause_objections(clause, facts.arch))
        if resolved.program is None or lacking:
            return Refusal(self.name, (*lacking, *resolved.problems), resolved.choices)
        program = resolved.program
        late = objections(program, facts.arch)
        if late:
            return Refusal(self.name, late, resolved.choices)
        plan = Plan(
            backend=self.name,
            program=program,
            degradations=(
                *resolved.degradations,
                *compat_calls.untold(program, facts.arch, lambda: syscall_abi(facts) != str(UNKNOWN)),
                *(requirements.not_yet(finding) for finding in later),
            ),
            choices=resolved.choices,
            costs=("compiles a kernel module: seconds, minutes for the first one on a kernel",),
            notes=(*resolved.notes, *_notes(program)),
            aggregates_in_kernel=True,
            start=Start.MINUTES,
            detail=lower(program, facts.arch, lambda: syscall_abi(facts)),
        )
        if self._built(plan, facts):
            return replace(plan, costs=("loads a module built elsewhere",), start=Start.SECONDS)
        return plan

    def _built(self, plan: Plan, facts: HostFacts) -> bool:
        """Is there a module for exactly this program? Rendering takes time, so only a host with modules is asked."""
        if facts.recorded or not modules.any_prebuilt(facts.release):
            return False
        artifact = self.render(plan)
        return modules.prebuilt(artifact.files[artifact.main], facts.release) is not None

    def render(self, plan: Plan) -> Artifact:
        from xtrace.core.quoting import Code
        from xtrace.core.render import environment

        assert isinstance(plan.detail, Model)
        options = Code(" ".join(modules.OPTIONS))
        text = environment("systemtap").get_template("script.stp.j2").render(vars(plan.detail), options=options)
        return Artifact(self.name, {SCRIPT: text}, SCRIPT, ("stap", *modules.OPTIONS, SCRIPT), plan)

    def launch(self, artifact: Artifact, facts: HostFacts) -> Session:
        from xtrace.backends.systemtap import runner

        plan = artifact.plan
        assert isinstance(plan.detail, Model)
        script = artifact.files[artifact.main]
        workdir = runner.private_directory()
        try:
            path = workdir / SCRIPT
            path.write_text(script)
            built = modules.prebuilt(script, facts.release)
            module = workdir / f"{modules.module_name(script)}.ko"
            if built:
                shutil.copyfile(built, module)
            else:
                module = modules.build(path, workdir)
        except BaseException:
            shutil.rmtree(workdir, ignore_errors=True)
            raise
        scope = plan.program.scope
        parameters = {"xtrace_machine": 1, "xtrace_pid": scope.pid or 0, "xtrace_cpid": plan.program.cpid}
        decoder = Decoder(plan.program, plan.detail.site_types)
        return runner.StapSession(module, workdir, decoder, parameters, len(plan.detail.probes))
