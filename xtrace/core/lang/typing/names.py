"""Leaves: literals, bare names, variables, positional parameters, `has()`."""

from __future__ import annotations

from typing import Optional

from xtrace.core import ir
from xtrace.core.lang import arithmetic, ast
from xtrace.core.lang.literals import signed_number
from xtrace.core.lang.source import Span
from xtrace.core.lang.typing.builtins import NAMES, builtin, parameter
from xtrace.core.lang.typing.context import HOST_CODES, Context, unknown
from xtrace.core.lang.typing.kinds import INT64, UINT64
from xtrace.core.lang.typing.registry import expression
from xtrace.core.lang.typing.scope import Variable
from xtrace.core.lang.typing.zeros import zero
from xtrace.core.types import Bool, String, Unknown, Void

_MOST_EXPANSIONS = 1000
"""Names of #defines replaced in one clause: definitions that use one another twice would double at each step."""


@expression(ast.Number)
def number(ctx: Context, node: ast.Number) -> ir.Expr:
    return integer(node.value, node.span)


def integer(value: int, span: Optional[Span]) -> ir.Const:
    """A literal: signed where it fits."""
    wrapped = arithmetic.wrap(value)
    return ir.Const(wrapped, INT64 if wrapped == value else UINT64, span)


@expression(ast.Boolean)
def boolean(ctx: Context, node: ast.Boolean) -> ir.Expr:
    return ir.Const(int(node.value), Bool(), node.span)


@expression(ast.Text)
def text(ctx: Context, node: ast.Text) -> ir.Expr:
    return literal(ctx, node.value, node.span)


def literal(ctx: Context, value: str, span: Span) -> ir.Expr:
    """A string literal, whose size counts the NUL; as in C, one inside it ends it."""
    text, nul, _ = value.partition("\0")
    if nul:
        ctx.warn("XT0237", "this string ends at its \\0: what follows is not part of it", span)
        value = text
    size = len(value.encode("utf-8", "surrogateescape")) + 1
    limit = ctx.settings.config.max_strlen
    if size > limit:
        hint = f"config = {{ max_strlen = {size} }}"
        message = f"this string takes {size} bytes with its end, more than max_strlen = {limit}"
        return ctx.report("XT0233", message, span, hint)
    return ir.Text(value, String(size), span)


@expression(ast.Scalar)
def scalar(ctx: Context, node: ast.Scalar) -> ir.Expr:
    variable = ctx.scopes.find(node.name)
    if variable is None:
        return _unassigned(ctx, node)
    if variable.type is None:
        if variable.number in ctx.learned.types:
            return ir.Var(variable.name, ctx.learned.types[variable.number], node.span)
        ctx.read_untyped.append(variable)
        return unknown(node.span)
    if isinstance(variable.type, Void):
        return ir.Const(0, Void(), node.span)
    return ir.Var(variable.name, variable.type, node.span)


def _unassigned(ctx: Context, node: ast.Scalar) -> ir.Expr:
    closed = ctx.scopes.closed.get(node.name)
    if closed is not None and closed.type is not None:
        if not closed.block and zero(closed.type, node.span) is not None:
            return _outliving(ctx, closed, node)
        where = f" at {closed.span.location()}" if closed.span else ""
        hint = f"put `let ${node.name};` before that block"
        return ctx.report(
            "XT0202", f"${node.name} exists only inside the block that assigns it{where}", node.span, hint
        )
    hints = ctx.near(node.name, ctx.scopes.visible())
    hints = tuple(hint.replace("mean ", "mean $").replace(", ", ", $") for hint in hints)
    return ctx.report("XT0202", f"${node.name} is used before it is assigned", node.span, *hints)


def _outliving(ctx: Context, closed: Variable, node: ast.Scalar) -> ir.Expr:
    """A variable used after the block that assigns it: to bpftrace before 0.22 it belonged to the whole clause, and
    tools of that time rely on it. The next round types it so, with a zero where no assignment was passed."""
    ctx.learned.types.clear()
    ctx.learned.outlive.add(node.name)
    ctx.unsettled = True
    assert closed.type is not None
    return ir.Var(closed.name, closed.type, node.span)


@expression(ast.Positional)
def positional(ctx: Context, node: ast.Positional) -> ir.Expr:
    parameters = ctx.settings.parameters
    if parameters is None:
        return unknown(node.span)
    if node.index == 0:
        return integer(len(parameters), node.span)
    given = positional_text(parameters, node.index)
    try:
        return integer(signed_number(given) if given else 0, node.span)
    except ValueError as wrong:
        message = f"${node.index} is used as a number, but {given!r} {wrong}"
        return ctx.report("XT0225", message, node.span, f"str(${node.index}) is its text")


def positional_text(parameters: tuple[str, ...], index: int) -> str:
    """Parameter `index` as given on the command line; empty where it is missing."""
    if index == 0:
        return str(len(parameters))
    return parameters[index - 1] if index <= len(parameters) else ""


# --- bare names --------------------------------------------------------------------------------------------------


@expression(ast.Name)
def name(ctx: Context, node: ast.Name) -> ir.Expr:
    for look_up in (_of_event, _of_source, _builtin, _macro, _enumerator):
        found = look_up(ctx, node)
        if found is not None:
            return found
    if ctx.hostless:
        return unknown(node.span)
    return ctx.report("XT0201", f"nothing is named {node.name} here", node.span, *_hints(ctx, node))


def bound_expression(ctx: Context, node: ast.Expr) -> Optional[tuple[ast.Expr, int]]:
    """The expression that a name of a named event stands for, and how many lets it may use; None for other names."""
    source = ctx.source
    if source is None or not isinstance(node, ast.Name):
        return None
    if not ctx.inside_source:
        field = source.fields.get(node.name)
        return None if field is None else (field, len(source.lets))
    for position, (let, meaning) in enumerate(source.lets.items()):
        if let == node.name and position < ctx.visible_lets:
            return meaning, position
    return None


def _of_event(ctx: Context, node: ast.Name) -> Optional[ir.Expr]:
    """A field or let of the named event whose clause this is."""
    source = ctx.source
    if source is None:
        return _declared_field(ctx, node)
    if not ctx.inside_source and node.name in source.fields and source.fields[node.name] is None:
        return ir.Const(0, Void(), node.span)
    bound = bound_expression(ctx, node)
    if bound is None:
        return None
    meaning, visible = bound
    with ctx.in_source(visible):
        return ctx.expr(meaning)


def _declared_field(ctx: Context, node: ast.Name) -> Optional[ir.Expr]:
    """A field of a named event while no source is chosen."""
    if "event" not in ctx.place.kinds or ctx.settings.event_fields is None:
        return None
    for event in ctx.place.events:
        declared = ctx.settings.event_fields(event)
        if declared is not None and node.name in declared:
            return ir.Var("", declared[node.name], node.span)
    return None


def _of_source(ctx: Context, node: ast.Name) -> Optional[ir.Expr]:
    return parameter(ctx, node.name, node.span) if ctx.inside_source else None


def _builtin(ctx: Context, node: ast.Name) -> Optional[ir.Expr]:
    if node.name == "args":
        return ctx.report("XT0212", "args is not a value; take a field of it", node.span, "args.NAME")
    return builtin(ctx, node.name, node.span)


def _macro(ctx: Context, node: ast.Name) -> Optional[ir.Expr]:
    meaning = ctx.macros.pop(node.name, None)
    if meaning is None:
        return None
    ctx.expansions += 1
    try:
        if ctx.expansions > _MOST_EXPANSIONS:
            return ctx.too_deep(node.span, f"the #defines behind {node.name} expand to too much")
        return ctx.expr(meaning)
    finally:
        ctx.macros[node.name] = meaning


def _enumerator(ctx: Context, node: ast.Name) -> Optional[ir.Expr]:
    value = ctx.types.enumerator(node.name)
    return None if value is None else integer(value, node.span)


def _hints(ctx: Context, node: ast.Name) -> tuple[str, ...]:
    known = [*NAMES, *ctx.macros]
    if ctx.source is not None and not ctx.inside_source:
        known += ctx.source.fields
    hints = ctx.near(node.name, known)
    if ctx.scopes.find(node.name):
        hints = (f"the variable is written ${node.name}", *hints)
    return hints or ("a #define before the first probe can name a constant",)


# --- has() -------------------------------------------------------------------------------------------------------


@expression(ast.Has)
def has(ctx: Context, node: ast.Has) -> ir.Expr:
    """Whether the subject types here: any complaint that another host might not have means no."""
    mark = len(ctx.diagnostics)
    with ctx.writing():
        typed = ctx.expr(node.subject)
    complaints = ctx.diagnostics[mark:]
    if any(complaint.code not in HOST_CODES for complaint in complaints):
        return typed
    del ctx.diagnostics[mark:]
    if complaints or isinstance(typed.type, Void):
        return ir.Const(0, Bool(), node.span)
    if ctx.hostless or isinstance(typed.type, Unknown):
        return unknown(node.span)
    return ir.Const(1, Bool(), node.span)
