"""A backend: the smallest there can be. It runs programs that attach to nothing in the kernel."""

from __future__ import annotations

from dataclasses import dataclass

from xtrace.core.backend import Session
from xtrace.core.errors import Diagnostic
from xtrace.core.facts.model import HostFacts
from xtrace.core.plan.model import Artifact, Finding, Plan, Refusal, Request, Verdict


@dataclass(frozen=True)
class TimersBackend:
    name: str = "timers"

    def check(self, facts: HostFacts) -> tuple[Finding, ...]:
        return (Finding("needs", "ok", "nothing"),)

    def plan(self, request: Request, facts: HostFacts) -> Verdict:
        from xtrace.core.resolve.resolve import resolve
        from xtrace.core.session.local import needs_no_engine

        resolved = resolve(request, facts, lambda clause: ())
        if resolved.program is None:
            return Refusal(self.name, resolved.problems, resolved.choices)
        if not needs_no_engine(resolved.program):
            return Refusal(self.name, (Diagnostic("EX0001", "it has timers, begin and end, and nothing else"),))
        return Plan(self.name, resolved.program, resolved.degradations, notes=resolved.notes)

    def render(self, plan: Plan) -> Artifact:
        text = "".join(f"{point.name}\n" for clause in plan.program.clauses for point in clause.attach)
        return Artifact(self.name, {"timers.txt": text}, "timers.txt", ("cat", "timers.txt"), plan)

    def launch(self, artifact: Artifact, facts: HostFacts) -> Session:
        from xtrace.core.session.local import LocalSession

        return LocalSession(artifact.plan.program)
