"""What the kernel's tables say becomes the evaluator's maps, bucket for bucket, whatever was counted."""

from __future__ import annotations

import re
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from xtrace.backends.ftrace.buckets import Table, log2_tables, range_tables
from xtrace.backends.ftrace.counting import add_rows, state_of
from xtrace.backends.ftrace.hist import TableRow
from xtrace.backends.ftrace.hist_fields import Numeric
from xtrace.backends.ftrace.model import HistKey, HistMap, Holds, KeyKind
from xtrace.core import ir
from xtrace.core.evaluate.storage import Store
from xtrace.core.histogram import linear_bucket, log2_bucket
from xtrace.core.lang.arithmetic import divide, wrap
from xtrace.core.messages import StackValue
from xtrace.core.types import Avg, Count, CType, Hist, Int, LinearHist, Stack, Sum

FIELDS = [Numeric("v", size, signed) for size in (1, 2, 4, 8) for signed in (False, True)]
EDGES = st.integers(0, 63).flatmap(lambda n: st.sampled_from([(1 << n) - 1, 1 << n, (1 << n) + 1, -(1 << n), 0]))


def values_of(field: Numeric) -> st.SearchStrategy[list[int]]:
    bits = 8 * field.size
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if field.signed else (0, (1 << bits) - 1)
    within = st.one_of(EDGES.filter(lambda value: low <= value <= high), st.integers(low, high))
    return st.lists(within, max_size=30)


def holds(condition: str, value: int) -> bool:
    """The kernel's filter on a value of the field's own type."""
    text = condition.replace("&&", " and ").replace("||", " or ")
    assert re.fullmatch(r"[v<>=()\s\d-]*|.*(and|or).*", text)
    return bool(eval(text, {"v": value}))


def rounded_up(value: int) -> int:
    """`ilog2(roundup_pow_of_two(v))` of numbers above 1."""
    assert 1 < value <= 1 << 63
    return (value - 1).bit_length()


def kernel(tables: tuple[Table, ...], values: list[int], kind: CType | Hist | LinearHist) -> dict[int, int]:
    """What counting makes of the tables that the kernel would have."""
    store = Store(ir.MapDecl("m", (), kind), 0)
    totals: dict[tuple[object, ...], dict[int, int]] = {}
    for table in tables:
        counted = Counter(value for value in values if holds(table.condition, value))
        hist = HistMap("m", 0, 0, (), holds=table.holds, operand="v", bucket=table.bucket)
        token = "v.log2" if table.holds is Holds.LOG2 else "v"
        rows = [
            TableRow({token: rounded_up(value) if table.holds is Holds.LOG2 else value}, hits, hits)
            for value, hits in counted.items()
        ]
        add_rows(totals, hist, store, rows)  # type: ignore[arg-type]
    return state_of(store, totals.get((), {})) if totals else {}


@given(st.sampled_from(FIELDS).flatmap(lambda field: st.tuples(st.just(field), values_of(field))))
def test_log2_buckets_are_the_languages(case: tuple[Numeric, list[int]]) -> None:
    field, values = case
    assert kernel(log2_tables(field), values, Hist()) == Counter(log2_bucket(wrap(value)) for value in values)


@given(values_of(Numeric("v", 4, True)), st.integers(1, 1000))
def test_ranges_are_the_languages(values: list[int], divisor: int) -> None:
    field = Numeric("v", 4, True)
    quotients = [divide(value, divisor) for value in values]
    assert kernel(range_tables(Hist(), field, divisor), values, Hist()) == Counter(map(log2_bucket, quotients))
    shape = LinearHist(-20, 40, 5)
    expected = Counter(linear_bucket(quotient, -20, 40, 5) for quotient in quotients)
    assert kernel(range_tables(shape, field, divisor), values, shape) == expected


def test_sums_averages_and_constants_add_up() -> None:
    rows = [TableRow({}, 2, -5), TableRow({}, 1, 1 << 62)]
    for kind, table, expected in (
        (Sum(), HistMap("m", 0, 0, (), value="v"), (1 << 62) - 5),
        (Avg(), HistMap("m", 0, 0, (), value="v"), [3, (1 << 62) - 5]),
        (Int(1, True), HistMap("m", 0, 0, (), factor=-50), 106),
    ):
        store = Store(ir.MapDecl("m", (), kind), 0)
        totals: dict[tuple[object, ...], dict[int, int]] = {}
        add_rows(totals, table, store, rows)  # type: ignore[arg-type]
        assert state_of(store, totals[()]) == expected


def test_a_kprobes_stack_begins_at_its_function() -> None:
    frames = ("kprobe_ftrace_handler+267", "0xffffffffc03400c8", "vfs_read+5", "ksys_read+107", "do_syscall_64+93")
    store = Store(ir.MapDecl("m", (Stack(False),), Count()), 0)
    for start, shown in (("vfs_read", frames[2:4]), ("", frames[:2]), ("vfs_write", frames[:2])):
        key = HistKey("stacktrace", KeyKind.STACK, depth=2, start=start)
        totals: dict[tuple[object, ...], dict[int, int]] = {}
        table = HistMap("m", 0, 0, (key,))
        add_rows(totals, table, store, [TableRow({"stacktrace": frames}, 2, 2)])  # type: ignore[arg-type]
        assert totals == {(StackValue((), frames=shown),): {0: 2}}
