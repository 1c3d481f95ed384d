"""Histograms: which bucket a value falls into, what a bucket is called, and how long its bar is.

Buckets and pictures are bpftrace's to the character (src/output.cpp of v0.17 for the picture; its hist(n, k), since
v0.19, for sub-buckets).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Optional, Union

from xtrace.core.records import dataclass
from xtrace.core.types import Hist, LinearHist

BAR_WIDTH = 52
_LABEL_WIDTH = 16
_COUNT_WIDTH = 8
_SUFFIXES = ("", "K", "M", "G", "T", "P", "E")
_FLOAT = struct.Struct("f")


@dataclass(frozen=True)
class Row:
    """One bucket: `low` inclusive, `high` exclusive, None where open; `weight` is the count before any division."""

    label: str
    low: Optional[int]
    high: Optional[int]
    count: int
    weight: int


def log2_bucket(value: int, bits: int = 0) -> int:
    """The bucket of a signed value: 0 for negative ones, then one per number below 2**bits, then 2**bits for each
    power of two."""
    if value < 0:
        return 0
    if value >> bits == 0:
        return value + 1
    power = value.bit_length() - 1 - bits
    return ((power + 1) << bits | (value >> power) & ((1 << bits) - 1)) + 1


def log2_low(bucket: int, bits: int = 0) -> int:
    """The least value of a bucket above 0."""
    index = bucket - 1
    if index >> bits == 0:
        return index
    power = (index >> bits) - 1
    return ((1 << bits) + (index & ((1 << bits) - 1))) << power


def linear_bucket(value: int, low: int, high: int, step: int) -> int:
    """0 below `low`, then one per step, the last for `high` and above."""
    if value < low:
        return 0
    if value >= high:
        return (high - low) // step + 1
    return (value - low) // step + 1


def rows(shape: Union[Hist, LinearHist], buckets: Mapping[int, int], div: int = 0) -> tuple[Row, ...]:
    """The rows of a picture: from the first to the last bucket that holds anything, with the empty ones between.

    `div` divides the shown counts, as `print(@h, top, div)` asks; the bars keep their proportions.
    """
    held = [bucket for bucket, count in buckets.items() if count > 0]
    if not held:
        return ()
    weights = ((bucket, buckets.get(bucket, 0)) for bucket in range(min(held), max(held) + 1))
    if isinstance(shape, Hist):
        return tuple(_log2_row(shape.bits, bucket, weight // max(div, 1), weight) for bucket, weight in weights)
    return tuple(_linear_row(shape, bucket, weight // max(div, 1), weight) for bucket, weight in weights)


def _log2_row(bits: int, bucket: int, count: int, weight: int) -> Row:
    if bucket == 0:
        return Row("(..., 0)", None, 0, count, weight)
    low, high = log2_low(bucket, bits), log2_low(bucket + 1, bits)
    if high - low == 1:
        return Row(f"[{low}]", low, high, count, weight)
    return Row(f"[{_log2_label(bucket, bits)}, {_log2_label(bucket + 1, bits)})", low, high, count, weight)


def _log2_label(bucket: int, bits: int) -> str:
    """The suffix follows the width of the bucket, so that every limit within it stays a whole number."""
    decade = (((bucket - 1) >> bits) - 1) // 10
    return f"{log2_low(bucket, bits) >> 10 * decade}{_SUFFIXES[decade]}"


def _linear_row(shape: LinearHist, bucket: int, count: int, weight: int) -> Row:
    low = shape.low + (bucket - 1) * shape.step
    if bucket == 0:
        return Row(f"(..., {_linear_label(shape.low)})", None, shape.low, count, weight)
    if bucket == (shape.high - shape.low) // shape.step + 1:
        return Row(f"[{_linear_label(low)}, ...)", low, None, count, weight)
    high = low + shape.step
    if shape.step == 1:
        return Row(f"[{low}]", low, high, count, weight)
    return Row(f"[{_linear_label(low)}, {_linear_label(high)})", low, high, count, weight)


def _linear_label(value: int) -> str:
    for size, suffix in ((1 << 20, "M"), (1 << 10, "K")):
        if value and value % size == 0:
            return f"{value // size}{suffix}"
    return str(value)


def bar_length(weight: int, largest: int) -> int:
    """Characters of a bar. Counted in single precision, as bpftrace does: rounding is part of the picture."""
    share = _single(_single(weight) / _single(largest))
    return int(_single(share * BAR_WIDTH))


def _single(value: float) -> float:
    result: float = _FLOAT.unpack(_FLOAT.pack(value))[0]
    return result


def picture(lines: tuple[Row, ...]) -> str:
    """The rows as text, one line each, every line ended; "" for none."""
    largest = max((row.weight for row in lines), default=0)
    return "".join(
        f"{row.label:<{_LABEL_WIDTH}}{row.count:>{_COUNT_WIDTH}} "
        f"|{'@' * bar_length(row.weight, largest):<{BAR_WIDTH}}|\n"
        for row in lines
    )
