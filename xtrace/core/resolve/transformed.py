"""Functions of which only the compiler's variants are left: what may not be read of them.

GCC's IPA-SRA (`.isra`) removes and replaces parameters and unused results, constant propagation (`.constprop`) removes
parameters, and a split function (`.part`) gets what its rest needs. Where the values then lie only DWARF tells.
"""

from __future__ import annotations

from collections.abc import Callable

from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core.errors import Diagnostic
from xtrace.core.plan.traverse import all_expressions

Objections = Callable[[ir.Clause], "tuple[Diagnostic, ...]"]
"""An engine's judgement of one typed clause."""


def also_of_variants(objections: Objections) -> Objections:
    """The same judgement, which also refuses what no engine can read."""

    def judged(clause: ir.Clause) -> tuple[Diagnostic, ...]:
        return (*unreadable(clause), *objections(clause))

    return judged


def unreadable(clause: ir.Clause) -> tuple[Diagnostic, ...]:
    """Complaints about arguments and results of functions that the compiler changed."""
    changed = [one for one in clause.attach if isinstance(one, at.Kprobe) and "." in one.symbol]
    return tuple(
        complaint
        for point in changed
        for complaint in dict.fromkeys(_complaint(expr, point) for expr in all_expressions(clause))
        if complaint
    )


def _complaint(expr: ir.Expr, point: at.Kprobe) -> Diagnostic | None:
    if isinstance(expr, ir.Arg) and any(mark in point.symbol for mark in (".isra.", ".constprop.", ".part.")):
        message = f"the compiler made {point.symbol} of {point.function}, and its arguments may lie elsewhere"
        hint = "count it, or probe a tracepoint or another function"
        return Diagnostic("XT0514", message, expr.span, (hint,))
    if isinstance(expr, ir.Retval) and ".isra." in point.symbol:
        message = f"the compiler made {point.symbol} of {point.function}, which may not give its result any more"
        return Diagnostic("XT0514", message, expr.span)
    return None
