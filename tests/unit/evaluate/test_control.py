"""Order, predicates, loops, exit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.evaluate.programs import codes, evaluator, maps, printed, run, typed
from xtrace.core.evaluate import Evaluator
from xtrace.core.messages import Exited, Hit, MapDump, Notice


def test_actions_run_in_source_order() -> None:
    assert printed('BEGIN { @x = 1; printf("%d", @x); @x = 2; printf("%d", @x); }') == [(1,), (2,)]


def test_a_false_predicate_stops_the_clause() -> None:
    text = 'kprobe:f /arg0 > 3 && comm != "no"/ { @hit[arg0] = count(); }'
    assert maps(text, (0, 2, "yes"), (0, 4, "no"), (0, 5, "yes")) == {"hit": {5: 1}}


def test_branches() -> None:
    text = 'kprobe:f { if (arg0 == 1) { printf("a"); } else if (arg0 == 2) { printf("b"); } else { @rest = count(); } }'
    messages = run(text, (0, 1), (0, 2), (0, 3))
    assert [m.site for m in messages if isinstance(m, Hit)] == [0, 1]
    assert maps(text, (0, 3)) == {"rest": {(): 1}}


def test_a_variable_that_no_branch_set_is_zero() -> None:
    assert printed('kprobe:f { let $x; if (arg0) { $x = 5; } printf("%d", $x); }', (0, 0), (0, 1)) == [(0,), (5,)]


def test_loops_break_and_continue() -> None:
    text = """BEGIN { $i = 0; while ($i < 9) {
        $i++; if ($i == 2) { continue; } if ($i == 4) { break; } printf("%d", $i);
    } }"""
    assert printed(text) == [(1,), (3,)]


def test_a_runaway_loop_ends_and_is_noticed_once() -> None:
    program = typed('BEGIN { $i = 1; while ($i) { @n++; } printf("on"); } END { while (1) { @m++; } }')
    machine = Evaluator(program, rounds=50)
    machine.begin()
    messages = [*machine.take(), *machine.finish()]
    assert [type(m) for m in messages] == [Hit, MapDump, MapDump, Notice, Notice]
    assert "ended after 50 rounds" in str(messages[-1])
    assert MapDump("n", (((), 50),)) in messages


def test_exit_stops_the_clause_and_everything_after_it() -> None:
    text = 'BEGIN { printf("a"); exit(3); printf("b"); } kprobe:f { printf("c"); } END { printf("end"); }'
    messages = run(text, (1,))
    assert codes(messages) == [3]
    assert [type(m) for m in messages] == [Hit, Exited, Hit]
    assert isinstance(messages[-1], Hit) and messages[-1].site == len(evaluator(text).program.sites) - 1


def test_end_clauses_come_before_the_final_maps() -> None:
    messages = run('BEGIN { @a = 1; } END { printf("end"); @a = 2; }')
    assert [type(m) for m in messages] == [Hit, MapDump]
    assert messages[1] == MapDump("a", (((), 2),))


def test_hits_carry_time_and_cpu_of_the_record() -> None:
    (hit,) = run('kprobe:f { printf("%d %d %d", nsecs, cpu, elapsed); }', (0,))
    assert hit == Hit(0, (2000, 1, 1000), 2000, 1)


def test_own_clauses_have_the_builtins_of_this_process() -> None:
    import os

    assert printed('BEGIN { printf("%d %s", pid, probe); } END { printf("%s", probe); }') == [
        (os.getpid(), "BEGIN"),
        ("END",),
    ]


def test_an_uncaptured_event_value_is_refused() -> None:
    program = typed("kprobe:f { @a = arg0; }")
    try:
        Evaluator(program)
    except ValueError as error:
        assert "Arg must be captured" in str(error)
    else:
        raise AssertionError("evaluated an argument that no record carries")


def test_strings_compare_whole_and_by_their_start() -> None:
    text = """kprobe:f {
        printf("%d %d %d %d", comm == "bash", comm != "bash", strncmp(comm, "basalt", 3), strcontains(comm, "as"));
    }"""
    assert printed(text, (0, "bash")) == [(1, 0, 0, 1)]
    assert printed(text, (0, "zsh")) == [(0, 1, 1, 0)]


def test_a_record_fires_only_its_own_clause() -> None:
    machine = evaluator("kprobe:f { @a = count(); } kprobe:g { @b = count(); }")
    machine.fire(1, ())
    assert [m.map for m in machine.finish() if isinstance(m, MapDump)] == ["b"]


def test_an_evaluator_keeps_nothing_of_another() -> None:
    program = replace(typed("BEGIN { @a = count(); }"))
    for _ in range(2):
        machine = Evaluator(program)
        machine.begin()
        assert machine.store("a").entries == {(): 1}


@pytest.mark.parametrize("op", ["+", "*", "/", ">>", "<<", "<", "&&", "==", "-"])
def test_deep_expressions_are_computed(op: str) -> None:
    """Python's parser takes 200 parentheses in one another at most, and fewer of what may wrap."""
    chain = f" {op} ".join(["$a"] * 110)
    one = "$a = nsecs - nsecs + 1;"
    step_by_step = printed(f"BEGIN {{ {one} $b = $a {op} $a; {f'$b = $b {op} $a; ' * 108} print($b); }}")
    assert printed(f"BEGIN {{ {one} print({chain}); }}") == step_by_step


def test_deep_conditions_of_loops_are_computed_each_round() -> None:
    zeros = " + ".join(["$zero"] * 40)
    loop = f"while ($i < 5 + ({zeros})) {{ $i++; if ($i == 2) {{ continue; }} @n++; }}"
    assert maps(f"BEGIN {{ $zero = nsecs - nsecs; $i = 0; {loop} }}") == {"n": {(): 4}}


def test_a_deep_predicate_decides() -> None:
    deep = " + ".join(["arg0"] * 60)
    assert maps(f"kprobe:f /{deep} > 60/ {{ @n++; }}", (0, 1), (0, 2)) == {"n": {(): 1}}
