"""Histograms as tables of hist triggers, bucket for bucket what the language defines (`xtrace.core.histogram`).

The kernel's `.log2` rounds up, and what it makes of 0 and of negative numbers is undefined (hist_field_log2 of
kernel/trace/trace_events_hist.c: `ilog2(roundup_pow_of_two(v))`), while the language's buckets round down. The two
differ only in where the powers of 2 themselves go, so a second table counts exactly these, and they are moved; numbers
below 2 are counted by that table too, and negative ones by a third.

Other histograms take one table for each bucket, told apart by a range in the trigger's filter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional, Union

from xtrace.backends.ftrace.hist_fields import Numeric, Stays
from xtrace.backends.ftrace.model import Holds
from xtrace.core.histogram import linear_bucket, log2_bucket, log2_low
from xtrace.core.records import dataclass
from xtrace.core.types import Hist, LinearHist

MAX_TABLES = 66
"""Tables for one map that one event feeds; each costs the traced task the test of a filter."""
_HALF = 1 << 63
_GROUP = 8


@dataclass(frozen=True)
class Table:
    """One of the tables of a histogram: what its numbers are, and the condition on the value, "" for none."""

    holds: Holds
    condition: str
    bucket: int = 0


def log2_tables(value: Numeric) -> tuple[Table, ...]:
    """The tables of `hist(value)`."""
    field, bits = value.field, 8 * value.size
    wide = bits == 64 and not value.signed
    highest = bits - 2 if value.signed or wide else bits - 1
    above = f"{field} > 1 && {field} < {_HALF}" if wide else f"{field} > 1"
    tables = [
        Table(Holds.LOG2, above),
        Table(Holds.POWERS, _is_one_of(field, [0, *(1 << power for power in range(highest + 1))])),
    ]
    if value.signed or wide:
        tables.append(Table(Holds.BUCKET, f"{field} >= {_HALF}" if wide else f"{field} < 0", log2_bucket(-1)))
    return tuple(tables)


def _is_one_of(field: str, values: list[int]) -> str:
    """A test that looks at few of the values: they are tried only where a group of them can hold the field."""
    groups = [values[start : start + _GROUP] for start in range(0, len(values), _GROUP)]
    tests = []
    for group, following in zip(groups, [*groups[1:], None]):
        near = f"{field} >= {group[0]}" + (f" && {field} < {following[0]}" if following else "")
        tests.append(f"({near} && ({' || '.join(f'{field} == {one}' for one in group)}))")
    return " || ".join(tests)


def range_tables(kind: Union[Hist, LinearHist], value: Numeric, divisor: int) -> tuple[Table, ...]:
    """The tables of `hist(value / divisor, bits)` and `lhist(value / divisor, …)`. The division truncates. Raises Stays
    where there would be too many."""
    limits = list(_limits(kind, value, divisor))
    if len(limits) > MAX_TABLES:
        raise Stays(f"its histogram has more than {MAX_TABLES} buckets")
    found = []
    for (bucket, low), following in zip(limits, [*limits[1:], None]):
        tests = [] if low is None else [f"{value.field} >= {low}"]
        if following is not None:
            tests.append(f"{value.field} < {following[1]}")
        found.append(Table(Holds.BUCKET, " && ".join(tests), bucket))
    return tuple(found)


def _limits(kind: Union[Hist, LinearHist], value: Numeric, divisor: int) -> list[tuple[int, Optional[int]]]:
    """Each bucket that a value can fall into with the least such value, in rising order; None for the first."""
    bits = 8 * value.size
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if value.signed else (0, (1 << bits) - 1)
    if most // divisor >= _HALF:
        raise Stays("its value has 64 bits without a sign")
    scaled = [(bucket, None if low is None else _least_dividend(low, divisor)) for bucket, low in _lows(kind)]
    reached = [(bucket, start) for bucket, start in scaled if start is None or start <= most]
    first = max(n for n, (_, start) in enumerate(reached) if start is None or start <= least)
    return [(reached[first][0], None), *reached[first + 1 :]]


def _least_dividend(low: int, divisor: int) -> int:
    """The least number whose quotient, truncated, is at least `low`."""
    return low * divisor if low > 0 else (low - 1) * divisor + 1


def _lows(kind: Union[Hist, LinearHist]) -> Iterator[tuple[int, Optional[int]]]:
    """Every bucket in rising order with the least value in it, None for the first."""
    if isinstance(kind, LinearHist):
        yield 0, None
        for low in range(kind.low, kind.high, kind.step):
            yield linear_bucket(low, kind.low, kind.high, kind.step), low
        yield linear_bucket(kind.high, kind.low, kind.high, kind.step), kind.high
        return
    yield 0, None
    bucket = log2_bucket(0, kind.bits)
    while log2_low(bucket, kind.bits) < _HALF:
        yield bucket, log2_low(bucket, kind.bits)
        bucket += 1
