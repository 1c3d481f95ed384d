"""Which source of a named event serves: the first whole one, else the one that loses least."""

from __future__ import annotations

from tests.unit.resolve.named import Events, host, no_memory
from xtrace.testing.hosts import FakeTypes

SWITCH = {"sched:sched_switch": {"prev_pid": "int", "next_pid": "int", "next": "struct task_struct *"}}
WAKING = {"sched:sched_waking": {"pid": "int"}}
TASK = FakeTypes(structs={"task_struct": {"prio": "int", "comm": "char[16]"}})
BOTH = "a: {type: int}, b: {type: int, optional: true}"


def test_the_first_source_that_is_here(events: Events) -> None:
    events.event(
        "a: {type: int}",
        "attach: tracepoint:sched:sched_gone\nfields: {a: args.pid}",
        "attach: tracepoint:sched:sched_waking\nfields: {a: args.pid}",
        "attach: tracepoint:sched:sched_switch\nfields: {a: args.next_pid}",
    )
    choice = events.choice("test.event { print(a); }", host(events={**SWITCH, **WAKING}))
    assert choice.source == "tracepoint:sched:sched_waking"
    assert choice.passed_over == (
        ("tracepoint:sched:sched_gone", "absent: there is no tracepoint sched:sched_gone on this host"),
    )


def test_no_source_at_all_names_each_reason(events: Events) -> None:
    events.event(
        "a: {type: int}",
        "attach: tracepoint:sched:sched_switch\nfields: {a: args.missing}",
        "attach: kprobe:schedule\nfields: {a: tid}",
    )
    resolved = events.resolve("test.event { print(a); }", host(events=SWITCH))
    (problem,) = resolved.problems
    assert (problem.code, problem.message) == ("XT0520", "no source of test.event serves here")
    assert problem.hints[0] == (
        "tracepoint:sched:sched_switch: field missing: tracepoint:sched:sched_switch has no field missing"
    )
    assert problem.hints[1].startswith("kprobe:schedule: absent: schedule is not visible here")
    assert resolved.program is None
    assert resolved.choices[0].source == ""


def test_a_later_source_with_every_field_comes_before_an_earlier_one_without(events: Events) -> None:
    events.event(
        BOTH,
        "attach: tracepoint:sched:sched_waking\nfields: {a: args.pid}",
        "attach: tracepoint:sched:sched_switch\nfields: {a: args.next_pid, b: args.prev_pid}",
    )
    both = host(events={**SWITCH, **WAKING})
    assert events.choice("test.event { print(a); }", both).source == "tracepoint:sched:sched_waking"
    choice = events.choice("test.event { emit(a, b); }", both)
    assert choice.source == "tracepoint:sched:sched_switch"
    assert choice.passed_over == (
        ("tracepoint:sched:sched_waking", "serves only without b (the source does not give it)"),
    )


def test_an_optional_field_is_given_up_only_where_no_source_has_it(events: Events) -> None:
    events.event(
        BOTH,
        "attach: tracepoint:sched:sched_waking\nfields: {a: args.pid}",
        "attach: tracepoint:sched:sched_gone\nfields: {a: args.pid, b: args.pid}",
    )
    resolved = events.resolve("test.event { emit(a, b); }", host(events=WAKING))
    assert resolved.choices[0].source == "tracepoint:sched:sched_waking"
    assert [one.message for one in resolved.degradations] == ["test.event has no b here: the source does not give it"]


def test_a_field_that_the_engine_cannot_read_is_given_up_alone(events: Events) -> None:
    events.event(
        "a: {type: int}, b: {type: int, optional: true}, c: {type: int, optional: true}",
        "attach: tracepoint:sched:sched_switch\nfields: {a: args.prev_pid, b: args.next->prio, c: args.next_pid}",
    )
    resolved = events.resolve("test.event { emit(a, b, c); }", host(events=SWITCH, types=TASK), no_memory)
    assert [one.message for one in resolved.degradations] == ["test.event has no b here: this engine reads no memory"]


def test_a_field_that_a_filter_needs_is_never_given_up(events: Events) -> None:
    events.event(BOTH, "attach: tracepoint:sched:sched_switch\nfields: {a: args.prev_pid, b: args.next->prio}")
    switch = host(events=SWITCH, types=TASK)
    assert events.resolve("test.event /b > 1/ { print(a); }", switch).program is not None
    (problem,) = events.resolve("test.event /b > 1/ { print(a); }", switch, no_memory).problems
    assert problem.hints == ("tracepoint:sched:sched_switch: this engine reads no memory",)


def test_a_field_that_only_a_dead_branch_uses_is_not_missed(events: Events) -> None:
    events.event(BOTH, "attach: tracepoint:sched:sched_waking\nfields: {a: args.pid}")
    program = "test.event /!false || b > 0/ { if (false) { print(b); } else { print(a); } }"
    assert events.resolve(program, host(events=WAKING)).degradations == ()


def test_an_approximate_source_comes_last_whatever_it_has(events: Events) -> None:
    events.event(
        BOTH,
        """
        attach: tracepoint:sched:sched_switch
        approximate: more than that
        fields: {a: args.next_pid, b: args.prev_pid}
        """,
        "attach: tracepoint:sched:sched_waking\nfields: {a: args.pid}",
    )
    exact = events.choice("test.event { emit(a, b); }", host(events={**SWITCH, **WAKING}))
    assert (exact.source, exact.approximate) == ("tracepoint:sched:sched_waking", "")
    assert exact.passed_over == (("tracepoint:sched:sched_switch", "serves only approximately: more than that"),)
    only = events.choice("test.event { emit(a, b); }", host(events=SWITCH))
    assert (only.source, only.approximate) == ("tracepoint:sched:sched_switch", "more than that")


def test_of_two_lossy_sources_the_one_that_loses_less(events: Events) -> None:
    events.event(
        "a: {type: int}, b: {type: int, optional: true}, c: {type: int, optional: true}",
        "attach: tracepoint:sched:sched_waking\nfields: {a: args.pid}",
        "attach: tracepoint:sched:sched_switch\nfields: {a: args.next_pid, b: args.prev_pid}",
    )
    resolved = events.resolve("test.event { emit(a, b, c); }", host(events={**SWITCH, **WAKING}))
    assert resolved.choices[0].source == "tracepoint:sched:sched_switch"
    assert [one.message for one in resolved.degradations] == ["test.event has no c here: the source does not give it"]


def test_when_is_asked_of_the_host(events: Events) -> None:
    events.event(
        "a: {type: int}",
        "attach: tracepoint:sched:sched_switch\nwhen: has(args.reason)\nfields: {a: args.reason}",
        "attach: tracepoint:sched:sched_switch\nfields: {a: args.next_pid}",
    )
    choice = events.choice("test.event { print(a); }", host(events=SWITCH))
    assert choice.passed_over == (("tracepoint:sched:sched_switch", "field missing: not has(args.reason)"),)
    newer = {"sched:sched_switch": {"next_pid": "int", "reason": "int"}}
    assert events.choice("test.event { print(a); }", host(events=newer)).passed_over == ()


def test_a_function_of_which_calls_may_be_missed_counts_as_approximate(events: Events) -> None:
    events.event("a: {type: int}", "attach: kprobe:do_work\nfields: {a: arg0}")
    whole = events.choice("test.event { print(a); }", host(symbols=["do_work"]))
    assert whole.approximate == ""
    split = events.choice("test.event { print(a); }", host(symbols=["do_work", "do_work.part.0"]))
    assert split.approximate.startswith("partially inlined (calls missed)")


def test_an_event_that_does_not_exist_has_near_names(events: Events) -> None:
    events.event("a: {type: int}", "attach: kprobe:do_work\nfields: {a: arg0}")
    (problem,) = events.resolve("test.evnt { print(1); }", host()).problems
    assert (problem.code, problem.hints) == ("XT0512", ("did you mean test.event?",))
