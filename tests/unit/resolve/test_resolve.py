"""Programs over probes of the user's own: layouts, missing probes, what the compiler changed, objections."""

from __future__ import annotations

import pytest

from tests.unit.resolve.named import Events, host, no_memory
from xtrace.core import ir
from xtrace.core.errors import ProgramError
from xtrace.core.resolve.resolve import Resolved
from xtrace.core.types import Int

EVENTS = {"a:one": {"x": "int", "y": "int"}, "a:two": {"y": "long"}, "a:three": {"y": "long"}}


def clauses(resolved: Resolved) -> list[list[str]]:
    assert resolved.program is not None, [problem.text() for problem in resolved.problems]
    return [[point.name for point in clause.attach] for clause in resolved.program.clauses]


def codes(resolved: Resolved) -> list[str]:
    assert resolved.program is None
    return [problem.code for problem in resolved.problems]


# --- layouts ---------------------------------------------------------------------------------------------------------


def test_a_clause_that_reads_the_record_is_typed_for_each_layout(events: Events) -> None:
    resolved = events.resolve("tracepoint:a:* { print(args.y); }", host(events=EVENTS))
    assert clauses(resolved) == [["tracepoint:a:one"], ["tracepoint:a:three", "tracepoint:a:two"]]
    assert resolved.program is not None
    types = [
        one.args[0].type for clause in resolved.program.clauses for one in clause.body if isinstance(one, ir.Output)
    ]
    assert types == [Int(4, True), Int(8, True)]


def test_a_clause_that_does_not_stays_one(events: Events) -> None:
    resolved = events.resolve("tracepoint:a:* { @ = count(); }", host(events=EVENTS))
    assert clauses(resolved) == [["tracepoint:a:one", "tracepoint:a:three", "tracepoint:a:two"]]


def test_a_field_that_one_layout_lacks_is_an_error_of_the_program(events: Events) -> None:
    with pytest.raises(ProgramError, match="tracepoint:a:three has no field x"):
        events.resolve("tracepoint:a:* { print(args.x); }", host(events=EVENTS))


# --- missing probes --------------------------------------------------------------------------------------------------


def test_a_missing_probe_is_an_error_with_near_names(events: Events) -> None:
    resolved = events.resolve("tracepoint:a:tow { @ = count(); }", host(events=EVENTS))
    assert codes(resolved) == ["XT0501"]
    assert "a:two" in resolved.problems[0].hints[0]


def test_a_pattern_beside_other_probes_may_match_nothing_and_that_is_told(events: Events) -> None:
    resolved = events.resolve("tracepoint:a:one, tracepoint:a:x* { @ = count(); }", host(events=EVENTS))
    assert clauses(resolved) == [["tracepoint:a:one"]]
    assert [one.message for one in resolved.degradations] == ["there is no tracepoint a:x* on this host"]
    assert codes(events.resolve("tracepoint:a:x* { @ = count(); }", host(events=EVENTS))) == ["XT0501"]


def test_every_missing_probe_is_named(events: Events) -> None:
    program = "tracepoint:a:four { @ = count(); } kprobe:none { @ = count(); }"
    assert codes(events.resolve(program, host(events=EVENTS, symbols=["x"]))) == ["XT0501", "XT0502"]


@pytest.mark.parametrize(
    "more", [", tracepoint:a:one { @ = count(); }", "{ @ = count(); } tracepoint:a:one { @ = count(); }"]
)
def test_a_program_may_do_without(events: Events, more: str) -> None:
    resolved = events.resolve(f"config = {{ missing_probes = warn }} tracepoint:a:four {more}", host(events=EVENTS))
    assert clauses(resolved) == [["tracepoint:a:one"]]
    assert [one.message for one in resolved.degradations] == ["there is no tracepoint a:four on this host"]


def test_one_of_a_list_may_be_missing_and_that_is_told(events: Events) -> None:
    resolved = events.resolve("tracepoint:a:four, tracepoint:a:one { @ = count(); }", host(events=EVENTS))
    assert clauses(resolved) == [["tracepoint:a:one"]]
    assert [one.message for one in resolved.degradations] == ["there is no tracepoint a:four on this host"]


def test_a_list_of_which_nothing_is_here_is_refused_with_the_way_to_do_without(events: Events) -> None:
    program = "tracepoint:a:four, kprobe:none { @ = count(); } tracepoint:a:one { @ = count(); }"
    problems = events.resolve(program, host(events=EVENTS, symbols=["x"])).problems
    assert [one.code for one in problems] == ["XT0501", "XT0502"]
    assert all("missing_probes" in one.hints[-1] for one in problems)
    alone = events.resolve("tracepoint:a:four { @ = count(); }", host(events=EVENTS)).problems
    assert not any("missing_probes" in hint for one in alone for hint in one.hints)


def test_a_probe_that_xtrace_has_not_is_not_one_that_is_missing(events: Events) -> None:
    for config in ("", "config = { missing_probes = warn }"):
        program = f"{config} watchpoint:0x10:8:w, tracepoint:a:one {{ @ = count(); }}"
        assert codes(events.resolve(program, host(events=EVENTS))) == ["XT0509"]


def test_a_program_may_want_every_probe(events: Events) -> None:
    program = "config = { missing_probes = error } tracepoint:a:four, tracepoint:a:one { @ = count(); }"
    assert codes(events.resolve(program, host(events=EVENTS))) == ["XT0501"]


def test_ignored_probes_are_only_noted(events: Events) -> None:
    program = "config = { missing_probes = ignore } tracepoint:a:four, tracepoint:a:one { @ = count(); }"
    resolved = events.resolve(program, host(events=EVENTS))
    assert resolved.degradations == ()
    assert resolved.notes == ("there is no tracepoint a:four on this host",)


def test_a_program_of_which_nothing_is_left_is_refused_all_the_same(events: Events) -> None:
    program = "config = { missing_probes = warn } begin { @ = 1; } tracepoint:a:four { @ = 2; }"
    assert codes(events.resolve(program, host(events=EVENTS))) == ["XT0501"]


# --- what the compiler changed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "symbol", "refused"),
    [
        ("kprobe:work { @ = count(); }", "work.isra.0", False),
        ("kprobe:work { print(arg0); }", "work.isra.0", True),
        ("kprobe:work { print(arg0); }", "work.constprop.0", True),
        ("kprobe:work { print(arg0); }", "work.part.0", True),
        ("kprobe:work /arg1 == 2/ { @ = count(); }", "work.constprop.0", True),
        ("kretprobe:work { print(retval); }", "work.isra.0", True),
        ("kretprobe:work { print(retval); }", "work.constprop.0", False),
        ("kprobe:work { print(arg0); }", "work", False),
    ],
)
def test_arguments_of_changed_functions_are_refused(events: Events, program: str, symbol: str, refused: bool) -> None:
    resolved = events.resolve(program, host(symbols=[symbol]))
    assert [problem.code for problem in resolved.problems] == (["XT0514"] if refused else [])


# --- the engine's own objections -------------------------------------------------------------------------------------


def test_an_objection_to_the_users_own_clause_is_a_problem_once(events: Events) -> None:
    program = "kprobe:f { print(str(arg0)); } kprobe:g { print(*arg0); }"
    resolved = events.resolve(program, host(symbols=["f", "g"]), no_memory)
    assert codes(resolved) == ["XT0801"]


def test_an_unknown_event_gets_near_names(events: Events) -> None:
    events.event("a: {type: int}", "attach: begin\nfields: {a: '1'}")
    resolved = events.resolve("test.evnt { print(a); }", host())
    assert codes(resolved) == ["XT0512"]
    assert resolved.problems[0].hints == ("did you mean test.event?",)
