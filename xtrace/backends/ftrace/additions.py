"""A clause as the counts and sums that it makes, each under its condition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Optional, Union

from xtrace.backends.ftrace.hist_fields import Stays
from xtrace.core import ir
from xtrace.core.plan.capture import conjunction
from xtrace.core.plan.traverse import statements, with_expressions
from xtrace.core.types import Int

ADDED = (ir.Aggregate, ir.AddMap)


class Addition(NamedTuple):
    """One count or sum of a clause, and the condition under which it is made."""

    statement: Union[ir.Aggregate, ir.AddMap]
    condition: Optional[ir.Expr]


def additions(clause: ir.Clause) -> list[Addition]:
    """What a clause does, as counts and sums under conditions. Raises Stays for a clause that does more."""
    return list(_additions(clause.body, [] if clause.predicate is None else [clause.predicate], {}))


def _additions(body: tuple[ir.Stmt, ...], conditions: list[ir.Expr], known: dict[str, ir.Expr]) -> Iterator[Addition]:
    for statement in body:
        plain = with_expressions(statement, lambda expr: _known(expr, known))
        if isinstance(plain, ir.SetVar):
            known[plain.name] = plain.value
        elif isinstance(plain, ADDED):
            yield Addition(plain, conjunction(conditions))
        elif isinstance(plain, ir.If):
            yield from _additions(plain.then, [*conditions, plain.condition], dict(known))
            yield from _additions(plain.otherwise, [*conditions, ir.Unary("!", plain.condition, Int())], dict(known))
            for one in statements((plain,)):
                if isinstance(one, ir.SetVar):
                    known.pop(one.name, None)
        else:
            raise Stays("its clause does more than count")


def _known(expr: ir.Expr, known: dict[str, ir.Expr]) -> ir.Expr:
    """The expression with what its variables stand for. Raises Stays for one that differs by the way to it."""
    if isinstance(expr, ir.Var):
        if expr.name not in known:
            raise Stays("a variable depends on the way that the clause takes")
        return known[expr.name]
    if isinstance(expr, (ir.MapValue, ir.MapHasKey, ir.MapLength)):
        raise Stays("its clause reads a map")
    changed: ir.Expr = with_expressions(expr, lambda part: _known(part, known))
    return changed
