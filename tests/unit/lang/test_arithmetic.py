"""The operators' meaning: 64-bit two's complement."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtrace.core.lang.arithmetic import binary, convert, unary, unsigned, wrap

LOW, HIGH = -(1 << 63), (1 << 63) - 1
words = st.integers(LOW, HIGH)


@pytest.mark.parametrize(
    ("op", "left", "right", "signed", "result"),
    [
        ("+", HIGH, 1, True, LOW),
        ("*", HIGH, 2, True, -2),
        ("-", LOW, 1, False, HIGH),
        ("/", -7, 2, True, -3),
        ("/", -7, 2, False, (2**64 - 7) // 2),
        ("/", LOW, -1, True, LOW),
        ("/", 5, 0, True, 0),
        ("%", -7, 2, True, -1),
        ("%", 7, -2, True, 1),
        ("%", 5, 0, True, 0),
        (">>", -1, 1, True, -1),
        (">>", -1, 1, False, HIGH),
        (">>", 8, 65, True, 4),
        ("<<", 1, 63, True, LOW),
        ("<<", 1, 64, True, 1),
        ("<", -1, 0, True, 1),
        ("<", -1, 0, False, 0),
        ("==", -1, -1, False, 1),
        ("^", -1, 0, True, -1),
    ],
)
def test_binary(op: str, left: int, right: int, signed: bool, result: int) -> None:
    assert binary(op, left, right, signed) == result


def test_unary() -> None:
    assert [unary("!", 0), unary("!", 7), unary("~", 0), unary("-", LOW)] == [1, 0, -1, LOW]


def test_convert_cuts_then_extends() -> None:
    assert [convert(300, 1, False), convert(200, 1, True), convert(-1, 4, False)] == [44, -56, 2**32 - 1]


@given(words, words, st.booleans())
def test_division_restores_the_dividend(left: int, right: int, signed: bool) -> None:
    if right:
        quotient, rest = binary("/", left, right, signed), binary("%", left, right, signed)
        assert wrap(quotient * right + rest) == left


@given(words, words, st.sampled_from(["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "<", "=="]), st.booleans())
def test_every_result_is_a_signed_word(left: int, right: int, op: str, signed: bool) -> None:
    assert LOW <= binary(op, left, right, signed) <= HIGH


@given(words)
def test_unsigned_is_the_same_bits(value: int) -> None:
    assert 0 <= unsigned(value) < 1 << 64
    assert wrap(unsigned(value)) == value
