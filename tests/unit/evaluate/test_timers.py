"""When interval clauses are due."""

from __future__ import annotations

from tests.unit.evaluate.programs import typed
from xtrace.core.evaluate import Timers

TEXT = "interval:ms:10 { @a = count(); } interval:ms:25 { @b = count(); }"


def test_timers_tick_in_time_order_and_keep_their_phase() -> None:
    timers = Timers(typed(TEXT), now=0)
    assert timers.due(9_999_999) == []
    assert timers.due(13_000_000) == [(0, "interval:ms:10")]
    assert timers.until_next(13_000_000) == 0.007
    assert timers.due(26_000_000) == [(0, "interval:ms:10"), (1, "interval:ms:25")]
    assert timers.losses() == []


def test_missed_ticks_are_counted_and_not_made_up_for() -> None:
    timers = Timers(typed(TEXT), now=0)
    assert timers.due(45_000_000) == [(0, "interval:ms:10"), (1, "interval:ms:25")]
    assert timers.until_next(45_000_000) == 0.005
    assert [(loss.where, loss.count) for loss in timers.losses()] == [("interval:ms:10", 3)]


def test_a_program_without_timers_waits_for_nothing() -> None:
    assert Timers(typed("BEGIN { @a = 1; }"), now=0).until_next(0) is None
