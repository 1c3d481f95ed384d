"""The value that a variable has before anything is assigned to it."""

from __future__ import annotations

from typing import Optional

from xtrace.core import ir
from xtrace.core.lang.source import Span
from xtrace.core.types import Bool, CType, Enumerated, Inet, Int, Pointer, String, Symbol, Timestamp, Tuple


def zero(type_: Optional[CType], span: Optional[Span]) -> Optional[ir.Expr]:
    """0, "" or 0.0.0.0; None for types that have no such value."""
    if isinstance(type_, (Int, Bool, Enumerated, Pointer)):
        return ir.Const(0, type_, span)
    if isinstance(type_, String):
        return ir.Text("", type_, span)
    if isinstance(type_, (Inet, Symbol, Timestamp)):
        return ir.Address(ir.Const(0, span=span), type_, span)
    if isinstance(type_, Tuple):
        items = [zero(item, span) for item in type_.items]
        return None if None in items else ir.TupleValue(tuple(item for item in items if item), type_, span)
    return None
