"""Functions of stacks, of times and of maps: `kstack`, `strftime`, `nsecs`, `len`, `has_key`."""

from __future__ import annotations

from xtrace.core import ir
from xtrace.core.lang import ast
from xtrace.core.lang.typing.arguments import numeric
from xtrace.core.lang.typing.builtins import builtin
from xtrace.core.lang.typing.context import Context
from xtrace.core.lang.typing.kinds import UINT64, describe
from xtrace.core.lang.typing.names import integer
from xtrace.core.lang.typing.registry import function
from xtrace.core.types import (
    Stack,
    Timestamp,
    Unknown,
)

_MODES = ("bpftrace", "perf", "raw")
_DEPTH = 127


@function("kstack", 0, 2)
def kstack(ctx: Context, node: ast.Call) -> ir.Expr:
    return _stack(ctx, node, False)


@function("ustack", 0, 2)
def ustack(ctx: Context, node: ast.Call) -> ir.Expr:
    return _stack(ctx, node, True)


def _stack(ctx: Context, node: ast.Call, user: bool) -> ir.Expr:
    """`kstack(depth)`, `kstack(mode)`, `kstack(mode, depth)`"""
    base = builtin(ctx, node.function, node.span)
    assert base is not None
    if isinstance(base.type, Unknown):
        return base
    mode, depth = ctx.settings.stack_mode, _DEPTH
    for arg in node.args:
        if isinstance(arg, ast.Name) and arg.name in _MODES:
            mode = arg.name
        elif isinstance(arg, ast.Name) and arg.name == "build_id":
            return ctx.report("XT0220", "xtrace does not have the stack mode build_id", arg.span, "perf or raw")
        else:
            depth = _depth(ctx, arg, node.function)
    return ir.Builtin(node.function, Stack(user, depth, mode), node.span)


def _depth(ctx: Context, arg: ast.Expr, name: str) -> int:
    depth = ctx.constant(arg, f"the depth of {name}()")
    if depth is not None and not 1 <= depth <= _DEPTH:
        # Linux limits a stack trace to kernel.perf_event_max_stack = 127 frames (PERF_MAX_STACK_DEPTH).
        ctx.report("XT0205", f"{name}() takes 1 to {_DEPTH} frames", arg.span)
    return depth if depth is not None else _DEPTH


@function("strftime", 2, 2)
def strftime(ctx: Context, node: ast.Call) -> ir.Expr:
    format_ = ctx.text(node.args[0], "the format of strftime()")
    value = numeric(ctx, node, 1)
    return ir.Address(value, Timestamp(format_ or ""), node.span)


@function("nsecs", 0, 1)
def nsecs(ctx: Context, node: ast.Call) -> ir.Expr:
    """Only the boot clock: what every engine can stamp events with."""
    if node.args and not (isinstance(node.args[0], ast.Name) and node.args[0].name == "boot"):
        hint = "nsecs is the boot clock; strftime(format, nsecs) shows the time of day"
        return ctx.report("XT0220", "xtrace reads no other clock than nsecs(boot)", node.args[0].span, hint)
    return ir.Builtin("nsecs", UINT64, node.span)


@function("len", 1, 1)
def len_(ctx: Context, node: ast.Call) -> ir.Expr:
    subject = node.args[0]
    if isinstance(subject, ast.MapRef) and not subject.keys:
        ctx.tables.mark_read(subject.name, subject.span)
        return ir.MapLength(subject.name, span=node.span)
    typed = ctx.value(subject, "in len()")
    if isinstance(typed, ir.Text):
        return integer(len(typed.value.encode("utf-8", "surrogateescape")), node.span)
    if isinstance(typed.type, Unknown):
        return typed
    return ctx.report("XT0220", f"xtrace counts the entries of a map, not of a {describe(typed.type)}", node.span)


@function("has_key", 2, None)
def has_key(ctx: Context, node: ast.Call) -> ir.Expr:
    """`has_key(@m, key)`; several keys are a tuple or, as xtrace also takes them, several arguments."""
    from xtrace.core.lang.typing.maps import typed_keys

    subject = node.args[0]
    if not isinstance(subject, ast.MapRef) or subject.keys:
        return ctx.report("XT0205", "has_key(@map, key) takes a map", subject.span)
    keys = typed_keys(ctx, ast.MapRef(subject.name, node.args[1:], node.span))
    ctx.tables.mark_read(subject.name, subject.span)
    return ir.MapHasKey(subject.name, keys, span=node.span)
