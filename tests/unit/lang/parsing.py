"""Short forms for tests of the parser."""

from __future__ import annotations

import pytest

from tests.unit.lang import printing
from xtrace.core.errors import Diagnostic, ProgramError
from xtrace.core.lang import ast
from xtrace.core.lang.parser import parse, parse_expression
from xtrace.core.lang.source import Source


def program(text: str) -> ast.Program:
    return parse(Source("-e", text))


def expression(text: str) -> str:
    """The expression, read and shown with all its parentheses."""
    return printing.expr(parse_expression(Source("-e", text)))


def body(statements: str) -> str:
    """Statements, read in a `begin` clause and shown one after another."""
    (clause,) = program(f"begin {{ {statements} }}").clauses
    return " ".join(map(printing.statement, clause.body))


def point(text: str) -> ast.AttachPoint:
    """The one attach point of a clause without actions."""
    (clause,) = program(f"{text} {{ }}").clauses
    (found,) = clause.points
    return found


def complaints(text: str) -> tuple[Diagnostic, ...]:
    """What the parser says about a wrong program."""
    with pytest.raises(ProgramError) as raised:
        program(text)
    return raised.value.diagnostics


def complaint(text: str) -> Diagnostic:
    """The only thing that the parser says about a wrong program."""
    (found,) = complaints(text)
    return found


def places(text: str) -> list[tuple[str, str]]:
    """Code and underlined text of each complaint."""
    return [(found.code, found.span.text) for found in complaints(text) if found.span]
