"""Arguments of calls: of the right type, or complained about."""

from __future__ import annotations

from xtrace.core import ir
from xtrace.core.lang import ast
from xtrace.core.lang.typing.context import Context
from xtrace.core.lang.typing.kinds import describe, is_number
from xtrace.core.types import (
    String,
    Unknown,
)


def wrong(ctx: Context, node: ast.Call, position: int, given: ir.Expr, wants: str, *hints: str) -> ir.Expr:
    """Complain that argument `position` has a type that the function does not take."""
    words = describe(given.type)
    article = "an" if words[0] in "aeio" else "a"
    message = f"{node.function}() takes {wants}, not {article} {words}"
    return ctx.report("XT0205", message, node.args[position].span, *hints)


def numeric(ctx: Context, node: ast.Call, position: int) -> ir.Expr:
    """An argument that must be a number."""
    value = ctx.value(node.args[position], f"in {node.function}()")
    return value if is_number(value.type) else wrong(ctx, node, position, value, "a number")


def textual(ctx: Context, node: ast.Call, position: int) -> ir.Expr:
    """An argument that must be text."""
    value = ctx.value(node.args[position], f"in {node.function}()")
    if isinstance(value.type, (String, Unknown)):
        return value
    return wrong(ctx, node, position, value, "a string", "str() reads the text at an address")
