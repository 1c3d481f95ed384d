"""SystemTap: one script, compiled to a kernel module here or elsewhere."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from xtrace.backends.systemtap import modules, requirements
from xtrace.backends.systemtap.decode import Decoder
from xtrace.backends.systemtap.lower import Model, clause_objections, lower, objections
from xtrace.core.backend import Session
from xtrace.core.errors import Diagnostic
from xtrace.core.facts.model import HostFacts
from xtrace.core.plan.model import Artifact, Finding, Plan, Refusal, Request, Verdict

SCRIPT = "xtrace.stp"


@dataclass(frozen=True)
class SystemTapBackend:
    name: str = "systemtap"

    def check(self, facts: HostFacts) -> tuple[Finding, ...]:
        return requirements.findings(facts)

    def plan(self, request: Request, facts: HostFacts) -> Verdict:
        from xtrace.core.resolve.resolve import resolve

        lacking = tuple(
            Diagnostic("XT0903", f"{finding.subject}: {finding.evidence}", hints=(finding.remedy,))
            for finding in self.check(facts)
            if finding.state == "fail"
        )
        resolved = resolve(request, facts, lambda clause: clause_objections(clause, facts.arch))
        if resolved.program is None or lacking:
            return Refusal(self.name, (*lacking, *resolved.problems), resolved.choices)
        program = resolved.program
        late = objections(program, facts.arch)
        if late:
            return Refusal(self.name, late, resolved.choices)
        return Plan(
            backend=self.name,
            program=program,
            degradations=resolved.degradations,
            choices=resolved.choices,
            costs=("compiles a kernel module: seconds, minutes for the first one on a kernel",),
            notes=(*resolved.notes, "nsecs is the monotonic clock: SystemTap has no boot clock"),
            aggregates_in_kernel=True,
            compiles=True,
            detail=lower(program, facts.arch),
        )

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
