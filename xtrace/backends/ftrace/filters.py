"""Predicates as event filters of the kernel, with equal results (Documentation/trace/events.rst, section 5).

A filter compares a field of the record with a constant by the field's own size and sign
(kernel/trace/trace_events_filter.c, DEFINE_COMPARISON_PRED), so a comparison is moved to the kernel only where that
gives what 64-bit arithmetic gives. A predicate that is moved in part leaves a filter that lets through too much, never
too little, and is tested again in user space.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

from xtrace.backends.ftrace.tokens import MAX_FILTER
from xtrace.core import ir
from xtrace.core.quoting import QuotingError, tracefs_filter
from xtrace.core.records import dataclass
from xtrace.core.types import Enumerated, Int, Pointer, String

_FLIPPED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_GLOB = frozenset("*?[]\\")


@dataclass(frozen=True)
class Operand:
    """A field that a filter can test. `text_size` > 0: a string of at most that many bytes with its NUL."""

    name: str
    size: int = 8
    signed: bool = True
    text_size: int = 0


@dataclass(frozen=True)
class Filter:
    """A filter's text; `exact`: it lets through exactly what the predicate does."""

    text: str
    exact: bool


Operands = Callable[[ir.Expr], Optional[Operand]]


def kernel_filter(predicate: Optional[ir.Expr], operands: Operands, bit_tests: bool) -> Optional[Filter]:
    """The part of a predicate that the kernel can decide, or None where there is none.

    `operands` gives the field that holds a leaf of the predicate. `bit_tests`: the kernel has `field & mask`.
    """
    if predicate is None:
        return None
    made = _Translation(operands, bit_tests).of(predicate, True)
    return made if made is not None and len(made.text.encode("utf-8", "surrogateescape")) <= MAX_FILTER else None


def either(filters: list[Optional[Filter]]) -> Optional[Filter]:
    """The filter for an event that several clauses share: what any of them wants passes. None where one wants all."""
    wanted: dict[str, Filter] = {}
    for one in filters:
        if one is None:
            return None
        wanted[one.text] = one
    if not wanted:
        return None
    if len(wanted) == 1:
        return next(iter(wanted.values()))
    text = " || ".join(f"({one.text})" for one in wanted.values())
    return Filter(text, False) if len(text) <= MAX_FILTER else None


class _Translation:
    def __init__(self, operands: Operands, bit_tests: bool) -> None:
        self._operands = operands
        self._bit_tests = bit_tests

    def of(self, expr: ir.Expr, positive: bool) -> Optional[Filter]:
        """The filter for the expression being true, or false where not `positive`."""
        if isinstance(expr, ir.Unary) and expr.op == "!":
            return self.of(expr.operand, not positive)
        if isinstance(expr, ir.Logical):
            return self._logical(expr, positive)
        if isinstance(expr, ir.Binary) and expr.op in _FLIPPED:
            return self._comparison(expr, positive)
        if isinstance(expr, ir.Compare):
            return self._likeness(expr, positive)
        if isinstance(expr, ir.Contains):
            return self._contains(expr, positive)
        return self._truth(expr, positive)

    def _logical(self, expr: ir.Logical, positive: bool) -> Optional[Filter]:
        left, right = self.of(expr.left, positive), self.of(expr.right, positive)
        both = (expr.op == "&&") == positive
        if left is None or right is None:
            one = left or right
            return Filter(one.text, False) if both and one is not None else None
        return Filter(f"({left.text}) {'&&' if both else '||'} ({right.text})", left.exact and right.exact)

    def _comparison(self, expr: ir.Binary, positive: bool) -> Optional[Filter]:
        left, right, op = expr.left, expr.right, expr.op
        if isinstance(left, ir.Const):
            left, right, op = right, left, _FLIPPED[op]
        if not isinstance(right, ir.Const):
            return None
        op = op if positive else _OPPOSITE[op]
        if right.value == 0 and op in ("==", "!=") and isinstance(left, ir.Binary) and left.op == "&":
            return self._bits(left, op == "!=")
        field = self._field(left)
        return _number_test(field, op, right.value, expr.signed) if field else None

    def _truth(self, expr: ir.Expr, positive: bool) -> Optional[Filter]:
        if isinstance(expr, ir.Binary) and expr.op == "&":
            return self._bits(expr, positive)
        field = self._field(expr)
        return Filter(f"{field.name} {'!=' if positive else '=='} 0", True) if field else None

    def _bits(self, expr: ir.Binary, positive: bool) -> Optional[Filter]:
        """`field & mask`: true where a bit of the mask is set. Its negation has no form that all kernels take."""
        mask = expr.right
        field = self._field(expr.left)
        if not (self._bit_tests and positive and field and isinstance(mask, ir.Const)):
            return None
        fits = 0 < mask.value < 1 << (8 * field.size - field.signed)
        return Filter(f"{field.name} & {mask.value}", True) if fits else None

    def _field(self, expr: ir.Expr) -> Optional[Operand]:
        """The field that holds an integer, looking through casts that keep its value."""
        while isinstance(expr, ir.Convert):
            if not keeps(expr):
                return None
            expr = expr.operand
        found = self._operands(expr)
        return found if found is not None and not found.text_size else None

    def _likeness(self, expr: ir.Compare, positive: bool) -> Optional[Filter]:
        left, right = expr.left, expr.right
        if isinstance(left, ir.Text):
            left, right = right, left
        field = self._operands(left)
        if field is None or not field.text_size or not isinstance(right, ir.Text):
            return None
        raw = right.value.encode("utf-8", "surrogateescape")
        equal = (expr.op == "==") == positive
        if expr.length and expr.length <= len(raw):
            start = raw[: expr.length].decode("utf-8", "surrogateescape")
            return _glob(field, f"{start}*", start, expr.length) if equal else None
        if len(raw) + 1 >= field.text_size or not raw:
            return None
        return _quoted(field, "==" if equal else "!=", right.value, True)

    def _contains(self, expr: ir.Contains, positive: bool) -> Optional[Filter]:
        field = self._operands(expr.text)
        if field is None or not field.text_size or not isinstance(expr.part, ir.Text) or not positive:
            return None
        made = _glob(field, f"*{expr.part.value}*", expr.part.value, len(expr.part.value))
        return Filter(made.text, False) if made else None


def _number_test(field: Operand, op: str, value: int, signed: bool) -> Optional[Filter]:
    bits = 8 * field.size
    if op not in ("==", "!=") and not _same_order(field, value, signed):
        return None
    if field.signed or field.size < 8:
        low, high = (-(1 << (bits - 1)), 1 << (bits - 1)) if field.signed else (0, 1 << bits)
        if not low <= value < high:
            return None
    else:
        value &= (1 << 64) - 1
    return Filter(f"{field.name} {op} {value}", True)


def _same_order(field: Operand, value: int, signed: bool) -> bool:
    """Does the kernel's comparison in the field's own type order like the program's on 64 bits?"""
    if field.size == 8 or field.signed:
        return field.signed == signed
    return value >= 0


def keeps(cast: ir.Convert) -> bool:
    """Does a cast leave every value of its operand as it is?"""
    inner = cast.operand.type
    if isinstance(cast.type, Pointer):
        return True
    if not isinstance(cast.type, (Int, Enumerated)) or not isinstance(inner, (Int, Enumerated, Pointer)):
        return False
    if cast.type.size == 8 or isinstance(inner, Pointer):
        return cast.type.size == 8
    wider = cast.type.size > inner.size and (cast.type.signed or not inner.signed)
    return wider or (cast.type.size == inner.size and cast.type.signed == inner.signed)


def _glob(field: Operand, pattern: str, literal: str, length: int) -> Optional[Filter]:
    if not literal or literal.startswith("!") or _GLOB & set(literal) or length + 1 >= field.text_size:
        return None
    return _quoted(field, "~", pattern, True)


def _quoted(field: Operand, op: str, value: str, exact: bool) -> Optional[Filter]:
    try:
        return Filter(f"{field.name} {op} {tracefs_filter(value)}", exact)
    except QuotingError:
        return None


def text_operand(name: str, kind: String, held: int = 0) -> Operand:
    """A string field. `held` is the size of the record's array where it has a fixed one."""
    return Operand(name, text_size=min(kind.size, held) if held else kind.size)
