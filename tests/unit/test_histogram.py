"""Buckets, labels and bars."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtrace.core.histogram import bar_length, linear_bucket, log2_bucket, log2_low, picture, rows
from xtrace.core.types import Hist, LinearHist


@pytest.mark.parametrize(("value", "bucket"), [(-5, 0), (0, 1), (1, 2), (2, 3), (3, 3), (4, 4), ((1 << 63) - 1, 64)])
def test_powers_of_two(value: int, bucket: int) -> None:
    assert log2_bucket(value) == bucket


@given(st.integers(0, (1 << 63) - 1), st.integers(0, 5))
def test_every_value_lies_within_its_bucket(value: int, bits: int) -> None:
    bucket = log2_bucket(value, bits)
    assert log2_low(bucket, bits) <= value < log2_low(bucket + 1, bits)


@given(st.integers(-50, 150))
def test_linear_buckets_hold_their_values(value: int) -> None:
    (row,) = rows(LinearHist(0, 100, 10), {linear_bucket(value, 0, 100, 10): 1})
    assert (row.low is None or row.low <= value) and (row.high is None or value < row.high)


def labels(values: list[int], shape: Hist) -> list[str]:
    return [row.label for value in values for row in rows(shape, {log2_bucket(value, shape.bits): 1})]


def test_labels_count_in_powers_of_1024() -> None:
    assert labels([-1, 0, 1, 2, 512, 1024, 1 << 20, 1 << 30, 1 << 40, 1 << 50], Hist()) == [
        "(..., 0)",
        "[0]",
        "[1]",
        "[2, 4)",
        "[512, 1K)",
        "[1K, 2K)",
        "[1M, 2M)",
        "[1G, 2G)",
        "[1T, 2T)",
        "[1P, 2P)",
    ]
    assert labels([1 << 60, (1 << 63) - 1], Hist()) == ["[1E, 2E)", "[4E, 8E)"]


def test_labels_of_sub_buckets() -> None:
    assert labels([3, 7, 9, 1280, 4096, 5120], Hist(2)) == [
        "[3]",
        "[7]",
        "[8, 10)",
        "[1280, 1536)",
        "[4K, 5K)",
        "[5K, 6K)",
    ]


def test_the_last_linear_bucket_is_named_by_what_it_holds() -> None:
    shape = LinearHist(0, 10, 3)
    (last,) = rows(shape, {linear_bucket(9, 0, 10, 3): 1, linear_bucket(10, 0, 10, 3): 1})
    assert (last.label, last.low, last.count) == ("[9, ...)", 9, 1)


def test_linear_buckets_of_one_number_are_named_by_it() -> None:
    assert [row.label for row in rows(LinearHist(0, 3, 1), {2: 1})] == ["[1]"]


def test_linear_labels_are_short_where_exact() -> None:
    shown = rows(LinearHist(0, 4096, 512), {0: 1, 3: 1, 9: 1})
    assert [row.label for row in shown if row.count] == ["(..., 0)", "[1K, 1536)", "[4K, ...)"]


def test_only_the_span_that_holds_anything_is_shown() -> None:
    assert [row.count for row in rows(Hist(), {2: 0, 4: 1, 6: 2, 9: 0})] == [1, 0, 2]
    assert rows(Hist(), {3: 0}) == ()
    assert picture(()) == ""


def test_division_shrinks_the_numbers_and_not_the_bars() -> None:
    assert [(row.count, row.weight) for row in rows(Hist(), {3: 10, 4: 5}, div=4)] == [(2, 10), (1, 5)]


def test_bars_are_counted_in_single_precision() -> None:
    assert bar_length(1, 3) == 17
    assert bar_length(0, 0 + 1) == 0
    assert bar_length(16_777_217, 16_777_217) == 52
