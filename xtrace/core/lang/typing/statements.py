"""Statements: assignment, branches, loops; what they become in the IR is written to the context."""

from __future__ import annotations

from xtrace.core import ir
from xtrace.core.lang import ast
from xtrace.core.lang.typing import maps
from xtrace.core.lang.typing.calls import perform
from xtrace.core.lang.typing.context import Context
from xtrace.core.lang.typing.kinds import INT64, describe, is_number, is_signed
from xtrace.core.lang.typing.operators import truth
from xtrace.core.lang.typing.registry import STATEMENTS, statement
from xtrace.core.lang.typing.variables import assign_variable, declare, declare_statement, set_variable
from xtrace.core.types import Bool, CType, Int, Tuple, Unknown

_MOST_UNROLLED = 100
_MOST_ROUNDS = 2000
"""Rounds of all unrolled loops of a clause, where they stand in one another."""


@statement(ast.Assign)
def assign(ctx: Context, node: ast.Assign) -> None:
    if isinstance(node.target, ast.MapRef):
        maps.assign(ctx, node, node.target)
        return
    if isinstance(node.value, ast.Call) and node.value.function in maps.AGGREGATION_NAMES:
        name = node.value.function
        ctx.report(
            "XT0215", f"{name}() is kept in a map, not in a variable", node.span, f"@{node.target.name} = {name}(…)"
        )
        return
    assign_variable(ctx, node, node.target)


STATEMENTS[ast.Declare] = declare_statement


@statement(ast.Do)
def do(ctx: Context, node: ast.Do) -> None:
    expr = node.expr
    if isinstance(expr, ast.Call):
        perform(ctx, expr)
    elif isinstance(expr, ast.Step):
        if isinstance(expr.target, ast.MapRef):
            maps.step_statement(ctx, expr, expr.target)
        else:
            ctx.expr(ast.Step(expr.target, expr.by, True, expr.span))
    elif isinstance(expr, ast.Ternary):
        then, otherwise = ast.Do(expr.then, expr.then.span), ast.Do(expr.otherwise, expr.otherwise.span)
        branch(ctx, ast.If(expr.condition, (then,), (otherwise,), node.span))
    else:
        typed = ctx.expr(expr)
        if not isinstance(expr, (ast.Number, ast.Boolean)) and not isinstance(typed.type, Unknown):
            ctx.warn("XT0228", f"nothing uses the value of {node.span.text.strip()}", node.span)


@statement(ast.If)
def branch(ctx: Context, node: ast.If) -> None:
    condition = truth(ctx, node.condition)
    if isinstance(condition, ir.Const):
        ctx.out += ctx.body(node.then if condition.value else node.otherwise)
        return
    then = ctx.body(node.then)
    ctx.out.append(ir.If(condition, then, ctx.body(node.otherwise), node.span))


@statement(ast.Block)
def block(ctx: Context, node: ast.Block) -> None:
    ctx.out += ctx.body(node.body)


@statement(ast.Unroll)
def unroll(ctx: Context, node: ast.Unroll) -> None:
    count = ctx.constant(node.count, "the count of unroll()")
    if count is None:
        ctx.body(node.body)
        return
    if not 0 <= count <= _MOST_UNROLLED:
        hints = ("while and for make loops of any length",) if count > 0 else ()
        ctx.report("XT0205", f"unroll() repeats 0 to {_MOST_UNROLLED} times, not {count}", node.count.span, *hints)
        return
    for _ in range(count):
        ctx.unrolled += 1
        if ctx.unrolled > _MOST_ROUNDS:
            ctx.too_deep(node.span, f"unroll() in unroll() repeats more than {_MOST_ROUNDS} times")
            return
        ctx.out += ctx.body(node.body)


@statement(ast.While)
def loop(ctx: Context, node: ast.While) -> None:
    with ctx.writing() as extra:
        condition = truth(ctx, node.condition)
    if isinstance(condition, ir.Const) and not condition.value and not extra:
        return
    ctx.loops += 1
    body = ctx.body(node.body)
    ctx.loops -= 1
    if extra:
        leave = ir.If(condition, (), (ir.Jump("break", node.span),), node.span)
        condition, body = ir.Const(1, Bool(), node.span), (*extra, leave, *body)
    ctx.out.append(ir.While(condition, body, node.span))


@statement(ast.For)
def iterate(ctx: Context, node: ast.For) -> None:
    if isinstance(node.over, ast.MapRef):
        _over_map(ctx, node, node.over)
    else:
        _over_range(ctx, node, *node.over)


def _over_map(ctx: Context, node: ast.For, ref: ast.MapRef) -> None:
    """The variable is the pair of key and value; several keys are a tuple."""
    if ref.keys:
        ctx.report("XT0214", "for goes over a whole map, so it is named without keys", ref.span)
        return
    entry = ctx.tables.mark_read(ref.name, ref.span)
    value = maps.read_type(ctx, ref, entry)
    if value is None:
        return
    if entry.keys == ():
        ctx.report("XT0214", f"{maps.shown(ref.name)} has no keys to go over", ref.span)
        return
    key: CType = Unknown()
    if entry.keys is not None:
        key = entry.keys[0] if len(entry.keys) == 1 else Tuple(entry.keys)
    ctx.scopes.open()
    variable = declare(ctx, node.variable.name, Tuple((key, value)), node.variable.span, block=True)
    ctx.loops += 1
    body = ctx.body(node.body)
    ctx.loops -= 1
    ctx.scopes.close()
    ctx.out.append(ir.ForEach(variable.name, ref.name, body, node.span))


def _over_range(ctx: Context, node: ast.For, first: ast.Expr, end: ast.Expr) -> None:
    """`for ($i : a..b)`: a hidden counter, so that neither `continue` nor an assignment to $i disturbs it."""
    bounds = ctx.exprs((first, end))
    for bound, written in zip(bounds, (first, end)):
        if not is_number(bound.type):
            ctx.report("XT0206", f"a range goes from a number to a number, not {describe(bound.type)}", written.span)
            return
    signed = all(is_signed(bound.type) for bound in bounds)
    type_ = Int(8, signed)
    counter = ir.Var(ctx.scopes.unique("next"), type_, node.span)
    limit = ctx.keep(bounds[1])
    ctx.out.append(ir.SetVar(counter.name, bounds[0], node.span))
    one = ir.Const(1, INT64, node.span)
    ctx.scopes.open()
    ctx.loops += 1
    with ctx.writing() as body:
        declare(ctx, node.variable.name, type_, node.variable.span, block=True)
        set_variable(ctx, node.variable, counter, node.span)
        body.append(ir.SetVar(counter.name, ir.Binary("+", counter, one, signed, type_, node.span), node.span))
        body += ctx.body(node.body)
    ctx.loops -= 1
    ctx.scopes.close()
    condition = ir.Binary("<", counter, limit, signed, Bool(), node.span)
    ctx.out.append(ir.While(condition, tuple(body), node.span))


@statement(ast.Jump)
def jump(ctx: Context, node: ast.Jump) -> None:
    if node.kind != "return" and not ctx.loops:
        ctx.report("XT0226", f"{node.kind} stands outside a loop", node.span, "return leaves the clause")
        return
    ctx.out.append(ir.Jump(node.kind, node.span))
