"""Names by value that a host's own print formats give."""

from __future__ import annotations

from tests.unit.resolve.named import host
from tests.unit.resolve.test_named_points import FORMAT
from xtrace.core.attach import Kprobe, Tracepoint
from xtrace.core.resolve.named_values import values_of, with_named_values
from xtrace.testing.hosts import FakeTypes

STATES = {"TCP_ESTABLISHED": 1, "TCP_CLOSE": 7, "OTHER": 9}


def test_values_of_a_field() -> None:
    here = host(events={"skb:drop": FORMAT})
    assert values_of("format:skb:drop:reason", here) == {2: "NOT_SPECIFIED", 3: "NO_SOCKET"}
    assert values_of("format:skb:gone:reason", here) == {}
    assert values_of("skb_drop_reason", here) is None


def test_other_points_stay_as_they_are() -> None:
    here = host(events={"sched:plain": {"pid": "int"}})
    for point in (Kprobe("kprobe:f", "f", "f"), Tracepoint("t", "sched", "plain"), Tracepoint("t", "no", "such")):
        assert with_named_values(point, here) is point


def test_states_of_tcp_come_from_btf_where_no_event_names_them() -> None:
    here = host(types=FakeTypes(enums={"states": STATES}))
    assert values_of("tcp_state", here) == {1: "TCP_ESTABLISHED", 7: "TCP_CLOSE"}
