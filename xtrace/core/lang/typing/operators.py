"""Operators: arithmetic, comparison, logic, casts; constants are folded and dead sides are not typed at all."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Optional

from xtrace.core import ir
from xtrace.core.lang import arithmetic, ast
from xtrace.core.lang.source import Span
from xtrace.core.lang.typing.addresses import compare_address, is_address
from xtrace.core.lang.typing.context import Context, unknown
from xtrace.core.lang.typing.kinds import (
    INT64,
    INTEGERS,
    article,
    describe,
    is_number,
    is_signed,
    join,
    size_of,
    width,
)
from xtrace.core.lang.typing.registry import expression
from xtrace.core.types import (
    Array,
    Bool,
    Buffer,
    CType,
    Enumerated,
    Inet,
    Int,
    Pointer,
    Stack,
    String,
    Tuple,
    Unknown,
    Void,
)

_IN_OPERATION = "in an operation"
_COMPARED_WHOLE = (String, Tuple, Buffer, Inet, Array, Stack)


@expression(ast.Binary)
def binary(ctx: Context, node: ast.Binary) -> ir.Expr:
    if node.op in ("&&", "||"):
        return _logical(ctx, node)
    left = ctx.value(node.left, _IN_OPERATION)
    mark = len(ctx.out)
    right = ctx.value(node.right, _IN_OPERATION)
    (left,) = ctx.kept_before(mark, (left,))
    return combine(ctx, node.op, left, right, node.span)


def combine(ctx: Context, op: str, left: ir.Expr, right: ir.Expr, span: Span) -> ir.Expr:
    """`left op right` for an operator of C that evaluates both sides."""
    if op in ("==", "!=") and isinstance(left.type, _COMPARED_WHOLE) | isinstance(right.type, _COMPARED_WHOLE):
        return _compare_whole(ctx, op, left, right, span)
    for side in (left, right):
        if not is_number(side.type):
            return ctx.report("XT0206", f"{op} does not take {article(side.type)}", side.span or span)
    if isinstance(left, ir.Const) and isinstance(right, ir.Const):
        return _folded(op, left, right, span)
    if op in arithmetic.COMPARISONS:
        return ir.Binary(op, left, right, _both_signed(left, right), Bool(), span)
    if isinstance(left.type, Unknown) or isinstance(right.type, Unknown):
        return ir.Binary(op, left, right, True, Unknown(), span)
    if op in ("+", "-") and isinstance(left.type, Pointer) and not isinstance(right.type, Pointer):
        return offset_pointer(ctx, op, left, right, span)
    if op == "+" and isinstance(right.type, Pointer) and not isinstance(left.type, Pointer):
        return offset_pointer(ctx, op, right, left, span)
    signed = _both_signed(left, right)
    return ir.Binary(op, left, right, signed, Int(8, signed), span)


def _both_signed(left: ir.Expr, right: ir.Expr) -> bool:
    return is_signed(left.type) and is_signed(right.type)


def _folded(op: str, left: ir.Const, right: ir.Const, span: Span) -> ir.Const:
    signed = _both_signed(left, right)
    type_: CType = Bool() if op in arithmetic.COMPARISONS else Int(8, signed)
    return ir.Const(arithmetic.binary(op, left.value, right.value, signed), type_, span)


def offset_pointer(ctx: Context, op: str, base: ir.Expr, count: ir.Expr, span: Span) -> ir.Expr:
    """C's pointer arithmetic: `count` is in elements."""
    assert isinstance(base.type, Pointer)
    size = element_size(ctx, base.type, span)
    if size is None:
        return unknown(span)
    step = count if size == 1 else combine(ctx, "*", count, ir.Const(size, INT64, span), span)
    return ir.Binary(op, base, step, False, base.type, span)


def element_size(ctx: Context, pointer: Pointer, span: Span) -> Optional[int]:
    """Bytes from one element to the next; None after a complaint."""
    size = 1 if isinstance(pointer.to, Void) else size_of(pointer.to)
    if not size:
        ctx.report("XT0211", f"the size of {describe(pointer.to)} is not known", span)
        return None
    return size


def _compare_whole(ctx: Context, op: str, left: ir.Expr, right: ir.Expr, span: Span) -> ir.Expr:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, ir.Text) and is_address(other):
            return compare_address(ctx, op, other, one, span)
    if join(left.type, right.type) is None:
        words = f"{describe(left.type)} and {describe(right.type)}"
        return ctx.report("XT0206", f"{words} cannot be compared", span, *_comparison_hint(left, right))
    if isinstance(left, ir.Text) and isinstance(right, ir.Text):
        return ir.Const(int((left.value == right.value) == (op == "==")), Bool(), span)
    if isinstance(left.type, Tuple) and isinstance(right.type, Tuple) and left.type != right.type:
        return _compare_items(ctx, op, left, right, span)
    return ir.Compare(op, left, right, 0, Bool(), span)


def _compare_items(ctx: Context, op: str, left: ir.Expr, right: ir.Expr, span: Span) -> ir.Expr:
    """Tuples whose items differ in size or sign are not the same bytes when they are equal."""
    pairs = zip(tuple_items(left), tuple_items(right))
    equal = [combine(ctx, "==", one, other, span) for one, other in pairs]
    same = functools.reduce(lambda one, other: logical("&&", one, other, span), equal)
    return same if op == "==" else negate(ctx, "!", same, span)


def tuple_items(whole: ir.Expr) -> list[ir.Expr]:
    """The items of a value whose type is a tuple."""
    if isinstance(whole, ir.TupleValue):
        return list(whole.items)
    assert isinstance(whole.type, Tuple)
    return [ir.TupleItem(whole, position, item, whole.span) for position, item in enumerate(whole.type.items)]


def _comparison_hint(left: ir.Expr, right: ir.Expr) -> tuple[str, ...]:
    types = (left.type, right.type)
    if any(isinstance(type_, Inet) for type_ in types):
        return ('an address is compared with a literal: addr == "10.0.0.1"',)
    if any(isinstance(type_, (Pointer, Int)) for type_ in types) and String in map(type, types):
        return ("str() reads the text at an address; str($1) is a parameter's text",)
    return ()


# --- logic -------------------------------------------------------------------------------------------------------


def truth(ctx: Context, node: ast.Expr) -> ir.Expr:
    """An expression used as a condition."""
    typed = ctx.value(node, "as a condition")
    if not is_number(typed.type):
        return ctx.report("XT0207", f"{article(typed.type)} is not a condition", node.span, 'compare it: x == "…"')
    return typed


def _as_bool(operand: ir.Expr, span: Span) -> ir.Expr:
    if isinstance(operand, ir.Const):
        return ir.Const(int(operand.value != 0), Bool(), span)
    if isinstance(operand.type, (Bool, Unknown)):
        return operand
    return ir.Binary("!=", operand, ir.Const(0, INT64, span), is_signed(operand.type), Bool(), span)


def _logical(ctx: Context, node: ast.Binary) -> ir.Expr:
    left = truth(ctx, node.left)
    decides = node.op == "||"
    if isinstance(left, ir.Const):
        if bool(left.value) == decides:
            return ir.Const(int(decides), Bool(), node.span)
        return _as_bool(truth(ctx, node.right), node.span)
    with ctx.writing() as extra:
        right = truth(ctx, node.right)
    if extra:
        return _staged(ctx, left, extra, right, decides, node.span)
    return logical(node.op, left, right, node.span)


def logical(op: str, left: ir.Expr, right: ir.Expr, span: Span) -> ir.Expr:
    """`left && right` or `left || right` of two conditions without effects."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, ir.Const):
            decided = bool(one.value) == (op == "||")
            return ir.Const(int(op == "||"), Bool(), span) if decided else _as_bool(other, span)
    return ir.Logical(op, left, right, Bool(), span)


def _staged(ctx: Context, left: ir.Expr, extra: list[ir.Stmt], right: ir.Expr, decides: bool, span: Span) -> ir.Expr:
    """`left && right` where the right side has effects: they happen only if it is evaluated."""
    result = ctx.keep(_as_bool(left, span))
    assert isinstance(result, ir.Var)
    evaluated = (*extra, ir.SetVar(result.name, _as_bool(right, span), span))
    branches: tuple[tuple[ir.Stmt, ...], tuple[ir.Stmt, ...]] = ((), evaluated) if decides else (evaluated, ())
    ctx.out.append(ir.If(result, *branches, span))
    return result


@expression(ast.Ternary)
def ternary(ctx: Context, node: ast.Ternary) -> ir.Expr:
    condition = truth(ctx, node.condition)
    if isinstance(condition, ir.Const):
        return ctx.expr(node.then if condition.value else node.otherwise)
    with ctx.writing() as then_out:
        then = ctx.value(node.then, "in ?:")
    with ctx.writing() as other_out:
        other = ctx.value(node.otherwise, "in ?:")
    type_ = join(then.type, other.type)
    if type_ is None:
        words = f"{describe(then.type)} and {describe(other.type)}"
        return ctx.report("XT0206", f"the two sides of ?: have different types: {words}", node.span)
    if not then_out and not other_out:
        return ir.Ternary(condition, then, other, type_, node.span)
    name = ctx.scopes.unique("chosen")
    then_out.append(ir.SetVar(name, then, node.span))
    other_out.append(ir.SetVar(name, other, node.span))
    ctx.out.append(ir.If(condition, tuple(then_out), tuple(other_out), node.span))
    return ir.Var(name, type_, node.span)


# --- one operand -------------------------------------------------------------------------------------------------


@expression(ast.Unary)
def unary(ctx: Context, node: ast.Unary) -> ir.Expr:
    if node.op == "*":
        from xtrace.core.lang.typing.memory import fetch, locate

        return fetch(ctx, locate(ctx, node), node)
    if node.op == "&":
        hint = "an address inside a struct is (uint64)ptr + offsetof(struct x, member)"
        return ctx.report("XT0220", "xtrace does not take addresses with &", node.span, hint)
    operand = truth(ctx, node.operand) if node.op == "!" else ctx.value(node.operand, _IN_OPERATION)
    return negate(ctx, node.op, operand, node.span)


def negate(ctx: Context, op: str, operand: ir.Expr, span: Span) -> ir.Expr:
    """`op operand` for `! ~ - +`."""
    if not is_number(operand.type):
        return ctx.report("XT0206", f"{op} does not take {article(operand.type)}", span)
    if op == "+":
        return operand
    if isinstance(operand.type, Unknown) and op != "!":
        return unknown(span)
    type_: CType = Bool() if op == "!" else Int(8, is_signed(operand.type))
    result: ir.Expr = ir.Unary(op, operand, type_, span)
    if isinstance(operand, ir.Const):
        result = ir.Const(arithmetic.unary(op, operand.value), type_, span)
    unsigned = isinstance(operand.type, Int) and not operand.type.signed
    return convert(result, operand.type, span) if unsigned and op != "!" else result


@expression(ast.Cast)
def cast(ctx: Context, node: ast.Cast) -> ir.Expr:
    from xtrace.core.lang.typing.names_of_types import resolve_type

    operand = ctx.value(node.operand, "in a cast")
    target = resolve_type(ctx, node.type)
    if target is None:
        return unknown(node.span)
    return cast_to(ctx, operand, target, node.span)


def cast_to(ctx: Context, operand: ir.Expr, target: CType, span: Span) -> ir.Expr:
    """`(target)operand`"""
    if isinstance(target, Pointer) and is_number(operand.type):
        return retyped(operand, Pointer(target.to, ctx.space_of(operand, ctx.place.cast_space)), span)
    if isinstance(target, INTEGERS) and is_number(operand.type):
        return convert(operand, target, span)
    return ctx.report("XT0206", f"{article(operand.type)} cannot be cast to {describe(target)}", span)


def convert(operand: ir.Expr, target: CType, span: Span) -> ir.Expr:
    """An integer (or something only a host can type) as another integer type or pointer."""
    if operand.type == target:
        return operand
    if isinstance(operand, ir.Const) and not isinstance(target, Bool):
        value = arithmetic.convert(operand.value, width(target), is_signed_type(target))
        return ir.Const(value, target, span)
    if isinstance(target, Bool):
        return _as_bool(operand, span)
    if width(target) == 8 and width(operand.type) == 8:
        return retyped(operand, target, span)
    return ir.Convert(operand, target, span)


def _is_bit_field(operand: ir.Expr) -> bool:
    """Bit fields are extended to 64 bits by the signedness of their own type, which must stay."""
    if isinstance(operand, ir.Field):
        return operand.member.bit_size > 0
    return isinstance(operand, ir.Load) and operand.bit_size > 0


def is_signed_type(type_: CType) -> bool:
    """The signedness that extends a value of this very size."""
    return type_.signed if isinstance(type_, (Int, Enumerated)) else False


def retyped(operand: ir.Expr, type_: CType, span: Span) -> ir.Expr:
    """The same 64 bits seen as another type."""
    if operand.type == type_:
        return operand
    if width(operand.type) != 8 or _is_bit_field(operand):
        return ir.Convert(operand, type_, span)
    return replace(operand, type=type_, span=span)
