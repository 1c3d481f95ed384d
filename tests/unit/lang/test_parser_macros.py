"""bpftrace's macros, put in where they are called."""

from __future__ import annotations

import pytest

from tests.unit.lang import printing
from tests.unit.lang.parsing import complaint, places, program

MACROS = """
macro one() { 1 }
macro add_one(x) { x + 1 }
macro add_two(x) { add_one(x) + 1 }
macro bump($a, @b, by) { let $old = $a; $a += by; @b[pid] += $old; }
macro twice(x) { x; x; }
"""


def put_in(statements: str) -> str:
    (clause,) = program(f"{MACROS} begin {{ {statements} }}").clauses
    return " ".join(map(printing.statement, clause.body))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("print(one());", "print(1);"),
        ("print(one);", "print(1);"),
        ("print(add_one(2 * 3));", "print(((2 * 3) + 1));"),
        ("print(add_two($x));", "print((($x + 1) + 1));"),
        ("print(add_one(add_one(1)));", "print(((1 + 1) + 1));"),
        ("twice(exit());", "{ exit(); exit(); }"),
        ("if (pid) { twice(print(one)) }", "if (pid) { { print(1); print(1); } }"),
        ("bump($x, @m, 2);", "{ let $old__bump = $x; $x += 2; @m[pid] += $old__bump; }"),
        ("bump($old, @b, $old);", "{ let $old__bump = $old; $old += $old; @b[pid] += $old__bump; }"),
    ],
)
def test_calls(text: str, tree: str) -> None:
    assert put_in(text) == tree


def test_a_macro_may_stand_after_its_use_and_in_a_predicate() -> None:
    text = "kprobe:f /big(arg0)/ { }\nmacro big(x) { x > 4096 }"
    assert printing.program(program(text)) == "kprobe:f /(arg0 > 4096)/ { }"


@pytest.mark.parametrize(
    ("text", "code", "underlined"),
    [
        ("print(add_one());", "XT0123", "add_one()"),
        ("bump(1, @m, 2);", "XT0123", "1"),
        ("bump($x, @m[1], 2);", "XT0123", "@m[1]"),
        ("$x = bump($x, @m, 2);", "XT0116", "bump($x, @m, 2)"),
    ],
)
def test_calls_that_do_not_fit(text: str, code: str, underlined: str) -> None:
    assert places(f"{MACROS} begin {{ {text} }}") == [(code, underlined)]


def test_a_macro_has_no_maps_but_its_parameters() -> None:
    found = complaint("macro f() { @x++; } begin { f(); }")
    assert (found.code, found.hints) == ("XT0123", ("name it as a parameter: macro f(@x)",))


def test_a_macro_cannot_call_itself() -> None:
    assert places("macro f(x) { g(x) } macro g(x) { f(x) } begin { print(f(1)); }") == [("XT0123", "f(x)")]


def test_what_grows_without_measure_is_refused() -> None:
    doubling = "".join(f"macro m{i}(x) {{ m{i + 1}(x) + m{i + 1}(x) }}\n" for i in range(7))
    wide = doubling + "macro m7(x) { x" + " + x" * 100 + " }\nbegin { print(m0(m0(m0(1)))); }"
    tall = "macro t(x) { x" + " + 1" * 100 + " }\nbegin { print(t(t(t(t(1))))); }"
    for text in (wide, tall):
        assert [code for code, _ in places(text)] == ["XT0108"]


def test_errors_inside_a_macro_are_found() -> None:
    assert places("macro f(x) { $y = ; x + }\nbegin { }") == [("XT0101", ";"), ("XT0101", "}")]


def test_macros_that_nest_too_deeply_are_told() -> None:
    def nested(inner: str) -> str:
        return "if (x) { " * 40 + inner + "}" * 40

    text = f"macro m0(x) {{ {nested('print(1);')} }} "
    text += "".join(f"macro m{n}(x) {{ {nested(f'm{n - 1}(x);')} }} " for n in range(1, 6))
    assert complaint(text + "BEGIN { m5(cpu); }").code == "XT0108"
