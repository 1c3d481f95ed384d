"""Times between two events of a thread: when the kernel may take them, and by which steps."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pytest

from tests.unit.ftrace.hosts import (
    DELETED,
    END,
    MODERN,
    NAMED,
    STARTED,
    SYNTHETIC,
    TIME,
    features,
    feed,
    timing,
)
from xtrace.backends.ftrace.lower import lower
from xtrace.backends.ftrace.model import FtraceModel, Name
from xtrace.core import ir
from xtrace.core.types import Int, String


def model(
    *body: ir.Stmt,
    test: ir.Expr = STARTED,
    aggregate: str = "kernel",
    more: tuple[ir.Clause, ...] = (),
    facts: Mapping[str, object] = MappingProxyType({}),
) -> FtraceModel:
    program = timing(*body, test=test, aggregate=aggregate, more=more)
    return lower(program, features({**MODERN, **SYNTHETIC, **facts}))


def shown(made: FtraceModel) -> list[str]:
    texts = ["".join("S" if part is Name.SESSION else str(part) for part in step.data) for step in made.steps]
    return [text for text in texts if text.startswith(("hist:", "S__"))]


def test_a_synthetic_event_carries_the_time_to_its_tables() -> None:
    made = model()
    defined, log2, powers, _, kept, taken = shown(made)
    assert defined == "S__0 u64 lat\n"
    assert log2 == "hist:keys=lat.log2:vals=hitcount:size=128 if (lat > 1 && lat < 9223372036854775808)"
    assert powers.startswith("hist:keys=lat:vals=hitcount:size=128 if (")
    assert kept == 'hist:keys=common_pid:ts0=common_timestamp:size=32768:clock=boot if comm == "x"'
    assert taken == (
        "hist:keys=common_pid:lat0=common_timestamp-$ts0:size=32768:clock=boot"
        ":onmatch(syscalls.sys_enter_openat).S__0($lat0)"
    )
    assert not any(event.handlers for event in made.events)
    assert ["starts without an end" in one for one in made.degradations] == [True]


def test_a_cast_that_keeps_the_time_is_looked_through() -> None:
    same = ir.Convert(TIME, Int(8, False))
    assert shown(model(feed(same), DELETED)) == shown(model())
    key = ir.Aggregate("t", (same,), ir.Const(1))
    assert not model(key, DELETED).timings


def test_a_division_takes_exact_ranges_of_nanoseconds() -> None:
    micro = ir.Binary("/", TIME, ir.Const(1000), False, Int(8, False))
    ranges = [one.partition(" if ")[2] for one in shown(model(feed(micro), DELETED)) if "keys=common_type" in one]
    assert ranges[:3] == ["(lat < 1000)", "(lat >= 1000 && lat < 2000)", "(lat >= 2000 && lat < 4000)"]
    assert ranges[-1] == f"(lat >= {1000 << 54})"


def test_what_the_second_event_demands_is_its_triggers_filter() -> None:
    five = ir.Binary("==", ir.Field(END.fields[0], Int()), ir.Const(5), True, Int())
    test = ir.Logical("&&", STARTED, five)
    assert shown(model(test=test))[-1].endswith("S__0($lat0) if id == 5")


NOT_DELETED = (feed(TIME),)
DELETED_FIRST = (DELETED, feed(TIME))
ADDED = ir.Binary("+", TIME, STARTED, False, Int(8, False))
CLEARED = ir.Clause((END,), None, (ir.Output(0, ()),))


@pytest.mark.parametrize(
    "made",
    [
        model(*NOT_DELETED),
        model(*DELETED_FIRST),
        model(feed(ADDED), DELETED),
        model(test=NAMED),
        model(more=(CLEARED,)),
        model(facts={"tracefs.synthetic": False}),
        model(aggregate="auto"),
        model(aggregate="user"),
    ],
    ids=["not deleted", "deleted first", "start used otherwise", "no start asked for", "cleared by an event",
         "no synthetic events", "not asked", "asked not to"],
)  # fmt: skip
def test_user_space_takes_the_time_where_the_kernel_would_not_mean_the_same(made: FtraceModel) -> None:
    assert not made.timings and not shown(made)
    assert all(event.handlers for event in made.events)


def test_the_plan_offers_the_kernel() -> None:
    made = model(aggregate="auto")
    assert "--aggregate kernel" in " ".join(made.notes) and made.offers_kernel
    assert not model().offers_kernel


def test_too_many_events_go_to_the_kernel_where_nothing_but_lone_starts_is_lost() -> None:
    made = model(aggregate="auto")
    assert not made.timings and made.under_load is not None
    assert made.under_load.timings and not any(event.handlers for event in made.under_load.events)
    assert any("takes the times: @start: starts without an end" in note for note in made.notes)


@pytest.mark.parametrize(
    "made",
    [
        model(aggregate="user"),
        model(aggregate="kernel"),
        model(aggregate="auto", facts={"tracefs.synthetic": False}),
        model(aggregate="auto", more=(CLEARED,)),
        model(ir.Aggregate("t", (ir.Builtin("comm", String(16)),), TIME), DELETED, aggregate="auto"),
    ],
    ids=["asked not to", "asked to", "no synthetic events", "user space needs the map", "names of another time"],
)  # fmt: skip
def test_the_amount_of_events_changes_nothing_where_results_would_differ(made: FtraceModel) -> None:
    assert made.under_load is None
