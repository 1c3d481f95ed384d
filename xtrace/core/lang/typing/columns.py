"""The columns of `emit()`: named by label, or by what the expression itself is called."""

from __future__ import annotations

from typing import Optional

from xtrace.core.lang import ast
from xtrace.core.lang.source import Span
from xtrace.core.lang.typing.context import Context

_SHOWING = frozenset(("str", "kstr", "ustr", "buf", "ntop", "ksym", "usym", "bswap", "strftime"))
"""Functions that only show their last argument otherwise: the column keeps the argument's name."""


def emitted_columns(ctx: Context, node: ast.Call) -> list[tuple[str, ast.Expr]]:
    """Name and expression of each column; complains about those without a name and about doubles."""
    columns: list[tuple[str, ast.Expr]] = []
    places: dict[str, Span] = {}
    for arg in node.args:
        name: Optional[str] = None
        value = arg
        if isinstance(arg, ast.Labelled):
            name, value = arg.name, arg.value
        else:
            name = own_name(arg)
        if name is None:
            hint = f"label it: emit(name = {arg.span.text})"
            ctx.report("XT0218", f"the column {arg.span.text} has no name", arg.span, hint)
            name = f"column{len(columns) + 1}"
        elif name in places:
            hint = f"the other is at {places[name].location()}; label one: emit(other = {value.span.text})"
            ctx.report("XT0218", f"two columns are named {name}", arg.span, hint)
        places.setdefault(name, arg.span)
        columns.append((name, value))
    return columns


def own_name(node: ast.Expr) -> Optional[str]:
    """What an expression is called: its last name."""
    if isinstance(node, ast.Member):
        return node.name if not node.name.isdigit() else None
    if isinstance(node, (ast.Name, ast.Scalar)):
        return node.name
    if isinstance(node, ast.MapRef):
        return node.name or None
    if isinstance(node, ast.Cast):
        return own_name(node.operand)
    if isinstance(node, ast.Call):
        if node.function in _SHOWING and node.args:
            shown = node.args[0] if node.function in ("str", "kstr", "ustr", "buf") else node.args[-1]
            return own_name(shown)
        return node.function if node.function in ("kstack", "ustack", "nsecs") else None
    return None
