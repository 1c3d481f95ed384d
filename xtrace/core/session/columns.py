"""The columns of an `emit`: how wide each usually is, and which side it keeps to."""

from __future__ import annotations

from xtrace.core import ir
from xtrace.core.events import Column, Table
from xtrace.core.types import Bool, CType, Enumerated, Inet, Int, Pointer, Stack, String, Symbol, Timestamp

_INTEGERS = {1: 4, 2: 6, 4: 7, 8: 10}
"""By size: what values of that size usually are, not what they may be. A process id has at most 7 digits
(PID_MAX_LIMIT, include/linux/threads.h)."""
_LONGEST_STRING = 24
_WIDTHS: dict[type, int] = {Bool: 1, Pointer: 18, Inet: 15, Symbol: 24, Timestamp: 15, Stack: 24}


def table_of(title: str, site: ir.Emit) -> Table:
    """The shape of a site's rows."""
    return Table(title, tuple(_column(name, kind) for name, kind in site.columns))


def _column(name: str, kind: CType) -> Column:
    if isinstance(kind, (Int, Enumerated)):
        return Column(name, max(len(name), _INTEGERS.get(kind.size, 10)), True)
    if isinstance(kind, String):
        return Column(name, max(len(name), min(kind.size, _LONGEST_STRING)), False)
    return Column(name, max(len(name), _WIDTHS.get(type(kind), 12)), isinstance(kind, Bool))
