"""64-bit two's complement, one rule at a time. `$zero` keeps the front end from folding what is to be tested."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.evaluate.programs import values
from xtrace.core import ir
from xtrace.core.attach import Kprobe
from xtrace.core.evaluate import Evaluator
from xtrace.core.lang import arithmetic
from xtrace.core.messages import Hit
from xtrace.core.types import Int

TOP = (1 << 63) - 1
BOTTOM = -(1 << 63)
INT64 = st.integers(BOTTOM, TOP)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("$zero + 9223372036854775807 + 1", BOTTOM),
        ("$zero - 9223372036854775807 - 2", TOP),
        ("($zero + 4611686018427387904) * 2", BOTTOM),
        ("-($zero - 9223372036854775807 - 1)", BOTTOM),
        ("~$zero", -1),
        ("!$zero", 1),
        ("(int64)($zero - 7) / 2", -3),
        ("(int64)($zero - 7) % 2", -1),
        ("($zero + 7) / $zero", 0),
        ("($zero + 7) % $zero", 0),
        ("(int64)($zero - 8) >> 1", -4),
        ("(uint64)($zero - 8) >> 60", 15),
        ("($zero + 1) << 63", BOTTOM),
        ("($zero + 1) << 65", 2),
        ("(int64)($zero - 1) < 1", 1),
        ("(uint64)($zero - 1) > 1", 1),
        ("(int8)($zero + 200)", -56),
        ("(uint8)($zero - 1)", 255),
        ("(int32)($zero + 4294967295)", -1),
        ("$zero == 0 ? 5 : 6", 5),
        ("$zero || 0", 0),
        ("!$zero && 2", 1),
    ],
)
def test_rule(expression: str, expected: int) -> None:
    assert values(expression) == (expected,)


def evaluated(op: str, left: int, right: int, signed: bool) -> int:
    kind = Int(8, signed)
    expr = ir.Binary(op, ir.Captured(0, kind), ir.Captured(1, kind), signed, kind)
    clause = ir.Clause((Kprobe("kprobe:f", "f", "f"),), None, (ir.Output(0, (expr,)),))
    machine = Evaluator(ir.Program((clause,), (), (ir.PrintValue(kind),)))
    machine.fire(0, (left, right))
    (hit,) = machine.take()
    assert isinstance(hit, Hit) and isinstance(hit.values[0], int)
    return hit.values[0]


@pytest.mark.parametrize("op", ["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "<", "<=", ">", ">=", "==", "!="])
@pytest.mark.parametrize("signed", [True, False])
@given(left=INT64, right=INT64)
def test_generated_code_means_what_the_operators_mean(op: str, signed: bool, left: int, right: int) -> None:
    assert evaluated(op, left, right, signed) == arithmetic.binary(op, left, right, signed)
