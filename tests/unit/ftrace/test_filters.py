"""A kernel filter lets through what the predicate does: never less, and exactly that where it says so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtrace.backends.ftrace.filters import Filter, Operand, either, kernel_filter
from xtrace.core import ir
from xtrace.core.evaluate import Evaluator
from xtrace.core.types import Int, String

FIELDS = {
    0: Operand("u8", 1, False),
    1: Operand("s16", 2, True),
    2: Operand("u32", 4, False),
    3: Operand("s64", 8, True),
    4: Operand("u64", 8, False),
    5: Operand("name", text_size=16),
}
TYPES = {n: String(16) if f.text_size else Int(f.size, f.signed) for n, f in FIELDS.items()}
VALUES = st.sampled_from(
    [-(1 << 63), -70000, -129, -2, -1, 0, 1, 2, 3, 127, 128, 255, 256, 65535, 1 << 31, (1 << 63) - 1]
)


def operand(expr: ir.Expr) -> Optional[Operand]:
    return FIELDS[expr.index] if isinstance(expr, ir.Captured) and expr.index < 6 else None


def slot(index: int) -> ir.Expr:
    return ir.Captured(index, TYPES.get(index, Int()))


@st.composite
def comparisons(draw: st.DrawFn) -> ir.Expr:
    field = slot(draw(st.integers(0, 6)) % 7 if draw(st.booleans()) else draw(st.integers(0, 4)))
    if isinstance(field.type, String):
        return ir.Compare(
            draw(st.sampled_from(["==", "!="])), field, ir.Text(draw(TEXTS)), draw(st.sampled_from([0, 1, 2]))
        )
    const = ir.Const(draw(VALUES))
    op = draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "&"]))
    left, right = (field, const) if draw(st.booleans()) or op == "&" else (const, field)
    return ir.Binary(op, left, right, draw(st.booleans()), Int())


TEXTS = st.sampled_from(["", "a", "ab", "sh", "a*", 'q"', "bash"])
PREDICATES = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        st.builds(lambda op, a, b: ir.Logical(op, a, b), st.sampled_from(["&&", "||"]), inner, inner),
        st.builds(lambda a: ir.Unary("!", a, Int()), inner),
    ),
    max_leaves=5,
)


@st.composite
def records(draw: st.DrawFn) -> list[object]:
    values: list[object] = []
    for field in list(FIELDS.values())[:5]:
        value = draw(VALUES) & ((1 << 8 * field.size) - 1)
        signed = field.signed or field.size == 8
        values.append(value - (1 << 8 * field.size) if signed and value >> (8 * field.size - 1) else value)
    return [*values, draw(TEXTS), draw(VALUES)]


@given(PREDICATES, records())
def test_the_filter_agrees_with_the_predicate(predicate: ir.Expr, record: list[object]) -> None:
    made = kernel_filter(predicate, operand, bit_tests=True)
    if made is None:
        return
    passes = kernel_passes(made.text, record)
    if made.exact:
        assert passes == evaluated(predicate, record), made.text
    else:
        assert passes or not evaluated(predicate, record), made.text


def evaluated(predicate: ir.Expr, record: list[object]) -> bool:
    from xtrace.core.attach import Profile

    clause = ir.Clause((Profile("p", 1),), predicate, (ir.Output(0, ()),))
    evaluator = Evaluator(ir.Program((clause,), (), (ir.Emit(()),)))
    evaluator.fire(0, record)  # type: ignore[arg-type]
    return bool(evaluator.take())


@dataclass
class Kernel:
    """The filter language as kernel/trace/trace_events_filter.c runs it: each comparison in the field's own type."""

    tokens: list[str]
    record: list[object]

    def either(self) -> bool:
        value = self.both()
        while self.tokens and self.tokens[0] == "||":
            self.tokens.pop(0)
            value = self.both() or value
        return value

    def both(self) -> bool:
        value = self.one()
        while self.tokens and self.tokens[0] == "&&":
            self.tokens.pop(0)
            value = self.one() and value
        return value

    def one(self) -> bool:
        if self.tokens[0] == "(":
            self.tokens.pop(0)
            value = self.either()
            assert self.tokens.pop(0) == ")"
            return value
        name, op, literal = (self.tokens.pop(0) for _ in range(3))
        index, field = next((n, f) for n, f in FIELDS.items() if f.name == name)
        return self.test(field, self.record[index], op, literal)

    def test(self, field: Operand, value: object, op: str, literal: str) -> bool:
        if field.text_size:
            assert isinstance(value, str)
            text = literal[1:-1]
            if op == "~":
                return value.startswith(text[:-1]) if text.endswith("*") else value == text
            return (value == text) == (op == "==")
        assert isinstance(value, int)
        mask = (1 << 8 * field.size) - 1
        left, right = (self.typed(number & mask, field) for number in (value, int(literal)))
        if op == "&":
            return bool(left & right)
        return {"==": left == right, "!=": left != right, "<": left < right, "<=": left <= right,
                ">": left > right, ">=": left >= right}[op]  # fmt: skip

    def typed(self, number: int, field: Operand) -> int:
        return number - (1 << 8 * field.size) if field.signed and number >> (8 * field.size - 1) else number


def kernel_passes(text: str, record: list[object]) -> bool:
    kernel = Kernel(re.findall(r"\(|\)|&&|\|\||\"[^\"]*\"|'[^']*'|[^\s()]+", text), record)
    value = kernel.either()
    assert not kernel.tokens
    return value


@pytest.mark.parametrize(
    ("predicate", "text"),
    [
        (ir.Compare("==", slot(5), ir.Text('a"b')), "name == 'a\"b'"),
        (ir.Compare("==", slot(5), ir.Text("bash"), 2), 'name ~ "ba*"'),
        (ir.Contains(slot(5), ir.Text("as")), 'name ~ "*as*"'),
        (ir.Binary("<", ir.Const(3), slot(1), True, Int()), "s16 > 3"),
        (ir.Binary("==", slot(0), ir.Const(300), True, Int()), None),
        (ir.Compare("==", slot(5), ir.Text("'\"")), None),
        (ir.Compare("==", slot(5), ir.Text("a\nb")), None),
        (ir.Compare("==", slot(5), ir.Text("x" * 16)), None),
    ],
)
def test_single_translations(predicate: ir.Expr, text: Optional[str]) -> None:
    made = kernel_filter(predicate, operand, bit_tests=True)
    assert (made.text if made else None) == text


def test_clauses_that_share_an_event_share_a_filter() -> None:
    one, other = Filter("a == 1", True), Filter("b == 2", True)
    assert either([one, one]) == one
    assert either([one, other]) == Filter("(a == 1) || (b == 2)", False)
    assert either([one, None]) is None


def test_a_filter_that_does_not_fit_a_page_is_not_used() -> None:
    tests = [ir.Binary("==", slot(2), ir.Const(n), True, Int()) for n in range(400)]
    predicate: ir.Expr = tests[0]
    for test in tests[1:]:
        predicate = ir.Logical("||", predicate, test)
    assert kernel_filter(predicate, operand, bit_tests=True) is None
