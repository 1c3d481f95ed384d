"""The resolver's verdicts on functions against DWARF, for one recorded kernel whose own truth is taken away first."""

from __future__ import annotations

from bench.function_verdicts import measure
from tests.unit.facts.fleet import HOSTS, needs_hosts


@needs_hosts
def test_verdicts_on_a_kernel_that_is_not_known() -> None:
    ((_, counted),) = measure(HOSTS, ["5.15"], held_out=True, every=20)
    assert counted["functions"] > 4_000
    assert counted["wrong"] == 0
    assert counted["calls missed"] < 3 * counted["functions"] / 1000
    assert counted["right"] > 0.97 * counted["functions"]
