"""printf formats: the conversions they hold and what each of them shows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xtrace.core import ir
from xtrace.core.lang import ast
from xtrace.core.lang.source import Span
from xtrace.core.lang.typing.context import Context
from xtrace.core.lang.typing.kinds import article, is_char, is_number
from xtrace.core.records import dataclass
from xtrace.core.types import (
    Array,
    Buffer,
    CType,
    Inet,
    Int,
    Pointer,
    Stack,
    String,
    Struct,
    Symbol,
    Timestamp,
    Unknown,
    Void,
)

_CONVERSION = re.compile(r"%([-+ 0#]*)(\*|\d*)(\.\d+)?(hh|h|ll|l|j|z|t)?([a-zA-Z%])?")
_NUMBERS = "diuxXoc"
_FOR: tuple[tuple[type, str], ...] = (
    (Buffer, "%r"),
    (String, "%s"),
    (Inet, "%s"),
    (Symbol, "%s"),
    (Stack, "%s"),
    (Timestamp, "%s"),
    (Pointer, "%p"),
)


@dataclass(frozen=True)
class Conversion:
    """`letter` is "" where the format ends or goes on with something that is no conversion. `text` is as written."""

    text: str
    letter: str
    width: str


def conversions(format_: str) -> list[Conversion]:
    """The conversions of a format that take an argument, in order."""
    found = (Conversion(m.group(0), m.group(5) or "", m.group(2)) for m in _CONVERSION.finditer(format_))
    return [conversion for conversion in found if conversion.letter != "%"]


def check_format(
    ctx: Context, node: ast.Call, format_: str, args: Sequence[ir.Expr], nodes: Sequence[ast.Expr]
) -> None:
    """Complain about each conversion that is none, and each argument that its conversion does not show."""
    expected = conversions(format_)
    for conversion in expected:
        if conversion.letter not in (*_NUMBERS, "s", "r", "p") or not conversion.letter or conversion.width == "*":
            hint = "%d %u %x %o %c %s %r %p, with width and precision; %% is a percent sign"
            message = f"{conversion.text or '%'} is no conversion of {node.function}()"
            ctx.report("XT0217", message, _place(node.args[0].span, conversion), hint)
            return
    if len(expected) != len(nodes):
        words = f"{len(expected)} value{'' if len(expected) == 1 else 's'}"
        span = node.args[0].span if len(nodes) < len(expected) else nodes[len(expected)].span
        ctx.report("XT0217", f"the format shows {words}, but {len(nodes)} follow", span)
        return
    for conversion, arg, written in zip(expected, args, nodes):
        if not _shows(conversion.letter, arg.type):
            message = f"{conversion.text} does not show {article(arg.type)}"
            ctx.report("XT0217", message, written.span, *_hint(arg.type))
        elif conversion.letter == "s" and isinstance(arg, (ir.Arg, ir.Retval)) and isinstance(arg.type, Int):
            message = f"{conversion.text} shows {written.span.text} as a number"
            ctx.warn("XT0217", message, written.span, "str() reads the text at an address")


def _place(written: Span, conversion: Conversion) -> Span:
    """Where a conversion stands in the literal, if that can be told."""
    if not conversion.text or written.text.count(conversion.text) != 1:
        return written
    start = written.start + written.text.index(conversion.text)
    return Span(written.source, start, start + len(conversion.text))


def _shows(letter: str, type_: CType) -> bool:
    if isinstance(type_, (Unknown, Void)):
        return True
    if isinstance(type_, Buffer) and type_.mac:
        return letter == "s"
    if letter == "s":
        return not isinstance(type_, (Struct, Buffer)) and not (isinstance(type_, Pointer) and is_char(type_.to))
    if letter == "r":
        return isinstance(type_, (Buffer, Array))
    return is_number(type_) or (letter in "xXp" and isinstance(type_, Symbol))


def _hint(type_: CType) -> tuple[str, ...]:
    if isinstance(type_, Buffer) and type_.mac:
        return ("use %s",)
    if isinstance(type_, Pointer) and is_char(type_.to):
        return ("str() reads the text at an address", "use %p")
    for kind, conversion in _FOR:
        if isinstance(type_, kind):
            return (f"use {conversion}",)
    return ("use %d",) if is_number(type_) else ("use %s",)
