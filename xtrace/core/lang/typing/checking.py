"""Find what is wrong with a program on any host."""

from __future__ import annotations

from xtrace.core.errors import Diagnostic
from xtrace.core.lang import ast
from xtrace.core.lang.typing.host import Settings
from xtrace.core.lang.typing.typer import AttachedClause, Typer

_UNKNOWN_PARAMETERS = Settings(parameters=None)


def check(program: ast.Program, settings: Settings = _UNKNOWN_PARAMETERS) -> tuple[Diagnostic, ...]:
    """Every complaint that does not depend on a host, in the order of the text; options must be folded before.

    Fields, structs, enumerators and the answers of `has()` are unknown and agree with everything.
    """
    typer = Typer(program, None, settings)
    found = [
        complaint for clause in program.clauses for complaint in typer.accept(AttachedClause(clause, None)).diagnostics
    ]
    found += typer.settle()
    found += typer.problems
    unique = dict.fromkeys(found)
    return tuple(sorted(unique, key=lambda one: one.span.start if one.span else 0))
