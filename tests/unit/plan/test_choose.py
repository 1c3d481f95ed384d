"""Which plan comes first, and why."""

from __future__ import annotations

from xtrace.core import ir
from xtrace.core.attach import Interval, Kprobe
from xtrace.core.plan.choose import choose, losses, settled
from xtrace.core.plan.model import Choice, Degradation, Plan, Refusal, Start
from xtrace.core.types import Count

STREAM = ir.Program((), (), ())
MAPS = (ir.MapDecl("n", (), Count()),)
COUNT = ir.Program((ir.Clause((Kprobe("kprobe:f", "f", "f"),), None, ()),), MAPS, ())
TICKS = ir.Program((ir.Clause((Interval("interval:s:1", 10**9),), None, ()),), MAPS, ())


def order(*plans: Plan | Refusal, wish: str | None = None) -> list[str]:
    return [plan.backend for plan in choose(plans, wish).plans]


def approximate(passed: int) -> Choice:
    return Choice("e.e", "kprobe:f", tuple((f"source {n}", "absent") for n in range(passed)), "more or less")


def test_a_tie_keeps_the_order_of_registration() -> None:
    assert order(Plan("a", STREAM), Plan("b", STREAM)) == ["a", "b"]
    assert order(Plan("b", STREAM), Plan("a", STREAM)) == ["b", "a"]


def test_what_loses_less_comes_first_whatever_it_costs() -> None:
    lossy = Plan("a", STREAM, degradations=(Degradation("no path"),))
    assert order(lossy, Plan("b", STREAM, start=Start.SECONDS)) == ["b", "a"]


def test_an_approximate_source_is_a_loss() -> None:
    assert order(Plan("a", STREAM, choices=(approximate(0),)), Plan("b", STREAM, start=Start.SECONDS)) == ["b", "a"]


def test_of_approximate_sources_the_one_that_stands_earlier() -> None:
    far, near = (
        Plan("a", STREAM, choices=(approximate(3),)),
        Plan("b", STREAM, choices=(approximate(1),), start=Start.SECONDS),
    )
    assert order(far, near) == ["b", "a"]


def test_counting_wants_an_engine_that_counts_in_the_kernel() -> None:
    kernel = Plan("b", COUNT, aggregates_in_kernel=True, start=Start.SECONDS)
    assert order(Plan("a", COUNT), kernel) == ["b", "a"]


def test_minutes_to_compile_cost_more_than_counting_in_user_space() -> None:
    slow = Plan("a", COUNT, aggregates_in_kernel=True, start=Start.MINUTES)
    quick = Plan("b", COUNT, aggregates_in_kernel=True, start=Start.SECONDS)
    assert order(slow, Plan("c", COUNT), quick) == ["b", "c", "a"]


def test_counting_ticks_costs_no_traced_task_anything() -> None:
    assert order(Plan("a", TICKS), Plan("b", TICKS, aggregates_in_kernel=True, start=Start.SECONDS)) == ["a", "b"]


def test_streaming_wants_what_starts_at_once() -> None:
    assert order(Plan("a", STREAM, start=Start.SECONDS, aggregates_in_kernel=True), Plan("b", STREAM)) == ["b", "a"]


def test_a_wish_leaves_no_other() -> None:
    assert order(Plan("a", STREAM), Plan("b", STREAM), wish="b") == ["b"]
    refusal = Refusal("b", ())
    assert order(Plan("a", STREAM), refusal, wish="b") == []
    assert choose((Plan("a", STREAM), refusal), "b").refused == (refusal,)


def test_reasons_say_what_is_lost_and_where_it_counts() -> None:
    plan = Plan("a", COUNT, (Degradation("no path"),), (approximate(0),), costs=("slow",))
    (ranked,) = choose([plan]).ranked
    assert ranked.reasons == (
        "loses: no path", "approximate: more or less", "aggregates in user space, one record per event", "slow"
    )  # fmt: skip
    assert choose([Plan("a", STREAM)]).ranked[0].reasons == ("streams events",)


def test_only_a_plan_that_nothing_can_beat_is_settled() -> None:
    assert settled(Plan("a", STREAM))
    assert settled(Plan("a", COUNT, aggregates_in_kernel=True))
    assert not settled(Plan("a", COUNT))
    assert not settled(Plan("a", STREAM, start=Start.SECONDS))
    assert not settled(Plan("a", STREAM, degradations=(Degradation("no path"),)))
    assert not settled(Plan("a", STREAM, choices=(approximate(0),)))


def test_what_is_minor_is_told_and_decides_nothing() -> None:
    rare = Plan("a", STREAM, degradations=(Degradation("a rarity", minor=True),))
    assert order(rare, Plan("b", STREAM)) == ["a", "b"]
    assert settled(rare)
    assert (losses(rare), losses(rare, minor=False)) == (("a rarity",), ())
