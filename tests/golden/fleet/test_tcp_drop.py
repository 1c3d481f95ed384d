"""Dropped TCP segments across the fleet: one name, and on each kernel the best that it has (issue 4, point 8)."""

from __future__ import annotations

import pytest

from tests.unit.facts.fleet import HOSTS, needs_hosts
from xtrace.backends.ftrace.backend import FtraceBackend
from xtrace.core.describe.event import choice_of, verdicts
from xtrace.core.facts.recorded import import_recorded
from xtrace.core.plan.model import SHIPPED_PROBES, Choice
from xtrace.core.probes.events import find_event

SYMBOL = ("rhel-7.6", "rhel-7.8", "rhel-7.9", "centos-8.3", "centos-8.4", "rhel-8.5", "ubuntu-20.04-depsurf")
BEFORE = ("rhel-6.0", "rhel-6.10", "centos-7.1", "centos-7.4", "centos-7.5")


def choice_on(name: str) -> Choice:
    event = find_event("tcp.drop", [SHIPPED_PROBES])
    assert event is not None
    # On RHEL 6 ftrace refuses for want of instances; the source is chosen all the same.
    (verdict,) = verdicts(event, import_recorded(HOSTS / name), {"ftrace": FtraceBackend()}, [SHIPPED_PROBES])
    choice = choice_of(event, verdict)
    assert choice is not None
    return choice


@needs_hosts
@pytest.mark.parametrize("name", SYMBOL)
def test_where_tcp_drop_is_a_symbol(name: str) -> None:
    choice = choice_on(name)
    assert (choice.source, choice.approximate) == ("kprobe:tcp_drop", "")


@needs_hosts
@pytest.mark.parametrize("name", BEFORE)
def test_before_there_was_a_tcp_drop(name: str) -> None:
    choice = choice_on(name)
    assert choice.source.startswith("tracepoint:skb:kfree_skb")
    assert "freed for other reasons than a drop" in choice.approximate
    assert dict(choice.passed_over)["kprobe:tcp_drop"].startswith("absent: tcp_drop is not visible here")


@needs_hosts
def test_where_it_is_inlined() -> None:
    choice = choice_on("ubuntu-22.04-depsurf")
    assert choice.source.startswith("tracepoint:skb:kfree_skb")
    assert dict(choice.passed_over)["kprobe:tcp_drop"].startswith("inlined: tcp_drop is inlined here")


@needs_hosts
def test_where_the_reason_is_known() -> None:
    assert choice_on("ubuntu-24.04-depsurf").source.startswith("tracepoint:skb:kfree_skb (with its reason")
