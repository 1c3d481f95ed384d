"""Actions: what the user sees (output sites), and what happens to whole maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from xtrace.core import ir
from xtrace.core.lang import ast
from xtrace.core.lang.source import Span
from xtrace.core.lang.typing.arguments import numeric
from xtrace.core.lang.typing.columns import emitted_columns
from xtrace.core.lang.typing.context import Context, unknown
from xtrace.core.lang.typing.formats import check_format
from xtrace.core.lang.typing.kinds import describe
from xtrace.core.lang.typing.maps import read_type, typed_keys
from xtrace.core.lang.typing.registry import action, function
from xtrace.core.types import Int, Max, Min, Pointer, String, Struct

_MOST_STRINGS = 16
"""Strings that join() shows at most, as bpftrace does."""
_POINTER_SIZE = 8


def output(ctx: Context, site: ir.Site, args: Sequence[ir.Expr], span: Span) -> None:
    ctx.out.append(ir.Output(ctx.tables.site(site), tuple(args), span))


# --- text --------------------------------------------------------------------------------------------------------


@action("printf", 1, None)
def printf(ctx: Context, node: ast.Call) -> None:
    _print_formatted(ctx, node)


@action("errorf", 1, None)
def errorf(ctx: Context, node: ast.Call) -> None:
    _print_formatted(ctx, node)


@action("warnf", 1, None)
def warnf(ctx: Context, node: ast.Call) -> None:
    _print_formatted(ctx, node)


def _print_formatted(ctx: Context, node: ast.Call) -> None:
    formatted = _formatted(ctx, node)
    if formatted is not None:
        format_, args = formatted
        types = tuple(arg.type for arg in args)
        place = None if node.function == "printf" else node.span.place()
        output(ctx, ir.Printf(format_, types, node.function, place), args, node.span)


def _formatted(ctx: Context, node: ast.Call) -> Optional[tuple[str, list[ir.Expr]]]:
    """The format and the typed values of a call like printf's."""
    format_ = ctx.text(node.args[0], f"the format of {node.function}()")
    nodes = node.args[1:]
    args = ctx.exprs(nodes)
    if format_ is None:
        return None
    check_format(ctx, node, format_, args, nodes)
    return format_, args


@action("cat", 1, None)
def cat(ctx: Context, node: ast.Call) -> None:
    formatted = _formatted(ctx, node)
    if formatted is not None:
        format_, args = formatted
        output(ctx, ir.Cat(format_, tuple(arg.type for arg in args)), args, node.span)


@action("system", 1, None)
def system(ctx: Context, node: ast.Call) -> None:
    formatted = _formatted(ctx, node)
    if not ctx.settings.unsafe:
        ctx.report("XT0222", "system() runs commands on this host", node.span, "allow it with --unsafe")
    elif formatted is not None:
        format_, args = formatted
        output(ctx, ir.System(format_, tuple(arg.type for arg in args)), args, node.span)


@action("time", 0, 1)
def time(ctx: Context, node: ast.Call) -> None:
    format_ = ctx.text(node.args[0], "the format of time()") if node.args else "%H:%M:%S\n"
    if format_ is not None:
        output(ctx, ir.Time(format_), (), node.span)


@action("join", 1, 2)
def join(ctx: Context, node: ast.Call) -> None:
    """An array of pointers to strings, up to its NULL: what follows the NULL is not read."""
    array = numeric(ctx, node, 0)
    delimiter = ctx.text(node.args[1], "the delimiter of join()") if len(node.args) > 1 else " "
    space = ctx.space_of(array)
    pointer = Pointer(Int(1, True), space)
    text = String(ctx.settings.config.max_strlen)
    more: ir.Expr = ir.Const(1)
    strings: list[ir.Expr] = []
    for position in range(_MOST_STRINGS):
        entry = ir.Load(array, position * _POINTER_SIZE, pointer, space, span=node.span)
        present = ir.Binary("!=", entry, ir.Const(0), False, more.type if position else Int(8), node.span)
        more = ctx.keep(present if not position else ir.Logical("&&", more, present, span=node.span))
        empty = ir.Text("", text, node.span)
        strings.append(ir.Ternary(more, ir.ReadString(entry, space, text, node.span), empty, text, node.span))
    if delimiter is not None:
        output(ctx, ir.Join(delimiter), strings, node.span)


# --- values and maps ---------------------------------------------------------------------------------------------


@action("emit", 1, None)
def emit(ctx: Context, node: ast.Call) -> None:
    """One event with named columns."""
    columns = emitted_columns(ctx, node)
    values = ctx.exprs([value for _, value in columns])
    for (name, written), value in zip(columns, values):
        if isinstance(value.type, Struct):
            ctx.report("XT0235", f"the column {name} is a whole {describe(value.type)}", written.span)
    site = ir.Emit(tuple((name, value.type) for (name, _), value in zip(columns, values)))
    output(ctx, site, values, node.span)


@action("print", 1, 3)
def print_(ctx: Context, node: ast.Call) -> None:
    subject = node.args[0]
    if isinstance(subject, ast.MapRef):
        if subject.keys:
            _print_entry(ctx, node, subject)
        else:
            _print_map(ctx, node, subject)
        return
    if len(node.args) > 1:
        ctx.report("XT0204", "top and div belong to print(@map, top, div)", node.args[1].span)
    value = ctx.expr(subject)
    output(ctx, ir.PrintValue(value.type), (value,), node.span)


def _print_entry(ctx: Context, node: ast.Call, ref: ast.MapRef) -> None:
    if len(node.args) > 1:
        ctx.report("XT0204", "top and div belong to print(@map, top, div), without a key", node.args[1].span)
    keys = typed_keys(ctx, ref)
    entry = ctx.tables.mark_read(ref.name, ref.span)
    type_ = read_type(ctx, ref, entry)
    if type_ is None:
        return
    value = ir.MapValue(ref.name, keys, type_, ref.span)
    shown = entry.value if isinstance(entry.value, (Min, Max)) else type_
    site = ir.PrintValue(shown, ref.name, tuple(key.type for key in keys))
    output(ctx, site, (*keys, value), node.span)


def _print_map(ctx: Context, node: ast.Call, ref: ast.MapRef) -> None:
    limits = [0, 0]
    for position, (arg, what) in enumerate(zip(node.args[1:], ("top", "div"))):
        given = ctx.constant(arg, f"{what} of print()")
        if given is not None and given < 0:
            ctx.report("XT0205", f"{what} of print() is 0 or more", arg.span)
        limits[position] = given or 0
    ctx.tables.mark_read(ref.name, ref.span)
    output(ctx, ir.PrintMap(ref.name, *limits), (), node.span)


def _whole_map(ctx: Context, node: ast.Call) -> Optional[str]:
    subject = node.args[0]
    if isinstance(subject, ast.MapRef) and not subject.keys:
        ctx.tables.mark_read(subject.name, subject.span)
        return subject.name
    hint = f"delete({subject.span.text}) removes one entry" if isinstance(subject, ast.MapRef) else "@name is a map"
    ctx.report("XT0205", f"{node.function}() takes a whole map", subject.span, hint)
    return None


@action("clear", 1, 1)
def clear(ctx: Context, node: ast.Call) -> None:
    name = _whole_map(ctx, node)
    if name is not None:
        output(ctx, ir.Clear(name), (), node.span)


@action("zero", 1, 1)
def zero(ctx: Context, node: ast.Call) -> None:
    name = _whole_map(ctx, node)
    if name is not None:
        output(ctx, ir.Zero(name), (), node.span)


@action("delete", 1, None)
def delete(ctx: Context, node: ast.Call) -> None:
    """Entries, each `@m[keys]`, or a map without keys; a key that is not there is no error."""
    first = node.args[0]
    if isinstance(first, ast.MapRef) and not first.keys and not all(isinstance(ref, ast.MapRef) for ref in node.args):
        hint = f"several keys are a tuple: delete({first.span.text}, (a, b))"
        ctx.report("XT0204", "delete(@map, key) takes one key", node.span, hint)
        return
    for ref in node.args:
        found = _entry(ctx, ref)
        if found is not None:
            ctx.out.append(found)


@function("delete", 1, None)
def deleted(ctx: Context, node: ast.Call) -> ir.Expr:
    """`delete()` inside an expression: 1 where the entry was there, as bpftrace has it since 0.24."""
    found = _entry(ctx, node.args[0])
    if len(node.args) > 1:
        return ctx.report("XT0204", "delete() deletes one entry where its value is used", node.args[1].span)
    if found is None:
        return unknown(node.span)
    was_there = ctx.keep(ir.MapHasKey(found.map, found.keys, span=node.span))
    ctx.out.append(found)
    return was_there


def _entry(ctx: Context, ref: ast.Expr) -> Optional[ir.DeleteKey]:
    """The deletion of one entry; None after a complaint."""
    if not isinstance(ref, ast.MapRef):
        ctx.report("XT0205", "delete() takes entries of maps", ref.span, "delete(@m[key])")
        return None
    entry = ctx.tables.entry(ref.name, ref.span)
    if not ref.keys and entry.keys:
        ctx.report("XT0214", f"delete() takes one entry of @{ref.name}", ref.span, f"clear(@{ref.name}) empties it")
        return None
    keys = typed_keys(ctx, ref) if ref.keys or entry.keys is not None else ()
    ctx.tables.mark_read(ref.name, ref.span)
    return ir.DeleteKey(ref.name, keys, ref.span)


@action("exit", 0, 1)
def exit_(ctx: Context, node: ast.Call) -> None:
    """Ends the program after this clause: what follows in the clause does not run, as in bpftrace."""
    code: ir.Expr = numeric(ctx, node, 0) if node.args else ir.Const(0, span=node.span)
    output(ctx, ir.Exit(), (code,), node.span)
    ctx.out.append(ir.Jump("return", node.span))
