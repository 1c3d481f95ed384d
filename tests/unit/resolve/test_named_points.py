"""What a source of a named event becomes: unions, pairs, names of values, marks."""

from __future__ import annotations

from tests.unit.resolve.named import Events, host
from xtrace.core import ir
from xtrace.core.attach import Kprobe, Tracepoint
from xtrace.core.plan.traverse import all_expressions, statements
from xtrace.core.resolve.resolve import Resolved
from xtrace.core.types import Enumerated

IO = {"block:start": {"dev": "int", "at": "int"}, "block:done": {"dev": "int", "at": "int", "error": "int"}}
PAIR = """
    enter: tracepoint:block:start
    exit: tracepoint:block:done
    key: (args.dev, args.at)
    save: {begin: nsecs, who: pid}
    fields: {ns: nsecs - begin, maker: who, error: args.error}
    """
FIELDS = "ns: {type: uint}, maker: {type: int}, error: {type: int}"


def program(resolved: Resolved) -> ir.Program:
    assert resolved.program is not None, [problem.text() for problem in resolved.problems]
    return resolved.program


def test_a_union_has_a_clause_for_each_point_that_is_here(events: Events) -> None:
    events.event(
        "a: {type: int}",
        """
        attach: [tracepoint:sched:wakeup, tracepoint:sched:wakeup_new, tracepoint:sched:gone]
        fields: {a: args.pid}
        """,
    )
    here = host(events={"sched:wakeup": {"pid": "int"}, "sched:wakeup_new": {"pid": "long"}})
    resolved = events.resolve("test.event { print(a); }", here)
    points = [clause.attach[0] for clause in program(resolved).clauses]
    assert [point.name for point in points] == ["tracepoint:sched:wakeup", "tracepoint:sched:wakeup_new"]
    assert resolved.notes == (
        "test.event does without tracepoint:sched:gone here: absent: there is no tracepoint sched:gone on this host",
    )


def test_a_pair_is_two_clauses_and_hidden_maps_of_what_is_used(events: Events) -> None:
    events.event(FIELDS, PAIR)
    made = program(events.resolve("test.event { print(ns); }", host(events=IO)))
    enter, leave = made.clauses
    assert (enter.attach[0].name, leave.attach[0].name) == ("tracepoint:block:start", "tracepoint:block:done")
    assert [decl.name for decl in made.maps] == ["__1_begin", "__1_entered"]
    assert all(decl.hidden and len(decl.keys) == 2 for decl in made.maps)
    assert isinstance(leave.predicate, ir.MapValue) and leave.predicate.map == "__1_entered"
    deleted = [node.map for node in statements(leave.body) if isinstance(node, ir.DeleteKey)]
    assert deleted == ["__1_begin", "__1_entered"]


def test_only_the_entry_of_a_pair_is_within_the_scope(events: Events) -> None:
    events.event(FIELDS, PAIR)
    made = program(events.resolve("test.event { print(ns); }", host(events=IO), scope=ir.Scope(pid=7)))
    assert [clause.scoped for clause in made.clauses] == [True, False]


def test_two_uses_of_a_pair_do_not_share_maps(events: Events) -> None:
    events.event(FIELDS, PAIR)
    made = program(events.resolve("test.event { print(ns); } test.event { print(maker); }", host(events=IO)))
    assert [decl.name for decl in made.maps] == ["__1_begin", "__1_entered", "__2_entered", "__2_who"]


def test_the_predicate_of_a_pair_runs_after_the_maps_are_cleared(events: Events) -> None:
    events.event(FIELDS, PAIR)
    leave = program(events.resolve("test.event /error/ { print(ns); }", host(events=IO))).clauses[1]
    (last,) = leave.body[-1:]
    assert isinstance(last, ir.If) and isinstance(last.condition, ir.Field)
    assert [type(node) for node in leave.body[:-1]] == [ir.SetVar, ir.DeleteKey, ir.DeleteKey]


def test_lets_of_a_pair_reach_through_to_what_was_saved(events: Events) -> None:
    events.event(
        "half: {type: int}",
        """
        enter: kprobe:work(int how)
        exit: kretprobe:work
        save: {wanted: how}
        let: {part: wanted / 2}
        exit_where: (int32)retval == 0
        fields: {half: part}
        """,
    )
    made = program(events.resolve("test.event { print(half); }", host(symbols=["work"])))
    assert [decl.name for decl in made.maps] == ["__1_entered", "__1_wanted"]
    (guard,) = made.clauses[1].body[-1:]
    assert isinstance(guard, ir.If)
    assert any(isinstance(expr, ir.Retval) for expr in all_expressions(made.clauses[1]))


def test_where_is_part_of_the_predicate_and_the_prototype_names_arguments(events: Events) -> None:
    events.event("a: {type: int}", "attach: kprobe:work(int how, long more)\nwhere: more > 0\nfields: {a: how}")
    (clause,) = program(events.resolve("test.event /pid == 1/ { print(a); }", host(symbols=["work"]))).clauses
    (point,) = clause.attach
    assert isinstance(point, Kprobe) and [one.name for one in point.parameters] == ["how", "more"]
    assert isinstance(clause.predicate, ir.Logical) and clause.predicate.op == "&&"


def test_late_reading_is_marked_in_the_finished_program(events: Events) -> None:
    events.event(
        "path: {type: string}",
        "attach: tracepoint:syscalls:sys_enter_open\nlate: true\nfields: {path: str(args.name)}",
    )
    here = host(events={"syscalls:sys_enter_open": {"name": "const char *"}})
    (clause,) = program(events.resolve("test.event { print(path); }", here)).clauses
    reads = [expr for expr in all_expressions(clause) if isinstance(expr, ir.ReadString)]
    assert reads and all(read.late for read in reads)


def test_fields_whose_values_the_print_format_names_are_enumerated(events: Events) -> None:
    events.event("why: {type: int}", "attach: tracepoint:skb:drop\nfields: {why: args.reason}")
    here = host(events={"skb:drop": FORMAT})
    made = program(events.resolve("test.event { emit(why); } tracepoint:skb:drop { print(args.reason); }", here))
    (site, plain) = made.sites
    assert isinstance(site, ir.Emit) and site.columns[0][1] == Enumerated("format:skb:drop:reason", 4, False)
    assert isinstance(plain, ir.PrintValue) and not isinstance(plain.type, Enumerated)
    assert isinstance(made.clauses[1].attach[0], Tracepoint)


def test_an_event_of_any_process_says_what_choosing_one_misses(events: Events) -> None:
    events.event("a: {type: int}", "attach: kprobe:work\nfields: {a: cpu}", more="anywhere: true")
    here = host(symbols=["work"])
    assert events.resolve("test.event { print(a); }", here).degradations == ()
    (said,) = events.resolve("test.event { print(a); }", here, scope=ir.Scope(pid=1)).degradations
    assert "whatever process runs" in said.message


FORMAT = """name: drop
ID: 7
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;

\tfield:unsigned int reason;\toffset:8;\tsize:4;\tsigned:0;

print fmt: "reason: %s", __print_symbolic(REC->reason, { 2, "NOT_SPECIFIED" }, { 3, "NO_SOCKET" })
"""
