"""Variables: declaring, assigning, `++`."""

from __future__ import annotations

from typing import Optional

from xtrace.core import ir
from xtrace.core.lang import ast
from xtrace.core.lang.source import Span
from xtrace.core.lang.typing.context import Context, unknown
from xtrace.core.lang.typing.kinds import INT64, INTEGERS, article, is_number, join
from xtrace.core.lang.typing.names import scalar
from xtrace.core.lang.typing.names_of_types import resolve_type
from xtrace.core.lang.typing.operators import combine, convert
from xtrace.core.lang.typing.scope import Variable
from xtrace.core.lang.typing.zeros import zero
from xtrace.core.types import CType, Unknown, Void


def assign_variable(ctx: Context, node: ast.Assign, target: ast.Scalar) -> None:
    """`$x = value` and `$x += value`, which is `$x = $x + value`: the old value is read first."""
    if not node.op:
        set_variable(ctx, target, ctx.expr(node.value), node.span)
        return
    current, value = ctx.exprs((target, node.value))
    set_variable(ctx, target, combine(ctx, node.op, current, _present(ctx, value, node.value), node.span), node.span)


def _present(ctx: Context, value: ir.Expr, node: ast.Expr) -> ir.Expr:
    return ctx.no_value(node, "in an operation") if isinstance(value.type, Void) else value


def set_variable(ctx: Context, target: ast.Scalar, value: ir.Expr, span: Span) -> None:
    """Assign; the first assignment in a block declares the variable there."""
    variable = ctx.scopes.find(target.name)
    if variable is None:
        variable = declare(ctx, target.name, value.type, target.span)
    else:
        widened = _widened(ctx, variable, target, value)
        if widened is None:
            return
        value = widened
    if not isinstance(value.type, Void):
        ctx.out.append(ir.SetVar(variable.name, value, span))


def declare(ctx: Context, name: str, type_: Optional[CType], span: Span, block: bool = False) -> Variable:
    """A new variable whose type is what is assigned to it here and, as earlier rounds found, later."""
    variable = ctx.scopes.declare(name, type_, span)
    variable.block = block
    learned = ctx.learned.types.get(variable.number)
    if learned is not None and type_ is not None:
        variable.type = join(type_, learned) or type_
    if not block and name in ctx.learned.outlive:
        ctx.scopes.widen(name)
        ctx.outliving.append(variable)
    return variable


def _widened(ctx: Context, variable: Variable, target: ast.Scalar, value: ir.Expr) -> Optional[ir.Expr]:
    """The value as the variable takes it, or None after a complaint."""
    if variable.type is None:
        if not isinstance(value.type, Unknown):
            learned = ctx.learned.types.get(variable.number, value.type)
            _learn(ctx, variable, join(learned, value.type) or value.type)
        return value
    if variable.fixed and isinstance(variable.type, INTEGERS) and is_number(value.type):
        return convert(value, variable.type, target.span)
    joined = join(variable.type, value.type)
    if joined is None:
        message = f"${target.name} is assigned {article(value.type)} here but holds {article(variable.type)}"
        first = variable.span if variable.span != target.span else None
        hint = f"it gets that at {first.location()}; use another name" if first else "give it another type"
        ctx.report("XT0224", message, target.span, hint)
        return None
    if joined != variable.type and not variable.fixed:
        _learn(ctx, variable, joined)
    return value


def _learn(ctx: Context, variable: Variable, type_: CType) -> None:
    """Later uses see the wider type at once, earlier ones in the next round."""
    variable.type = type_
    if ctx.learned.types.get(variable.number) != type_:
        ctx.learned.types[variable.number] = type_
        ctx.unsettled = True


def declare_statement(ctx: Context, node: ast.Declare) -> None:
    """`let $x`, `let $x: uint8 = 1`: the variable starts with the value, or with zero."""
    type_ = resolve_type(ctx, node.type) if node.type is not None else None
    value = ctx.expr(node.value) if node.value is not None else None
    if type_ is None and value is not None:
        variable = declare(ctx, node.target.name, value.type, node.target.span, block=True)
        if not isinstance(value.type, Void):
            ctx.out.append(ir.SetVar(variable.name, value, node.span))
        return
    variable = ctx.scopes.declare(node.target.name, type_, node.target.span)
    variable.fixed, variable.block = type_ is not None, True
    if value is not None:
        taken = _widened(ctx, variable, node.target, value)
    else:
        taken = zero(type_ or ctx.learned.types.get(variable.number), node.span)
    if taken is not None:
        ctx.out.append(ir.SetVar(variable.name, taken, node.span))


def step_variable(ctx: Context, node: ast.Step) -> ir.Expr:
    """`$x++` inside an expression: the change is written before the statement."""
    target = node.target
    assert isinstance(target, ast.Scalar)
    current = scalar(ctx, target)
    if isinstance(current.type, Unknown):
        return unknown(node.span)
    if isinstance(current.type, Void) or not is_number(current.type):
        return ctx.report("XT0206", f"${target.name} is no number, so it cannot be counted", node.span)
    before = current if node.prefix else ctx.keep(current)
    changed = combine(ctx, "+", current, ir.Const(node.by, INT64, node.span), node.span)
    set_variable(ctx, target, changed, node.span)
    return scalar(ctx, target) if node.prefix else before
