"""Kinds of probes that a kernel does not have are refused when planning, not when attaching."""

from __future__ import annotations

import pytest

from xtrace.backends.bcc.requirements import unattachable
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core.lang.source import Source, Span
from xtrace.testing.hosts import FakeHost

SPAN = Span(Source("-e", "probe"), 0, 5)
KPROBE = at.Kprobe("kprobe:f", "f", "f")
UPROBE = at.Uprobe("uprobe:/x:f", "/x", "f", 4)


@pytest.mark.parametrize(
    ("point", "facts", "refused"),
    [
        (KPROBE, {"kprobe.usable": False, "kprobe.pmu": False}, True),
        (KPROBE, {"kprobe.usable": False, "kprobe.pmu": True}, False),
        (KPROBE, {"kprobe.usable": True, "kprobe.pmu": False}, False),
        (KPROBE, {"kprobe.usable": False}, False),
        (UPROBE, {"uprobe.usable": False, "uprobe.pmu": False}, True),
        (UPROBE, {"kprobe.usable": False, "kprobe.pmu": False}, False),
        (at.Interval("interval:s:1", 10**9), {"kprobe.usable": False, "kprobe.pmu": False}, False),
    ],
)
def test_refused_only_when_every_way_is_conclusively_shut(
    point: at.Attach, facts: dict[str, object], refused: bool
) -> None:
    clause = ir.Clause((point,), None, (), SPAN)
    assert bool(unattachable(clause, FakeHost(facts=facts))) is refused
