"""Whose events count: conditions in C, and where the scheduler's records keep what following needs."""

from __future__ import annotations

from tests.unit.bcc.programs import opens
from xtrace.backends.bcc.handler import Host
from xtrace.backends.bcc.lower import lower
from xtrace.backends.bcc.render import program
from xtrace.backends.bcc.scope import Follow, follow_offsets, scope_lines, scope_objections
from xtrace.core import ir
from xtrace.testing.hosts import FakeHost

SCHED = {
    "sched:sched_process_fork": {
        "parent_comm": "char[16]",
        "parent_pid": "int",
        "child_comm": "char[16]",
        "child_pid": "int",
    },
    "sched:sched_process_free": {"comm": "char[16]", "pid": "int", "prio": "int"},
}


def test_nobody_in_particular() -> None:
    assert scope_lines(ir.Scope()) == ()
    assert "x_in_scope" not in program(lower(opens(), Host("x86_64")))


def test_each_condition_is_there() -> None:
    text = "\n".join(scope_lines(ir.Scope(pid=7, uid=1000, cgroup="/sys/fs/cgroup/a")))
    assert "!= 7)" in text and "!= 1000u)" in text and "check_current_task(0)" in text


def test_children_are_looked_up() -> None:
    followed = ir.Scope(pid=7, follow=True)
    assert "x_followed.lookup" in scope_lines(followed)[1]
    host = FakeHost(events=SCHED)
    assert follow_offsets(host) == Follow(child_pid=44, freed_pid=24)
    assert scope_objections(followed, host) == ()


def test_without_formats_nobody_can_be_followed() -> None:
    (diagnostic,) = scope_objections(ir.Scope(pid=7, follow=True), FakeHost(events={}))
    assert diagnostic.code == "XT0705" and diagnostic.hints
    assert scope_objections(ir.Scope(pid=7), FakeHost(events={})) == ()
