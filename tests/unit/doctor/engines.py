"""Backends made for tests: what they answer is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, NoReturn

from xtrace.core.backend import Session
from xtrace.core.errors import Diagnostic
from xtrace.core.facts.model import HostFacts
from xtrace.core.plan.model import Artifact, Degradation, Finding, Plan, Refusal, Request, Verdict
from xtrace.core.resolve.resolve import resolve

FINE = (Finding("engine", "ok", "it is there"),)


@dataclass(frozen=True)
class Engine:
    """Serves what resolves, unless `refuses` or `loses` says something, or `breaks`."""

    name: str
    findings: tuple[Finding, ...] = FINE
    refuses: str = ""
    loses: str = ""
    breaks: bool = False

    def check(self, facts: HostFacts) -> tuple[Finding, ...]:
        return self.findings

    def plan(self, request: Request, facts: HostFacts) -> Verdict:
        if self.breaks:
            raise ZeroDivisionError("for a test")
        if self.refuses:
            return Refusal(self.name, (Diagnostic("XT0701", self.refuses, hints=("buy another",)),))
        resolved = resolve(request, facts, lambda clause: ())
        if resolved.program is None:
            return Refusal(self.name, resolved.problems)
        return Plan(self.name, resolved.program, (Degradation(self.loses),) if self.loses else ())

    def render(self, plan: Plan) -> Artifact:
        return _never()

    def launch(self, artifact: Artifact, facts: HostFacts) -> Session:
        return _never()


def _never() -> NoReturn:
    raise AssertionError("an examination that is not active runs nothing")


Check = Callable[[HostFacts], "tuple[Finding, ...]"]
