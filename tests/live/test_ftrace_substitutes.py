"""What old kernels lack is done by other means: this kernel, with those features left unused."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from tests.live.ftrace_session import (
    NAME,
    PID,
    Waiting,
    collect,
    emits,
    field,
    needs_tracefs,
    program,
    tracefs,
    tracepoint,
    values,
)
from xtrace.backends.ftrace.features import Features
from xtrace.backends.ftrace.lower import lower
from xtrace.backends.ftrace.model import Follow, FtraceModel
from xtrace.backends.ftrace.session import FtraceSession
from xtrace.core import ir
from xtrace.core.facts.live import LiveHost
from xtrace.core.messages import Message
from xtrace.core.types import Int

pytestmark = [pytest.mark.live, needs_tracefs]

RHEL7_LACKS = {"tracefs.set_event_pid", "tracefs.event_fork", "tracefs.instance_options", "tracefs.triggers",
               "tracefs.fetch.comm", "tracefs.fetch.ustring", "tracefs.filter.bits", "uprobe.ref_ctr"}  # fmt: skip


class Old(Features):
    """RHEL 7's tracefs, as far as lowering asks."""

    clock = "perf"

    def has(self, name: str) -> bool:
        return name not in RHEL7_LACKS and super().has(name)

    def lacks(self, name: str) -> bool:
        return name in RHEL7_LACKS or super().lacks(name)


def run(model: FtraceModel, shell: Waiting) -> list[Message]:
    running = FtraceSession(model, tracefs())
    try:
        running.start()
        return collect(running, shell.run)
    finally:
        running.close()


def test_processes_are_followed_in_user_space_on_a_clock_that_must_be_measured() -> None:
    exec_ = tracepoint("sched", "sched_process_exec")
    nsecs = ir.Builtin("nsecs", Int(8, False))
    before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    with Waiting("(/bin/echo hi >/dev/null); exec /bin/true") as shell:
        made = program(
            ir.Clause((exec_,), None, emits(PID, NAME, nsecs)), scope=ir.Scope(shell.pid, follow=True)
        )  # fmt: skip
        model = lower(made, Old(LiveHost()))
        assert (model.recording.follow, model.recording.clock) == (Follow.USER, "perf")
        seen = values(run(model, shell))
    assert [name for _, name, _ in seen] == ["echo", "true"] and seen[1][0] == shell.pid
    stamps = [stamp for _, _, stamp in seen]
    assert before < stamps[0] < stamps[1] < time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def test_a_refused_filter_is_tested_in_user_space() -> None:
    enter = tracepoint("syscalls", "sys_enter_kill")
    zero = ir.Binary("==", field(enter, "sig"), ir.Const(0), True, Int())
    with Waiting("kill -0 $$; kill -CONT $$") as shell:
        model = lower(program(ir.Clause((enter,), zero, emits(PID)), scope=ir.Scope(shell.pid)), Old(LiveHost()))
        assert model.events[0].handlers[0].filtered
        broken = tuple(replace(s, data=("no such field",)) if s.path[-1] == "filter" else s for s in model.steps)
        assert values(run(replace(model, steps=broken), shell)) == [(shell.pid,)]
