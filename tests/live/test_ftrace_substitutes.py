"""What old kernels lack is done by other means: this kernel, with those features left unused."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.live.ftrace_session import (
    NAME,
    PID,
    TID,
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


THREAD = """
import os, sys, threading
def go(): os.execv(sys.executable, [sys.executable, "-c", "import os, time; time.sleep(0.1); os.getppid()"])
threading.Thread(target=go).start()
"""


@pytest.mark.parametrize("kind", [Old, Features])
def test_a_thread_that_executes_a_program_is_still_followed(tmp_path: Path, kind: type[Features]) -> None:
    """It gets the id of the first thread, which has ended."""
    (tmp_path / "thread.py").write_text(THREAD)
    enter = tracepoint("syscalls", "sys_enter_getppid")
    with Waiting(f"exec {sys.executable} {tmp_path}/thread.py") as shell:
        model = lower(program(ir.Clause((enter,), None, emits(PID, TID)), scope=ir.Scope(shell.pid)), kind(LiveHost()))
        assert values(run(model, shell)) == [(shell.pid, shell.pid)]


def test_a_refused_filter_is_tested_in_user_space() -> None:
    enter = tracepoint("syscalls", "sys_enter_kill")
    zero = ir.Binary("==", field(enter, "sig"), ir.Const(0), True, Int())
    with Waiting("kill -0 $$; kill -CONT $$") as shell:
        model = lower(program(ir.Clause((enter,), zero, emits(PID)), scope=ir.Scope(shell.pid)), Old(LiveHost()))
        assert model.events[0].handlers[0].filtered
        broken = tuple(replace(s, data=("no such field",)) if s.path[-1] == "filter" else s for s in model.steps)
        assert values(run(replace(model, steps=broken), shell)) == [(shell.pid,)]
