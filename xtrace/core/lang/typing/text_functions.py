"""Functions of text: `str` and its like, `strncmp`, `strcontains`."""

from __future__ import annotations

from typing import Optional

from xtrace.core import ir
from xtrace.core.lang import ast
from xtrace.core.lang.source import Span
from xtrace.core.lang.typing.arguments import numeric, textual, wrong
from xtrace.core.lang.typing.context import Context, unknown
from xtrace.core.lang.typing.kinds import INT64, is_number, size_of
from xtrace.core.lang.typing.memory import Location, address, fetch, locate
from xtrace.core.lang.typing.names import integer, literal, positional_text
from xtrace.core.lang.typing.registry import function
from xtrace.core.types import (
    Array,
    Buffer,
    Space,
    String,
    Unknown,
)


@function("str", 1, 2)
def str_(ctx: Context, node: ast.Call) -> ir.Expr:
    return _read_string(ctx, node, None)


@function("kstr", 1, 2)
def kstr(ctx: Context, node: ast.Call) -> ir.Expr:
    return _read_string(ctx, node, Space.KERNEL)


@function("ustr", 1, 2)
def ustr(ctx: Context, node: ast.Call) -> ir.Expr:
    return _read_string(ctx, node, Space.USER)


def _read_string(ctx: Context, node: ast.Call, space: Optional[Space]) -> ir.Expr:
    """The text at an address: as much of it as fits `max_strlen`, or as the length asks for."""
    limit = ctx.settings.config.max_strlen
    length = numeric(ctx, node, 1) if len(node.args) > 1 else None
    if isinstance(length, ir.Const):
        if length.value < 0:
            return ctx.report("XT0205", f"{node.function}() takes a length of 0 or more", node.args[1].span)
        return _text_at(ctx, node, space, min(limit, length.value + 1))
    mark = len(ctx.out)
    text = _text_at(ctx, node, space, limit)
    if length is None or isinstance(length.type, Unknown) or not isinstance(text.type, String):
        return text
    (length,) = ctx.kept_before(mark, [length])
    return ir.Cut(text, length, String(limit), node.span)


def _text_at(ctx: Context, node: ast.Call, space: Optional[Space], limit: int) -> ir.Expr:
    subject = node.args[0]
    if isinstance(subject, ast.Positional):
        parameters = ctx.settings.parameters
        if parameters is None:
            return ir.Var("", String(limit), node.span)
        return literal(ctx, _first(positional_text(parameters, subject.index), limit - 1), node.span)
    found = locate(ctx, subject)
    if isinstance(found, Location) and isinstance(found.type, Array) and found.record is None:
        size = min(limit, size_of(found.type) or limit)
        return ir.ReadString(address(found, node.span), space or found.space, String(size), node.span)
    value = fetch(ctx, found, subject)
    if isinstance(value.type, String):
        return _cut(value, limit, node.span)
    if isinstance(value.type, Buffer) and isinstance(value, ir.Field):
        return ir.Field(value.member, String(limit), node.span)
    if not is_number(value.type):
        return wrong(ctx, node, 0, value, "an address")
    return ir.ReadString(value, space or ctx.space_of(value), String(limit), node.span)


def _cut(value: ir.Expr, limit: int, span: Span) -> ir.Expr:
    """A string that is already one, where `str()` is asked for fewer bytes of it."""
    assert isinstance(value.type, String)
    if isinstance(value, ir.Text):
        return ir.Text(_first(value.value, limit - 1), String(min(limit, value.type.size)), span)
    if value.type.size <= limit:
        return value
    if isinstance(value, ir.ReadString):
        return ir.ReadString(value.address, value.space, String(limit), value.span)
    return ir.Cut(value, ir.Const(limit - 1), String(limit), span)


def _first(text: str, length: int) -> str:
    """The first bytes of a text known now."""
    return text.encode("utf-8", "surrogateescape")[:length].decode("utf-8", "surrogateescape")


@function("strncmp", 3, 3)
def strncmp(ctx: Context, node: ast.Call) -> ir.Expr:
    """0 where the first bytes are equal, as in C."""
    left, right = ctx.in_order([lambda: textual(ctx, node, 0), lambda: textual(ctx, node, 1)])
    length = ctx.constant(node.args[2], "the length of strncmp()")
    if length is None:
        return unknown(node.span)
    if length < 0:
        return ctx.report("XT0205", "strncmp() takes a length of 0 or more", node.args[2].span)
    if isinstance(left, ir.Text) and isinstance(right, ir.Text):
        return integer(int(_first(left.value, length) != _first(right.value, length)), node.span)
    if length == 0:
        return integer(0, node.span)
    return ir.Compare("!=", left, right, length, INT64, node.span)


@function("strcontains", 2, 2)
def strcontains(ctx: Context, node: ast.Call) -> ir.Expr:
    whole, part = ctx.in_order([lambda: textual(ctx, node, 0), lambda: textual(ctx, node, 1)])
    if isinstance(whole, ir.Text) and isinstance(part, ir.Text):
        return integer(int(part.value in whole.value), node.span)
    return ir.Contains(whole, part, span=node.span)


@function("strlen", 1, 1)
def strlen(ctx: Context, node: ast.Call) -> ir.Expr:
    """The bytes of a text before its end."""
    text = textual(ctx, node, 0)
    if isinstance(text, ir.Text):
        return integer(len(text.value.encode("utf-8", "surrogateescape")), node.span)
    return ir.TextLength(text, span=node.span)
