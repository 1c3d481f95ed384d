"""Clauses that come to the same whatever the order of their events: equal events can be counted first and fired once.

Such a clause only feeds aggregations with what its event alone decides, and nobody but its like and the timers looks at
those maps.
"""

from __future__ import annotations

from collections.abc import Iterable

from xtrace.core import ir
from xtrace.core.attach import USER_SPACE
from xtrace.core.plan.traverse import all_expressions, statements

_STATEMENTS = (ir.SetVar, ir.If, ir.Aggregate, ir.AddMap)
_READS = (ir.MapValue, ir.MapHasKey, ir.MapLength)
_SITES = (ir.PrintMap, ir.Clear, ir.Zero)
_OF_THE_MOMENT = frozenset(("nsecs", "elapsed", "rand"))


def orderless(program: ir.Program) -> frozenset[int]:
    """The numbers of these clauses. Empty where an event may end the trace, for then the order decides what counts."""
    events = {n: c for n, c in enumerate(program.clauses) if not all(isinstance(p, USER_SPACE) for p in c.attach)}
    if any(isinstance(site, ir.Exit) for clause in events.values() for site in _sites(program, clause)):
        return frozenset()
    found = {n for n, clause in events.items() if _is_orderless(clause)}
    while True:
        seen = {name for n, clause in events.items() if n not in found for name in _maps(program, clause)}
        shared = {n for n in found if not seen.isdisjoint(_maps(program, events[n]))}
        if not shared:
            return frozenset(found)
        found -= shared


def _is_orderless(clause: ir.Clause) -> bool:
    if not clause.body or not all(isinstance(statement, _STATEMENTS) for statement in statements(clause.body)):
        return False
    return not any(
        isinstance(expr, _READS) or (isinstance(expr, ir.Builtin) and expr.name in _OF_THE_MOMENT)
        for expr in all_expressions(clause)
    )


def _sites(program: ir.Program, clause: ir.Clause) -> Iterable[ir.Site]:
    return (program.sites[one.site] for one in statements(clause.body) if isinstance(one, ir.Output))


def _maps(program: ir.Program, clause: ir.Clause) -> set[str]:
    """The maps that a clause reads, changes or prints."""
    found = {expr.map for expr in all_expressions(clause) if isinstance(expr, _READS)}
    found |= {site.map for site in _sites(program, clause) if isinstance(site, _SITES)}
    for statement in statements(clause.body):
        if not isinstance(statement, (ir.SetVar, ir.If, ir.While, ir.Jump, ir.Output)):
            found.add(statement.map)
    return found
