"""String comparison and search in generated C mean what they mean in Python."""

from __future__ import annotations

import ctypes
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.bcc.native import function, library, text_argument
from xtrace.core import ir
from xtrace.core import types as t

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")

SHORT, LONG = 16, 64
words = st.text("abé", max_size=20)
lengths = st.integers(0, 24)
TEXTS = (("left", SHORT), ("right", LONG))
LEFT, RIGHT = ir.Var("left", t.String(SHORT)), ir.Var("right", t.String(LONG))


def cut(text: str, size: int) -> bytes:
    return text.encode()[: size - 1]


def results(exprs: list[ir.Expr], left: str, right: str) -> list[int]:
    with tempfile.TemporaryDirectory() as place:
        loaded = library(Path(place), [function(f"f{i}", expr, (), TEXTS) for i, expr in enumerate(exprs)])
    arguments = text_argument(left, SHORT), text_argument(right, LONG)
    found = []
    for index in range(len(exprs)):
        compiled = getattr(loaded, f"f{index}")
        compiled.restype = ctypes.c_uint64
        found.append(compiled(*arguments))
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(words, words, words, lengths)
def test_strings_compare(left: str, right: str, constant: str, length: int) -> None:
    literal = ir.Text(constant, t.String(LONG))
    exprs: list[ir.Expr] = [
        ir.Compare("==", LEFT, RIGHT),
        ir.Compare("!=", LEFT, literal),
        ir.Compare("==", LEFT, RIGHT, length),
        ir.Compare("!=", RIGHT, literal, length),
        ir.Contains(RIGHT, literal),
    ]
    a, b, c = cut(left, SHORT), cut(right, LONG), constant.encode()
    part = slice(0, length or None)
    assert results(exprs, left, right) == [a == b, a != c, a[part] == b[part], b[part] != c[part], c in b]


@pytest.mark.parametrize("wanted", ["12345678", "2345678", "123456789", "89ab", "6789abcdef012345"])
def test_a_search_longer_than_a_word(wanted: str) -> None:
    text = "0123456789abcdef0123456789abcdef"
    expr = ir.Contains(RIGHT, ir.Text(wanted, t.String(LONG)))
    assert results([expr], "", text) == [1]
    assert results([expr], "", text.replace(wanted[-1], "x")) == [0]
