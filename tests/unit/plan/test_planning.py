"""Backends are asked only as far as they are needed."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from xtrace.core import ir
from xtrace.core.backend import Session
from xtrace.core.errors import Diagnostic, ProgramError
from xtrace.core.facts.model import HostFacts
from xtrace.core.lang.parser import parse
from xtrace.core.lang.source import Source
from xtrace.core.plan.checking import check_request
from xtrace.core.plan.model import Artifact, Degradation, Finding, Plan, Refusal, Request, Verdict
from xtrace.core.plan.planning import Candidates, plan_all
from xtrace.testing.hosts import FakeHost

STREAM = ir.Program((), (), ())
REQUEST = Request(parse(Source("test", "begin { exit(); }")), "test")


@dataclass
class Scripted:
    """A backend with one answer, which counts how often it is asked."""

    verdict: Verdict
    asked: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.verdict.backend

    def check(self, facts: HostFacts) -> tuple[Finding, ...]:
        return ()

    def plan(self, request: Request, facts: HostFacts) -> Verdict:
        self.asked.append(request.title)
        return self.verdict

    def render(self, plan: Plan) -> Artifact:
        raise AssertionError("planning renders nothing")

    def launch(self, artifact: Artifact, facts: HostFacts) -> Session:
        raise AssertionError("planning starts nothing")


def candidates(*verdicts: Verdict) -> tuple[Candidates, list[Scripted]]:
    backends = [Scripted(verdict) for verdict in verdicts]
    return Candidates(REQUEST, FakeHost(), {one.name: one for one in backends}), backends


def lossy(name: str, losses: int) -> Plan:
    return Plan(name, STREAM, tuple(Degradation(str(n)) for n in range(losses)))


def test_a_settled_plan_is_given_before_the_others_are_asked() -> None:
    made, (first, second) = candidates(Plan("a", STREAM), Plan("b", STREAM))
    plans = iter(made)
    assert next(plans).backend == "a"
    assert (len(first.asked), len(second.asked)) == (1, 0)
    assert next(plans).backend == "b"


def test_open_plans_wait_for_the_better_ones() -> None:
    made, _ = candidates(lossy("a", 2), lossy("b", 1), Plan("c", STREAM))
    assert [plan.backend for plan in made] == ["c", "b", "a"]


def test_refusals_are_kept() -> None:
    no = Refusal("a", (Diagnostic("XT0801", "no"),))
    made, _ = candidates(no, Plan("b", STREAM))
    assert [plan.backend for plan in made] == ["b"]
    assert made.refused == [no]


def test_all_refuse() -> None:
    made, _ = candidates(Refusal("a", ()), Refusal("b", ()))
    assert list(made) == []
    assert [one.backend for one in made.refused] == ["a", "b"]


def test_all_verdicts_keep_the_order_of_registration() -> None:
    backends = {name: Scripted(Plan(name, STREAM)) for name in ("b", "a")}
    assert [one.backend for one in plan_all(REQUEST, FakeHost(), backends)] == ["b", "a"]


def test_a_program_full_of_mistakes_is_told_the_first_hundred() -> None:
    calls = " ".join(f"@x{number} = nonsense{number}();" for number in range(300))
    with pytest.raises(ProgramError) as raised:
        check_request(Request(parse(Source("t", f"BEGIN {{ {calls} }}")), "t"))
    assert [one.code for one in raised.value.diagnostics] == [*["XT0203"] * 100, "XT0122"]


def test_warnings_are_given_and_come_with_the_errors() -> None:
    odd = "BEGIN { $x = 1; $x; }"
    assert [one.code for one in check_request(Request(parse(Source("t", odd)), "t"))] == ["XT0228"]
    with pytest.raises(ProgramError) as raised:
        check_request(Request(parse(Source("t", odd + "END { $y; }")), "t"))
    assert [one.severity for one in raised.value.diagnostics] == ["warning", "error"]
