"""`sizeof`, `offsetof` and tuples."""

from __future__ import annotations

from typing import Optional

from xtrace.core import ir
from xtrace.core.lang import ast
from xtrace.core.lang.typing.context import Context, unknown
from xtrace.core.lang.typing.kinds import describe, size_of
from xtrace.core.lang.typing.memory import locate
from xtrace.core.lang.typing.names import integer
from xtrace.core.lang.typing.names_of_types import resolve_type
from xtrace.core.lang.typing.registry import expression
from xtrace.core.types import CType, Struct, Tuple, Unknown, Void


@expression(ast.SizeOf)
def sizeof(ctx: Context, node: ast.SizeOf) -> ir.Expr:
    type_: Optional[CType]
    if isinstance(node.of, ast.TypeName):
        type_ = resolve_type(ctx, node.of)
    else:
        with ctx.writing():
            type_ = locate(ctx, node.of).type
    if type_ is None or isinstance(type_, Unknown):
        return unknown(node.span)
    size = size_of(type_)
    if size:
        return integer(size, node.span)
    if ctx.hostless and isinstance(type_, Struct):
        return unknown(node.span)
    return ctx.report("XT0211", f"the size of {describe(type_)} is not known here", node.of.span)


@expression(ast.OffsetOf)
def offsetof(ctx: Context, node: ast.OffsetOf) -> ir.Expr:
    type_ = resolve_type(ctx, node.type)
    offset = 0
    for name in node.members:
        if type_ is None or isinstance(type_, Unknown):
            return unknown(node.span)
        if not isinstance(type_, Struct):
            return ctx.report("XT0212", f"{describe(type_)} has no members", node.span)
        found = ctx.types.member(type_.name, name)
        if found is None:
            known = [member.name for member in ctx.types.members(type_.name)]
            if not known and ctx.hostless:
                return unknown(node.span)
            return ctx.report("XT0210", f"{describe(type_)} has no member {name}", node.span, *ctx.near(name, known))
        offset += found.offset
        type_ = found.type
    return integer(offset, node.span)


@expression(ast.TupleExpr)
def tuple_(ctx: Context, node: ast.TupleExpr) -> ir.Expr:
    items = ctx.exprs(node.items)
    for position, item in enumerate(items):
        if isinstance(item.type, Void):
            items[position] = ctx.no_value(node.items[position], "in a tuple")
    return ir.TupleValue(tuple(items), Tuple(tuple(item.type for item in items)), node.span)
