"""What the source of a named event says about the clauses that it becomes, which their types do not show."""

from __future__ import annotations

from dataclasses import replace

from xtrace.core import ir
from xtrace.core.plan.traverse import with_blocks, with_expressions
from xtrace.core.records import dataclass


@dataclass(frozen=True)
class Mark:
    """`late`: strings may be read after the event (`ir.ReadString.late`). `scoped`: the scope applies (`ir.Clause`)."""

    late: bool = False
    scoped: bool = True


def marked(clause: ir.Clause, mark: Mark) -> ir.Clause:
    """The clause with what its mark says."""
    if mark.late:
        predicate = _late(clause.predicate) if clause.predicate is not None else None
        clause = replace(clause, predicate=predicate, body=_late_body(clause.body))
    return clause if mark.scoped else replace(clause, scoped=False)


def _late(expr: ir.Expr) -> ir.Expr:
    changed: ir.Expr = with_expressions(expr, _late)
    return replace(changed, late=True) if isinstance(changed, ir.ReadString) else changed


def _late_body(body: tuple[ir.Stmt, ...]) -> tuple[ir.Stmt, ...]:
    return tuple(with_blocks(with_expressions(statement, _late), _late_body) for statement in body)
