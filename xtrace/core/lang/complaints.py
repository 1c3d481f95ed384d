"""Complaints in the order of the text, and no more of them than anybody reads."""

from __future__ import annotations

from collections.abc import Iterable

from xtrace.core.errors import Diagnostic

MOST = 100
"""Complaints shown in one run."""


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """By place; behind the first hundred only how many more there are (XT0122)."""
    ordered = sorted(diagnostics, key=lambda one: one.span.start if one.span else 0)
    more = len(ordered) - MOST
    if more > 0:
        message = f"{more} more complaints follow these"
        hint = "the first ones tend to cause the others"
        ordered[MOST:] = [Diagnostic("XT0122", message, ordered[MOST].span, (hint,))]
    return ordered
