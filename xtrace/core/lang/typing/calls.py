"""Calls: which function is meant, with how many arguments, and whether its value is asked for."""

from __future__ import annotations

from typing import Optional

from xtrace.core import ir
from xtrace.core.lang import ast
from xtrace.core.lang.typing.context import Context, unknown
from xtrace.core.lang.typing.maps import AGGREGATION_NAMES
from xtrace.core.lang.typing.registry import CALLEES, Callee, expression

_OBSERVES_ONLY = {
    "signal": "it would send a signal to the traced process",
    "override": "it would change what a kernel function returns",
    "write_user": "it would write to the traced process's memory",
    "skboutput": "it would write packet files from the kernel; emit() or printf() the fields instead",
}
_UNSUPPORTED = {
    "strftime_ns": "strftime(format, nsecs)",
    "path": "read the name of the dentry: str(file->f_path.dentry->d_name.name)",
    "strstr": "strcontains(text, part) tells whether the part is there",
    "strcap": "",
    "container_of": "(struct x *)((uint64)ptr - offsetof(struct x, member))",
    "socket_cookie": "",
    "tseries": "hist() or avg() by interval shows a course of time",
    "percpu_kaddr": "",
    "assert": "",
    "static_assert": "",
    "typeof": "",
    "typeinfo": "",
    "fail": "",
    "unwatch": "",
    "debugf": "printf() writes to the output",
    "print_maps": "print(@m) prints one map",
    "dw_ustack": "ustack",
}


@expression(ast.Call)
def call(ctx: Context, node: ast.Call) -> ir.Expr:
    """A call inside an expression."""
    callee = _callee(ctx, node)
    if callee is None:
        return unknown(node.span)
    if callee.value is None:
        return ctx.report("XT0231", f"{node.function}() gives no value", node.span, "call it as a statement of its own")
    return callee.value(ctx, node)


@expression(ast.Labelled)
def labelled(ctx: Context, node: ast.Labelled) -> ir.Expr:
    return ctx.report("XT0218", f"{node.name} = … names a column, which only emit() has", node.span, "compare with ==")


def perform(ctx: Context, node: ast.Call) -> None:
    """A call as a statement."""
    callee = _callee(ctx, node)
    if callee is None:
        return
    if callee.action is not None:
        callee.action(ctx, node)
    elif callee.value is not None:
        callee.value(ctx, node)
        ctx.warn("XT0228", f"nothing uses the value of {node.function}()", node.span)


def _callee(ctx: Context, node: ast.Call) -> Optional[Callee]:
    """The function called, or None after a complaint."""
    name = node.function
    callee = CALLEES.get(name)
    if callee is None:
        _unknown_function(ctx, node)
        return None
    count = len(node.args)
    if count < callee.least or (callee.most is not None and count > callee.most):
        message = f"{name}() takes {_range(callee)}, not {count}"
        ctx.report("XT0204", message, node.span)
        return None
    return callee


def _range(callee: Callee) -> str:
    if callee.most is None:
        return f"at least {callee.least} argument{'' if callee.least == 1 else 's'}"
    if callee.least == callee.most:
        return f"{callee.least or 'no'} argument{'' if callee.least == 1 else 's'}"
    between = "or" if callee.most == callee.least + 1 else "to"
    return f"{callee.least} {between} {callee.most} argument{'' if callee.most == 1 else 's'}"


def _unknown_function(ctx: Context, node: ast.Call) -> None:
    name = node.function
    if name in AGGREGATION_NAMES:
        hint = f"@name = {name}(…)"
        ctx.report("XT0215", f"{name}() must be all that is assigned to a map", node.span, hint)
    elif name in _OBSERVES_ONLY:
        ctx.report("XT0221", f"xtrace only observes, so it has no {name}(): {_OBSERVES_ONLY[name]}", node.span)
    elif name in _UNSUPPORTED:
        hints = (_UNSUPPORTED[name],) if _UNSUPPORTED[name] else ()
        ctx.report("XT0220", f"xtrace does not have the function {name}()", node.span, *hints)
    else:
        known = [*CALLEES, *AGGREGATION_NAMES]
        ctx.report("XT0203", f"there is no function {name}()", node.span, *ctx.near(name, known))
