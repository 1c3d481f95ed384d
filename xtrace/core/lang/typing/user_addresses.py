"""`uaddr("symbol")`: the address of a symbol of the traced program."""

from __future__ import annotations

from xtrace.core import ir
from xtrace.core.lang import ast
from xtrace.core.lang.typing.context import Context, unknown
from xtrace.core.lang.typing.kinds import UINT64
from xtrace.core.lang.typing.registry import function
from xtrace.core.types import Int, Pointer, Space


@function("uaddr", 1, 1)
def uaddr(ctx: Context, node: ast.Call) -> ir.Expr:
    """A pointer to an integer of the symbol's size, or to 8 bytes where it has another."""
    name = ctx.text(node.args[0], "the symbol of uaddr()")
    if name is None:
        return unknown(node.span)
    if any(kind != "uprobe" for kind in ctx.place.kinds):
        hint = "keep it where the function begins, uprobe:… { @address = uaddr(…) }, and read it here"
        return ctx.report("XT0208", f"uaddr() has no meaning in {ctx.place.words()}", node.span, hint)
    if ctx.attach is None:
        return ir.Var("", Pointer(Int(8, False), Space.USER), node.span)
    look_up = ctx.settings.user_symbol
    found = look_up(ctx.attach, name, node.span) if look_up is not None else None
    if found is None:
        hint = "nm FILE and nm -D FILE list the symbols; a stripped program shows only the exported ones"
        where = getattr(ctx.attach, "path", "the program")
        return ctx.report("XT0201", f"the address of {name} in {where} is not known", node.args[0].span, hint)
    kind = Pointer(Int(found.size if found.size in (1, 2, 4, 8) else 8, False), Space.USER)
    here = ir.Register(found.register, UINT64, node.span)
    return ir.Binary("+", here, ir.Const(found.distance, span=node.span), False, kind, node.span)
