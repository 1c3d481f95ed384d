"""In a container ids differ from the host's: a trace of one process is refused, any other is told of it."""

from __future__ import annotations

import pytest

from xtrace.core import ir
from xtrace.core.errors import PlanError
from xtrace.core.facts.model import Fact, State
from xtrace.core.session.namespaces import ids_differ
from xtrace.testing.hosts import FakeHost


def host(*foreign: str) -> FakeHost:
    state = State.ABSENT if foreign else State.PRESENT
    return FakeHost(facts={"caller.initial_namespaces": Fact(state, list(foreign), f"own {', '.join(foreign)}")})


def test_on_the_host_there_is_nothing_to_tell() -> None:
    assert ids_differ(ir.Scope(pid=7), host()) is None
    assert ids_differ(ir.Scope(pid=7), host("cgroup")) is None
    assert ids_differ(ir.Scope(pid=7), FakeHost()) is None


def test_one_process_of_a_container_cannot_be_told_from_the_hosts() -> None:
    with pytest.raises(PlanError, match="own pid") as caught:
        ids_differ(ir.Scope(pid=7), host("pid", "cgroup"))
    assert "--pid=host" in caught.value.diagnostics[0].text()


def test_a_trace_of_everything_says_whose_ids_it_shows() -> None:
    told = ids_differ(ir.Scope(uid=0), host("pid"))
    assert told is not None
    assert told.severity == "warning"
    assert "the host's" in told.message
