"""`getopt()`: parameters given by name."""

from __future__ import annotations

import pytest

from tests.unit.lang.small_kernel import complaints, expression, refusals
from xtrace.core import ir
from xtrace.core.types import Bool, String


@pytest.mark.parametrize(
    ("text", "given", "value"),
    [
        ('getopt("depth", 3)', ("--depth=0x10",), ir.Const(16)),
        ('getopt("depth", 3, "How deep")', (), ir.Const(3)),
        ('getopt("all")', ("--all",), ir.Const(1, Bool())),
        ('getopt("all", true)', ("--all=false",), ir.Const(0, Bool())),
        ('getopt("name", "x")', ("--name=a=b",), ir.Text("a=b", String(4))),
    ],
)
def test_values(text: str, given: tuple[str, ...], value: ir.Expr) -> None:
    assert expression(text, parameters=given) == value


def test_positional_parameters_are_counted_without_the_named_ones() -> None:
    shown = expression('($1, $#, getopt("all"))', parameters=("7", "--all"))
    assert isinstance(shown, ir.TupleValue)
    assert shown.items == (ir.Const(7), ir.Const(1), ir.Const(1, Bool()))


def test_a_program_without_names_has_positional_parameters_only() -> None:
    assert expression("str($1)", parameters=("--x",)) == ir.Text("--x", String(4))


@pytest.mark.parametrize(
    ("text", "given", "code"),
    [
        ('getopt("depth", 3)', ("--depth=deep",), "XT0225"),
        ('getopt("depth", 3)', ("--depth",), "XT0225"),
        ('getopt("depth", 3)', ("--dpeth=3",), "XT0225"),
        ('getopt("all")', ("--all=maybe",), "XT0225"),
        ('getopt("depth", pid)', (), "XT0223"),
    ],
)
def test_what_does_not_fit(text: str, given: tuple[str, ...], code: str) -> None:
    assert set(refusals(f"kprobe:f {{ print({text}); }}", parameters=given)) == {code}


def test_without_a_command_line_only_the_type_is_known() -> None:
    assert complaints('BEGIN { $d = getopt("depth", 3); if (getopt("all")) { print($d + 1); } }') == []
