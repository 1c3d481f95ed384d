"""Verdicts from findings and plans; broken parts are results."""

from __future__ import annotations

import json

import pytest

from tests.unit.doctor.engines import Engine
from xtrace.core.facts.model import HostFacts
from xtrace.core.plan.model import Finding
from xtrace.doctor.canaries import CANARIES
from xtrace.doctor.examine import engine_id, examine
from xtrace.doctor.model import Check, Examination
from xtrace.doctor.report import document, text
from xtrace.testing.hosts import FakeHost, FakeTypes

EXIT = {"sched:sched_process_exit": {"comm": "char[16]", "pid": "pid_t"}}
TYPES = FakeTypes(structs={"task_struct": {"tgid": "pid_t"}}, prototypes={"mmput": ("struct mm_struct *mm", "void")})


def host(**facts: object) -> HostFacts:
    known = {"kernel.kallsyms": True, "tracefs.path": "/sys/kernel/tracing", **facts}
    return FakeHost(events=EXIT, symbols=["mmput"], types=TYPES, facts=known)


def examined(*engines: Engine, facts: HostFacts | None = None, checks: tuple[Check, ...] = ()) -> Examination:
    backends = {engine.name: engine for engine in engines}
    needs = tuple(Check(engine_id(engine.name), "What it needs.", engine.check) for engine in engines)
    return examine(facts or host(), (*checks, *needs), backends)


def standing(found: Examination, name: str = "e") -> str:
    return found.standings[name][0]


def test_everything_works() -> None:
    found = examined(Engine("e"))
    assert {cell.answer for cell in found.cells} == {"yes"}
    assert len(found.cells) == len(CANARIES)
    assert standing(found) == "usable"
    assert found.usable
    assert found.spotless


def test_a_degradation_is_a_limit() -> None:
    found = examined(Engine("e", loses="colour"))
    assert {cell.answer for cell in found.cells} == {"limited"}
    assert standing(found) == "usable with limits"
    assert not found.spotless


def test_a_refusal_says_why_and_what_helps() -> None:
    found = examined(Engine("e", refuses="no such luck"), Engine("f"))
    assert standing(found) == "unusable"
    report = text(found)
    assert "e, nearly everything: no such luck" in report
    assert "fix: buy another" in report
    assert found.usable, "the other engine serves"


def test_what_an_engine_lacks_counts_more_than_its_plans() -> None:
    missing = (Finding("privileges", "fail", "EACCES", "be root"),)
    found = examined(Engine("e", findings=missing))
    assert found.standings["e"] == ("unusable", "privileges: EACCES")
    assert {cell.answer for cell in found.cells if cell.canary != "interval"} == {"no"}
    assert not found.usable


def test_what_nobody_may_look_at_is_unknown_and_not_absent() -> None:
    blind = FakeHost(facts={"tracefs.path": "/sys/kernel/tracing", "caller.uid": 1000, "kernel.kallsyms": True})
    found = examined(Engine("e"), facts=blind)
    answers = {cell.canary: cell.answer for cell in found.cells}
    assert answers["tracepoint"] == "unknown"
    assert answers["kprobe"] == "no", "kallsyms is open to everybody"


def test_an_architecture_without_a_program_is_unknown() -> None:
    known = FakeHost(arch="pdp11", events=EXIT, symbols=["mmput"], facts={"kernel.kallsyms": True})
    answers = {cell.canary: cell.answer for cell in examined(Engine("e"), facts=known).cells}
    assert answers["usdt"] == "unknown"
    assert answers["tracepoint"] == "yes"


def test_a_broken_backend_and_a_broken_check_are_results() -> None:
    def broken(facts: HostFacts) -> tuple[Finding, ...]:
        raise KeyError("for a test")

    found = examined(Engine("e", breaks=True), checks=(Check("XT-BROKEN", "A broken check.", broken),))
    assert found.crashed
    assert {cell.answer for cell in found.cells} == {"crash"}
    assert "crash    XT-BROKEN: KeyError" in text(found)


@pytest.mark.parametrize("verbose", [False, True])
def test_reports_hold_every_finding_that_matters(verbose: bool) -> None:
    findings = (Finding("a", "ok", "fine"), Finding("b", "warn", "bad", "do this"), Finding("c", "skip", "no matter"))
    report = text(examined(Engine("e", findings=findings)), verbose)
    assert "b: bad [XT-ENGINE-E]" in report
    assert "fix: do this" in report
    assert ("a: fine" in report) is verbose
    assert ("c: no matter" in report) is verbose


def test_the_document_is_json_with_a_schema() -> None:
    made = json.loads(json.dumps(document(examined(Engine("e")))))
    assert made["schema"] == "xtrace.doctor/1"
    assert made["engines"] == [{"name": "e", "standing": "usable", "why": None}]
    assert {cell["canary"] for cell in made["canaries"]} == {canary.name for canary in CANARIES}
