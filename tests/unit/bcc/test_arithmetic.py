"""Generated C computes what the evaluator computes: wrapping, truncation, signs, division by zero."""

from __future__ import annotations

import ctypes
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.bcc.native import function, library
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.evaluate.evaluator import Evaluator
from xtrace.core.messages import Hit

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")

NAMES = ("a", "b", "c")
EDGES = (0, 1, -1, 2, 63, 64, 255, -128, 1 << 31, (1 << 63) - 1, -(1 << 63))
numbers = st.one_of(st.sampled_from(EDGES), st.integers(-(1 << 63), (1 << 63) - 1))
signs = st.booleans()
integers = st.builds(t.Int, st.sampled_from((1, 2, 4, 8)), signs)

leaves: st.SearchStrategy[ir.Expr] = st.one_of(
    st.sampled_from(NAMES).map(lambda name: ir.Var(name, t.Int())), numbers.map(lambda value: ir.Const(value))
)


def grown(inner: st.SearchStrategy[ir.Expr]) -> st.SearchStrategy[ir.Expr]:
    operators = st.sampled_from(["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "<", "<=", ">", ">=", "==", "!="])
    binary = st.builds(lambda op, x, y, sign: ir.Binary(op, x, y, sign, t.Int(8, sign)), operators, inner, inner, signs)
    return st.one_of(
        binary,
        binary,
        st.builds(lambda op, x: ir.Unary(op, x, t.Int()), st.sampled_from("!~-"), inner),
        st.builds(lambda op, x, y: ir.Logical(op, x, y), st.sampled_from(("&&", "||")), inner, inner),
        st.builds(lambda c, x, y: ir.Ternary(c, x, y, t.Int()), inner, inner, inner),
        st.builds(lambda x, kind: ir.Convert(x, kind), inner, integers),
    )


expressions = st.recursive(leaves, grown, max_leaves=12)
batches = st.lists(expressions, min_size=20, max_size=40)
inputs = st.lists(st.tuples(numbers, numbers, numbers), min_size=4, max_size=8)


def expected(expr: ir.Expr, values: tuple[int, int, int]) -> int:
    """What the evaluator gives, as an unsigned word."""
    body: tuple[ir.Stmt, ...] = (
        *(ir.SetVar(name, ir.Const(value)) for name, value in zip(NAMES, values)),
        ir.Output(0, (expr,)),
    )
    program = ir.Program((ir.Clause((at.Begin(),), None, body),), (), (ir.Printf("%d", (t.Int(),)),))
    run = Evaluator(program)
    run.begin()
    (hit,) = run.take()
    assert isinstance(hit, Hit) and isinstance(hit.values[0], int)
    return hit.values[0] & (2**64 - 1)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches, inputs)
def test_expressions_mean_the_same(exprs: list[ir.Expr], rows: list[tuple[int, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        made = [function(f"f{index}", expr, NAMES) for index, expr in enumerate(exprs)]
        loaded = library(Path(place), made)
    for index, expr in enumerate(exprs):
        compiled = getattr(loaded, f"f{index}")
        compiled.restype, compiled.argtypes = ctypes.c_uint64, [ctypes.c_uint64] * 3
        for row in rows:
            assert compiled(*row) == expected(expr, row), (expr, row)


@pytest.mark.parametrize(("left", "right"), [(-(1 << 63), -1), (7, 0), (-7, 2), (7, -2), (-7, -2)])
@pytest.mark.parametrize("op", ["/", "%"])
@pytest.mark.parametrize("sign", [True, False])
def test_division_at_its_edges(tmp_path: Path, left: int, right: int, op: str, sign: bool) -> None:
    expr = ir.Binary(op, ir.Var("a", t.Int()), ir.Var("b", t.Int()), sign, t.Int(8, sign))
    compiled = library(tmp_path, [function("f", expr, NAMES)]).f
    compiled.restype, compiled.argtypes = ctypes.c_uint64, [ctypes.c_uint64] * 3
    assert compiled(left, right, 0) == expected(expr, (left, right, 0))
