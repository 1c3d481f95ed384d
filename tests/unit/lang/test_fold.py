"""Options become literals before anything else sees the program."""

from __future__ import annotations

import pytest

from xtrace.core.errors import ProgramError
from xtrace.core.lang import ast
from xtrace.core.lang.fold import fold_options
from xtrace.core.lang.parser import parse
from xtrace.core.lang.source import Source
from xtrace.core.lang.walk import nodes


def program(text: str) -> ast.Program:
    return parse(Source("tool:t", text))


def literals(folded: ast.Program) -> list[object]:
    return [node.value for node in nodes(folded.clauses) if isinstance(node, (ast.Number, ast.Text, ast.Boolean))]


def test_options_become_literals_of_their_type() -> None:
    folded = fold_options(
        program("begin /$on/ { print($count); print($name); print($other); }"), {"on": True, "count": 3, "name": "sh"}
    )
    assert literals(folded) == [True, 3, "sh"]
    assert [node.name for node in nodes(folded.clauses) if isinstance(node, ast.Scalar)] == ["other"]


def test_an_option_may_be_part_of_an_attach_point() -> None:
    point = ast.AttachPoint("interval", ("s", "$every"), program("begin { }").clauses[0].span)
    clause = ast.Clause((point,), None, (), point.span)
    folded = fold_options(ast.Program(point.span.source, (clause,)), {"every": 5})
    assert folded.clauses[0].points[0].parts == ("s", "5")


def test_a_program_without_options_stays_the_same_object() -> None:
    original = program("begin { print(1); }")
    assert fold_options(original, {}) is original
    assert fold_options(original, {"x": 1}).clauses[0] is original.clauses[0]


@pytest.mark.parametrize("statement", ["$x = 1", "$x++", "let $x = 2", "$x += 1"])
def test_an_option_cannot_be_assigned(statement: str) -> None:
    with pytest.raises(ProgramError) as caught:
        fold_options(program(f"begin {{ {statement}; }}"), {"x": 1})
    assert [one.code for one in caught.value.diagnostics] == ["XT0230"]
