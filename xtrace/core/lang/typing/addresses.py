"""Comparing internet addresses with text: `daddr == "10.0.0.1"` becomes a comparison of numbers.

The address that the kernel holds is in network byte order, so the number that a load gives depends on the byte order of
the host; where none is known yet the answer is only typed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from xtrace.core import ir
from xtrace.core.lang import arithmetic
from xtrace.core.lang.source import Span
from xtrace.core.lang.typing.context import Context, unknown
from xtrace.core.lang.typing.kinds import is_byte_array, size_of
from xtrace.core.types import Array, Bool, Inet, Int

_WORD = 8


def is_address(value: ir.Expr) -> bool:
    """Whether a value is an internet address: what `ntop` gives, or an array of 4 or 16 bytes."""
    return isinstance(value.type, Inet) or (is_byte_array(value.type) and size_of(value.type) in (4, 16))


def packed(ctx: Context, text: str, span: Span) -> Optional[bytes]:
    """The 4 or 16 bytes of an address in network order; None after a complaint."""
    from ipaddress import ip_address

    try:
        return ip_address(text).packed
    except ValueError:
        ctx.report("XT0205", f'"{text}" is no internet address', span, 'like "10.0.0.1" or "fe80::1"')
        return None


def compare_address(ctx: Context, op: str, value: ir.Expr, text: ir.Text, span: Span) -> ir.Expr:
    """`value == text` or `!=` for an address of the traced program and one that is written."""
    wanted = packed(ctx, text.value, text.span or span)
    if wanted is None:
        return ir.Const(0, Bool(), span)
    equal = _equal(ctx, value, wanted, span)
    if equal is None:
        message = "an address that was kept in a variable or map cannot be compared with text"
        return ctx.report("XT0220", message, span, "compare it where it is read, or keep the number and compare that")
    if op == "==":
        return equal
    if isinstance(equal, ir.Const):
        return ir.Const(arithmetic.unary("!", equal.value), Bool(), span)
    return ir.Unary("!", equal, Bool(), span)


def _equal(ctx: Context, value: ir.Expr, wanted: bytes, span: Span) -> Optional[ir.Expr]:
    """The comparison, a constant where the families differ, or None where the bytes cannot be reached any more."""
    if isinstance(value, ir.Var) and not value.name:
        return unknown(span)
    if isinstance(value, ir.Ternary):
        then, other = _equal(ctx, value.then, wanted, span), _equal(ctx, value.otherwise, wanted, span)
        return None if then is None or other is None else ir.Ternary(value.condition, then, other, Bool(), span)
    if isinstance(value, ir.Address):
        if len(wanted) != 4:
            return ir.Const(0, Bool(), span)
        operand = (
            value.operand if value.operand.type == Int(4, False) else ir.Convert(value.operand, Int(4, False), span)
        )
        return _same(ctx, operand, wanted, span)
    if isinstance(value, (ir.ReadBytes, ir.Field)):
        return _equal_bytes(ctx, value, wanted, span)
    return None


def _equal_bytes(ctx: Context, value: ir.Expr, wanted: bytes, span: Span) -> Optional[ir.Expr]:
    size = _byte_count(value)
    if size is None:
        return None
    if size != len(wanted):
        return ir.Const(0, Bool(), span)
    result: Optional[ir.Expr] = None
    for start in range(0, size, _WORD):
        part = wanted[start : start + _WORD]
        same = _same(ctx, _piece(value, start, len(part), span), part, span)
        result = same if result is None else ir.Logical("&&", result, same, Bool(), span)
    return result


def _byte_count(value: ir.Expr) -> Optional[int]:
    if isinstance(value, ir.Field):
        inline = value.member.location == "inline" and isinstance(value.member.type, Array)
        return value.member.size if inline else None
    if isinstance(value, ir.ReadBytes) and isinstance(value.length, ir.Const):
        return value.length.value
    return None


def _piece(value: ir.Expr, start: int, size: int, span: Span) -> ir.Expr:
    """`size` bytes of an address, as a number in the byte order of the host."""
    type_ = Int(size, False)
    if isinstance(value, ir.Field):
        name = f"{value.member.name}[{start}:{start + size}]"
        member = replace(value.member, name=name, type=type_, offset=value.member.offset + start, size=size)
        return ir.Field(member, type_, span)
    assert isinstance(value, ir.ReadBytes)
    return ir.Load(value.address, start, type_, value.space, span=span)


def _same(ctx: Context, number: ir.Expr, wanted: bytes, span: Span) -> ir.Expr:
    order = "little" if ctx.settings.little_endian else "big"
    expected = ir.Const(arithmetic.wrap(int.from_bytes(wanted, order)), number.type, span)  # type: ignore[arg-type]
    return ir.Binary("==", number, expected, len(wanted) < _WORD, Bool(), span)
