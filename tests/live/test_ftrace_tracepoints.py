"""Tracepoints on this kernel: values, filters, children, threads, in the processes of the test alone."""

from __future__ import annotations

import os
import sys
import time

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
    run,
    started,
    tracepoint,
    values,
)
from xtrace.core import ir
from xtrace.core.attach import Begin, End
from xtrace.core.messages import Attached
from xtrace.core.types import Int

pytestmark = [pytest.mark.live, needs_tracefs]


def test_every_program_that_a_command_starts_is_seen_with_its_name() -> None:
    exec_ = tracepoint("sched", "sched_process_exec")
    ppid = ir.Builtin("ppid", PID.type)
    clause = ir.Clause((exec_,), None, emits(PID, NAME, field(exec_, "filename"), ppid))
    with Waiting("/bin/true; (/bin/echo hi >/dev/null; /bin/ls / >/dev/null); :") as shell:
        seen = values(run(program(clause, scope=ir.Scope(shell.pid, follow=True)), shell.run))
        parents = [row[3] for row in seen]
    assert [row[1:3] for row in seen] == [("true", "/bin/true"), ("echo", "/bin/echo"), ("ls", "/bin/ls")]
    assert len({row[0] for row in seen}) == 3
    assert parents[0] == shell.pid and shell.pid not in {row[0] for row in seen}


def test_without_follow_children_do_not_count() -> None:
    exec_ = tracepoint("sched", "sched_process_exec")
    with Waiting("/bin/true; exec /bin/echo hi >/dev/null") as shell:
        made = program(ir.Clause((exec_,), None, emits(PID, NAME)), scope=ir.Scope(shell.pid))
        assert values(run(made, shell.run)) == [(shell.pid, "echo")]


def test_threads_count_and_pid_is_the_process() -> None:
    script = (
        "import threading, os\ndef f(): os.getppid()\nt = threading.Thread(target=f); t.start(); t.join(); os.getppid()"
    )
    enter = tracepoint("syscalls", "sys_enter_getppid")
    with Waiting(f"exec {sys.executable} -c '{script}'") as shell:
        seen = values(run(program(ir.Clause((enter,), None, emits(PID, TID)), scope=ir.Scope(shell.pid)), shell.run))
    assert [pid for pid, _ in seen] == [shell.pid] * 2
    assert seen[0][1] != shell.pid and seen[1][1] == shell.pid


def test_predicates_hold_whether_the_kernel_or_user_space_tests_them() -> None:
    enter = tracepoint("syscalls", "sys_enter_kill")
    signal, target = field(enter, "sig"), field(enter, "pid")
    is_zero = ir.Binary("==", signal, ir.Const(0), True, Int())
    is_odd = ir.Binary("==", ir.Binary("%", target, ir.Const(2), True, Int()), ir.Const(1), True, Int())
    both = ir.Logical("&&", is_zero, is_odd)
    pid = os.getpid()
    with Waiting(f"kill -0 {pid}; kill -0 {os.getppid()}; kill -CONT {pid}") as shell:
        clauses = tuple(ir.Clause((enter,), test, emits(target)) for test in (is_zero, both))
        seen = values(run(program(*clauses, scope=ir.Scope(shell.pid)), shell.run))
    odd = [(number,) for number in (pid, os.getppid()) if number % 2]
    assert sorted(seen) == sorted([(pid,), (os.getppid(),), *odd])


def test_a_filter_on_the_name_is_the_kernels() -> None:
    exit_ = tracepoint("sched", "sched_process_exit")
    named = ir.Compare("==", NAME, ir.Text("true"))
    with Waiting("/bin/true; /bin/echo hi >/dev/null") as shell:
        made = program(ir.Clause((exit_,), named, emits(NAME)), scope=ir.Scope(shell.pid, follow=True))
        assert values(run(made, shell.run)) == [("true",)]


def test_begin_comes_first_and_end_last() -> None:
    exec_ = tracepoint("sched", "sched_process_exec")
    clauses = (
        ir.Clause((End(),), None, emits(ir.Text("end"))),
        ir.Clause((exec_,), None, emits(ir.Text("exec"))),
        ir.Clause((Begin(),), None, emits(ir.Text("begin"))),
    )
    with Waiting("exec /bin/true") as shell:
        messages = run(program(*clauses, scope=ir.Scope(shell.pid)), shell.run)
    assert messages[0] == Attached(3)
    assert values(messages) == [("begin",), ("exec",), ("end",)]


def test_time_is_the_boot_clock_and_goes_forward() -> None:
    enter = tracepoint("syscalls", "sys_enter_getppid")
    nsecs = ir.Builtin("nsecs", Int(8, False))
    script = "import os\nfor _ in range(1000): os.getppid()"
    before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    with Waiting(f"exec {sys.executable} -c '{script}'") as shell:
        seen = values(run(program(ir.Clause((enter,), None, emits(nsecs)), scope=ir.Scope(shell.pid)), shell.run))
    times = [row[0] for row in seen]
    assert len(times) == 1000 and times == sorted(times)
    assert before < times[0] and times[-1] < time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def test_two_sessions_at_once_leave_each_other_alone() -> None:
    enter = tracepoint("syscalls", "sys_enter_getppid")
    clause = ir.Clause((enter,), None, emits(PID))
    loop = f"exec {sys.executable} -c 'import os\nfor _ in range(100): os.getppid()'"
    with Waiting(loop) as one, Waiting(loop) as other, started(program(clause, scope=ir.Scope(one.pid))) as first:
        with started(program(clause, scope=ir.Scope(other.pid))) as second:
            seen_second = values(collect(second, other.run))
        seen_first = values(collect(first, one.run))
    assert seen_first == [(one.pid,)] * 100
    assert seen_second == [(other.pid,)] * 100
