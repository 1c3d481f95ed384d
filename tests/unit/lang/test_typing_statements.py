"""Variables, branches, loops."""

from __future__ import annotations

import pytest

from tests.unit.lang.small_kernel import body, complaints, refusals, typed
from xtrace.core import ir
from xtrace.core.types import Bool, Inet, Int, Pointer, String, Struct

X = ir.Var("x", Int())


def test_a_variable_takes_the_type_of_all_its_assignments() -> None:
    """The first print shows what the second assignment widens: typing goes round again."""
    first = body('$x = "a"; print($x); $x = comm; print($x);')[1]
    assert isinstance(first, ir.Output)
    assert first.args == (ir.Var("x", String(16)),)


def test_a_narrow_type_is_kept_until_something_wider_comes() -> None:
    swapped = body("$x = ((struct sock *)arg0)->__sk_common.skc_dport; $x = bswap($x); print($x);")
    assert isinstance(swapped[-1], ir.Output)
    assert swapped[-1].args == (ir.Var("x", Int(2, False)),)


def test_a_pointer_may_start_as_zero() -> None:
    stored = body("$p = 0; $p = (struct sock *)arg0; print($p->sk_flags);")[-1]
    assert isinstance(stored, ir.Output)
    load = stored.args[0]
    assert isinstance(load, ir.Load)
    assert load.base == ir.Var("p", Pointer(Struct("sock", 760)))


def test_blocks_have_variables_of_their_own() -> None:
    branch = body("if (arg0) { $x = 1; } else { $x = comm; }")[0]
    assert isinstance(branch, ir.If)
    assert branch.then == (ir.SetVar("x", ir.Const(1)),)
    assert isinstance(branch.otherwise[0], ir.SetVar)
    assert branch.otherwise[0].name == "x_2"


def test_a_variable_used_after_its_block_belongs_to_the_clause() -> None:
    """As in bpftrace before 0.22, and in the tools of that time."""
    first, branch, shown = body("if (arg0) { $x = ntop(arg0); } else { $x = ntop(arg1); } print($x);")
    assert first == ir.SetVar("x", ir.Address(ir.Const(0), Inet()))
    assert isinstance(branch, ir.If)
    assert {one.name for one in (*branch.then, *branch.otherwise) if isinstance(one, ir.SetVar)} == {"x"}
    assert isinstance(shown, ir.Output)
    assert shown.args == (ir.Var("x", Inet()),)


def test_a_declared_variable_starts_at_zero() -> None:
    assert body("let $x; if (arg0) { $x = 1; } print($x);")[0] == ir.SetVar("x", ir.Const(0))
    assert body("let $x; $x = arg0; $x = nsecs;")[0] == ir.SetVar("x", ir.Const(0, Int(8, False)))
    assert body("let $x; print($x);")[0] == ir.SetVar("x", ir.Const(0))
    declared, assigned = body("let $x: uint8 = 1; $x = 300;")
    assert declared == ir.SetVar("x", ir.Const(1, Int(1, False)))
    assert assigned == ir.SetVar("x", ir.Const(44, Int(1, False)))


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("print($x);", "XT0202", "$x"),
        ("if (arg0) { let $x = 1; } print($x);", "XT0202", "$x"),
        ("if (arg0) { $x = 1; } if (arg1) { $x = comm; } print($x);", "XT0224", "$x"),
        ("for ($i : 0..5) { } print($i);", "XT0202", "$i"),
        ("if (arg0) { $x = kstack; } print($x);", "XT0202", "$x"),
        ("$x = 1; $x = comm;", "XT0224", "$x"),
        ("break;", "XT0226", "break"),
        ("unroll(101) { @x = 1; }", "XT0205", "101"),
        ("unroll(arg0) { @x = 1; }", "XT0223", "arg0"),
        ("if (comm) { }", "XT0207", "comm"),
        ("$x = comm; $x++;", "XT0206", "$x++"),
    ],
)
def test_refusals(text: str, code: str, place: str) -> None:
    found = refusals(f"kprobe:f {{ {text} }}")
    assert {one: found[one].strip(";") for one in found} == {code: place}


def test_several_errors_in_one_clause() -> None:
    assert set(refusals("kprobe:f /comm/ { print($x); nonsense(); @x[1] = 1; @x = 1; }")) == {
        "XT0207",
        "XT0202",
        "XT0203",
        "XT0214",
    }


def test_unroll_repeats_the_body() -> None:
    assert body("unroll(3) { @x++; }") == (ir.AddMap("x", (), ir.Const(1)),) * 3


def test_while_evaluates_the_steps_of_its_condition_each_time() -> None:
    start, loop = body("$x = 0; while ($x++ < 5) { @n++; }")
    assert start == ir.SetVar("x", ir.Const(0))
    assert isinstance(loop, ir.While)
    assert loop.condition == ir.Const(1, Bool())
    keep, step, leave, last = loop.body
    assert isinstance(keep, ir.SetVar)
    assert step == ir.SetVar("x", ir.Binary("+", X, ir.Const(1), True, Int()))
    assert isinstance(leave, ir.If)
    assert leave.otherwise == (ir.Jump("break"),)
    assert isinstance(last, ir.AddMap)


def test_a_range_counts_with_a_hidden_counter() -> None:
    start, loop = body("for ($i : 0..5) { continue; }")
    assert isinstance(start, ir.SetVar)
    assert isinstance(loop, ir.While)
    counter = ir.Var(start.name, Int())
    assert loop.condition == ir.Binary("<", counter, ir.Const(5), True, Bool())
    assert loop.body[0] == ir.SetVar("i", counter)
    assert loop.body[-1] == ir.Jump("continue")


def test_a_predicate_with_a_step_moves_into_the_body() -> None:
    clause = typed("kprobe:f /@n++ == 3/ { @x = 1; }").clauses[0]
    assert clause.predicate is None
    assert isinstance(clause.body[-1], ir.If)


def test_constant_predicates() -> None:
    always, never = typed("kprobe:f /1/ { @x = 1; } kprobe:f /0/ { nonsense(); }").clauses
    assert always.predicate is None
    assert (never.predicate, never.body) == (ir.Const(0, Bool()), ())


def test_exit_ends_the_clause() -> None:
    assert body("exit(); @x = 1;")[1] == ir.Jump("return")


def test_a_ternary_statement_is_a_branch() -> None:
    branch = body("arg0 ? exit() : clear(@x); @x = 1;")[0]
    assert isinstance(branch, ir.If)
    assert isinstance(branch.then[0], ir.Output)


@pytest.mark.parametrize(("count", "code"), [("-1", "XT0205"), ("101", "XT0205"), ("arg0", "XT0223")])
def test_counts_that_unroll_does_not_take(count: str, code: str) -> None:
    assert refusals(f"kprobe:f {{ unroll({count}) {{ @n++; }} }}") == {code: count.lstrip("-") and count}


@pytest.mark.parametrize(
    "text",
    [
        "while (1) { " * 20 + "}" * 20,
        "for ($i : 0..2) { " * 20 + "}" * 20,
        "unroll(100) { unroll(100) { unroll(100) { @x++; } } }",
    ],
)
def test_what_would_grow_too_large_is_refused_once(text: str) -> None:
    assert [code for code, _ in complaints(f"kprobe:f {{ {text} }}")] == ["XT0236"]


def test_defines_in_one_another_are_refused_once() -> None:
    for form in ("(A{0} + 1)", "(A{0} + A{0})"):
        lines = "".join(f"#define A{n + 1} {form.format(n)}\n" for n in range(100))
        assert [code for code, _ in complaints(f"#define A0 nsecs\n{lines}kprobe:f {{ print(A100); }}")] == ["XT0236"]
