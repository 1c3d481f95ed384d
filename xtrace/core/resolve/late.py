"""Marking memory that may be read after the event, where a source of a named event allows it."""

from __future__ import annotations

from dataclasses import replace

from xtrace.core import ir
from xtrace.core.plan.traverse import with_blocks, with_expressions


def read_late(clause: ir.Clause) -> ir.Clause:
    """The clause with every string read marked `late`."""
    predicate = _expr(clause.predicate) if clause.predicate is not None else None
    return replace(clause, predicate=predicate, body=_body(clause.body))


def _expr(expr: ir.Expr) -> ir.Expr:
    changed: ir.Expr = with_expressions(expr, _expr)
    return replace(changed, late=True) if isinstance(changed, ir.ReadString) else changed


def _body(body: tuple[ir.Stmt, ...]) -> tuple[ir.Stmt, ...]:
    return tuple(with_blocks(with_expressions(statement, _expr), _body) for statement in body)
