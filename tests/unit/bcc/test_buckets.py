"""Histogram buckets in C are those of `xtrace.core.histogram`."""

from __future__ import annotations

import ctypes
import shutil
from pathlib import Path

import pytest

from tests.unit.bcc.native import library
from xtrace.core.histogram import linear_bucket, log2_bucket

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")

VALUES = sorted(
    {sign * (base + step) for base in (1 << n for n in range(63)) for step in (-1, 0, 1) for sign in (1, -1)}
)


@pytest.mark.parametrize("bits", range(6))
def test_log2(tmp_path: Path, bits: int) -> None:
    compiled = library(tmp_path, [f"u64 f(u64 a) {{ return x_log2(a, {bits}); }}\n"]).f
    compiled.restype, compiled.argtypes = ctypes.c_uint64, [ctypes.c_uint64]
    assert [compiled(value) for value in VALUES] == [log2_bucket(value, bits) for value in VALUES]


@pytest.mark.parametrize(("low", "high", "step"), [(0, 100, 10), (-50, 50, 7), (10, 11, 1)])
def test_linear(tmp_path: Path, low: int, high: int, step: int) -> None:
    compiled = library(tmp_path, [f"u64 f(u64 a) {{ return x_linear(a, {low}LL, {high}LL, {step}LL); }}\n"]).f
    compiled.restype, compiled.argtypes = ctypes.c_uint64, [ctypes.c_uint64]
    values = range(low - 15, high + 15)
    assert [compiled(value) for value in values] == [linear_bucket(value, low, high, step) for value in values]
