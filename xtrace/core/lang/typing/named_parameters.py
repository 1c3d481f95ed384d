"""`getopt("name", default)`: parameters given by name, `--name` or `--name=VALUE` (bpftrace 0.25)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Optional

from xtrace.core import ir
from xtrace.core.errors import Diagnostic
from xtrace.core.lang import ast
from xtrace.core.lang.literals import signed_number
from xtrace.core.lang.typing.context import Context, unknown
from xtrace.core.lang.typing.host import Settings
from xtrace.core.lang.typing.names import integer, literal
from xtrace.core.lang.typing.registry import function
from xtrace.core.lang.walk import nodes
from xtrace.core.types import Bool, String

_WORDS = {"true": 1, "1": 1, "false": 0, "0": 0}


def with_named(settings: Settings, program: ast.Program) -> tuple[Settings, tuple[Diagnostic, ...]]:
    """The settings with named parameters taken out of the positional ones, and complaints about names that the program
    does not ask for. A program without `getopt()` has positional parameters only, whatever they look like."""
    parameters = settings.parameters or ()
    if not any(_is_named(one) for one in parameters):
        return settings, ()
    calls = [node for node in nodes(program.clauses) if isinstance(node, ast.Call) and node.function == "getopt"]
    if not calls:
        return settings, ()
    asked = [call.args[0].value for call in calls if call.args and isinstance(call.args[0], ast.Text)]
    named: dict[str, Optional[str]] = {}
    for one in filter(_is_named, parameters):
        name, equals, value = one[2:].partition("=")
        named[name] = value if equals else None
    complaints = tuple(_unasked(name, asked, calls[0]) for name in named if name not in asked)
    positional = tuple(one for one in parameters if not _is_named(one))
    return replace(settings, parameters=positional, named=named), complaints


def _is_named(parameter: str) -> bool:
    return parameter.startswith("--") and len(parameter) > 2


def _unasked(name: str, asked: Sequence[str], call: ast.Call) -> Diagnostic:
    hint = f"it takes {', '.join(f'--{one}' for one in dict.fromkeys(asked))}"
    return Diagnostic("XT0225", f"the program takes no parameter --{name}", call.span, (hint,))


@function("getopt", 1, 3)
def getopt(ctx: Context, node: ast.Call) -> ir.Expr:
    """The value given on the command line, of the type that the default has; a flag without a default is false."""
    name = ctx.text(node.args[0], "the name of getopt()")
    default = ctx.expr(node.args[1]) if len(node.args) > 1 else ir.Const(0, Bool(), node.span)
    if len(node.args) > 2:
        ctx.text(node.args[2], "the help of getopt()")
    if not isinstance(default, (ir.Const, ir.Text)):
        return ctx.report("XT0223", "the default of getopt() must be a constant", node.args[1].span)
    if name is None:
        return unknown(node.span)
    if ctx.settings.parameters is None:
        return ir.Var("", default.type, node.span)
    if name not in ctx.settings.named:
        return default
    return _given(ctx, node, name, ctx.settings.named[name], default)


def _given(ctx: Context, node: ast.Call, name: str, value: Optional[str], default: ir.Expr) -> ir.Expr:
    if isinstance(default.type, Bool):
        truth = 1 if value is None else _WORDS.get(value.lower())
        if truth is None:
            return ctx.report("XT0225", f"--{name}={value} is neither true nor false", node.span)
        return ir.Const(truth, Bool(), node.span)
    if value is None:
        return ctx.report("XT0225", f"--{name} needs a value", node.span, f"--{name}=VALUE")
    if isinstance(default.type, String):
        return literal(ctx, value, node.span)
    try:
        return integer(signed_number(value), node.span)
    except ValueError as wrong:
        return ctx.report("XT0225", f"--{name} takes a number, but {value!r} {wrong}", node.span)
