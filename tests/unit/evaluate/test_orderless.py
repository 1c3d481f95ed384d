"""Which clauses do not mind the order of events, and that equal events at once are the same as one after the other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.evaluate.programs import captured, evaluator, typed
from xtrace.core.evaluate.orderless import orderless
from xtrace.core.messages import Message

AGGREGATIONS = """kprobe:f /arg0 != 3/ {
    $x = arg0 * 2; @count[arg1] = count(); @sum = sum(arg0); @min = min(arg0); @max = max(arg0); @avg = avg(arg0);
    @stats[arg1] = stats($x); @hist = hist(arg0); @lhist = lhist(arg0, 0, 10, 2); @plus += arg0;
    if (arg1 > 0) { @less--; }
}"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (AGGREGATIONS, {0}),
        ("kprobe:f { @ = count(); } interval:s:1 { print(@); clear(@); } END { print(@); }", {0}),
        ("kprobe:f { @a = count(); } kprobe:g { @a = count(); @b = 1; }", set()),
        ("kprobe:f { @a = count(); } kprobe:g { @b = nsecs; }", {0}),
        ("kprobe:f { @a = count(); } kprobe:g { print(@a); }", set()),
        ("kprobe:f { @a = count(); } kprobe:g { clear(@a); }", set()),
        ("kprobe:f { @a = count(); } kprobe:g /@a > 3/ { @b = count(); }", set()),
        ("kprobe:f { @a = count(); } kprobe:g { exit(); }", set()),
        ("kprobe:f { @[nsecs] = count(); }", set()),
        ("kprobe:f { @[rand] = count(); }", set()),
        ("kprobe:f { @[cpu] = count(); }", {0}),
        ("kprobe:f { @a[arg0] = arg1; }", set()),
        ('kprobe:f { printf("x"); }', set()),
    ],
)
def test_orderless_clauses(text: str, expected: set[int]) -> None:
    assert orderless(captured(typed(text))) == expected


VALUES = st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(-3, 12)


@given(st.lists(st.tuples(VALUES, st.integers(-1, 1), st.integers(1, 5)), max_size=12))
def test_many_at_once_are_many_one_by_one(events: list[tuple[int, int, int]]) -> None:
    def result(at_once: bool) -> list[Message]:
        machine = evaluator(AGGREGATIONS, max_map_keys=2)
        many = machine.many(0)
        for first, second, count in events:
            if at_once:
                many((first, second), count, 0)
            for _ in range(0 if at_once else count):
                machine.fire(0, (first, second))
        return machine.finish()

    assert result(at_once=True) == result(at_once=False)
