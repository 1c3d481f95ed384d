"""Deep expressions in pieces: Python's parser takes neither hundreds of parentheses in one another nor long chains.

Nothing in an expression has an effect, so an inner one can be computed before its statement, into a variable.
"""

from __future__ import annotations

from dataclasses import replace

from xtrace.core import ir
from xtrace.core.plan.traverse import with_blocks, with_expressions
from xtrace.core.types import Bool

DEEPEST = 16
"""Operators in one another that stay in one piece."""


def shallow(clause: ir.Clause) -> ir.Clause:
    """The clause with no expression deeper than `DEEPEST`; what has none comes back with the same expressions."""
    pieces = _Pieces()
    before: list[ir.Stmt] = []
    predicate = None if clause.predicate is None else pieces.expression(clause.predicate, before)
    body = pieces.block(clause.body)
    if not before:
        return replace(clause, predicate=predicate, body=body)
    assert predicate is not None
    return replace(clause, predicate=None, body=(*before, ir.If(predicate, body, (), clause.span)))


class _Pieces:
    """Counts the variables of one clause. No variable of a program has a blank in its name."""

    def __init__(self) -> None:
        self._count = 0

    def block(self, body: tuple[ir.Stmt, ...]) -> tuple[ir.Stmt, ...]:
        return tuple(piece for statement in body for piece in self._statement(statement))

    def _statement(self, statement: ir.Stmt) -> tuple[ir.Stmt, ...]:
        before: list[ir.Stmt] = []
        made: ir.Stmt = with_expressions(statement, lambda expr: self.expression(expr, before))
        made = with_blocks(made, self.block)
        if before and isinstance(made, ir.While):
            leave = ir.If(made.condition, (), (ir.Jump("break", made.span),), made.span)
            return (replace(made, condition=ir.Const(1, Bool()), body=(*before, leave, *made.body)),)
        return (*before, made)

    def expression(self, expr: ir.Expr, before: list[ir.Stmt]) -> ir.Expr:
        """The expression, its deep parts written to `before`."""
        return self._reduced(expr, before)[0]

    def _reduced(self, expr: ir.Expr, before: list[ir.Stmt]) -> tuple[ir.Expr, int]:
        """The expression in its new form, and how deep that is."""
        depth = 0

        def change(part: ir.Expr) -> ir.Expr:
            nonlocal depth
            made, inner = self._reduced(part, before)
            depth = max(depth, inner)
            return made

        made: ir.Expr = with_expressions(expr, change)
        if depth < DEEPEST:
            return made, depth + 1
        self._count += 1
        name = f"piece {self._count}"
        before.append(ir.SetVar(name, made, made.span))
        return ir.Var(name, made.type, made.span), 1
