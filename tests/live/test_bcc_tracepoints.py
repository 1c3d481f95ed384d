"""Tracepoints by BCC on this kernel: fields, user strings at the exit, maps, histograms, children."""

from __future__ import annotations

import os

import pytest

from tests.live.bcc_session import COMM, I64, U32, field, final_map, hits, needs_bcc, of_child, tracepoint
from xtrace.backends.bcc.scope import Follow
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.messages import HistValue, StatsValue

pytestmark = [pytest.mark.live, needs_bcc]

TID = ir.Builtin("tid", U32)
PID = ir.Builtin("pid", U32)


def test_counts_by_comm() -> None:
    enter = tracepoint("syscalls", "sys_enter_chdir")
    counted = ir.Aggregate("c", (ir.Builtin("comm", COMM),), None)
    program = ir.Program((ir.Clause((enter,), None, (counted,)),), (ir.MapDecl("c", (COMM,), t.Count()),), ())
    messages = of_child(program, "; ".join(["cd /tmp"] * 23))
    assert final_map(messages, "c") == {("sh",): 23}


def test_paths_of_opens_are_read_at_the_exit() -> None:
    enter, leave = tracepoint("syscalls", "sys_enter_openat"), tracepoint("syscalls", "sys_exit_openat")
    saved = ir.SetMap("path", (TID,), field(enter, "filename", t.Pointer(t.Int(1), t.Space.USER)))
    path = ir.ReadString(ir.MapValue("path", (TID,), t.Pointer(t.Int(1))), t.Space.USER, t.String(64))
    shown = ir.Output(0, (PID, path, field(leave, "ret", I64)))
    program = ir.Program(
        clauses=(
            ir.Clause((enter,), None, (saved,)),
            ir.Clause((leave,), ir.MapHasKey("path", (TID,)), (shown, ir.DeleteKey("path", (TID,)))),
        ),
        maps=(ir.MapDecl("path", (U32,), t.Int(8, False)),),
        sites=(ir.Emit((("pid", U32), ("path", t.String(64)), ("ret", I64))),),
    )
    messages = of_child(program, ": < /etc/hostname; : < /nonexistent-x; :")
    opened = {(path, ret if isinstance(ret, int) and ret < 0 else 0) for _, path, ret in hits(messages, 0)}
    assert {("/etc/hostname", 0), ("/nonexistent-x", -2)} <= opened


def test_aggregations() -> None:
    enter = tracepoint("syscalls", "sys_enter_umask")
    mask = ir.Convert(field(enter, "mask"), I64)
    kinds: dict[str, t.Aggregation] = {
        "sum": t.Sum(),
        "min": t.Min(),
        "max": t.Max(),
        "avg": t.Avg(),
        "hist": t.Hist(),
        "linear": t.LinearHist(0, 100, 10),
    }
    body = tuple(ir.Aggregate(name, (), mask) for name in kinds)
    maps = tuple(ir.MapDecl(name, (), kind) for name, kind in kinds.items())
    program = ir.Program((ir.Clause((enter,), ir.Binary("!=", mask, ir.Const(0), True, t.Bool()), body),), maps, ())
    messages = of_child(program, "exec /usr/bin/python3 -c 'import os; [os.umask(n) for n in (1, 7, 64)]'")
    values = (1, 7, 64)
    assert final_map(messages, "sum") == {(): sum(values)}
    assert final_map(messages, "min") == {(): StatsValue(1, 1, low=1)}
    assert final_map(messages, "max") == {(): StatsValue(1, 64, high=64)}
    assert final_map(messages, "avg") == {(): StatsValue(3, sum(values))}
    assert final_map(messages, "hist") == {(): HistValue(((2, 1), (4, 1), (8, 1)))}
    assert final_map(messages, "linear") == {(): HistValue(((1, 2), (7, 1)))}


def test_children_are_followed() -> None:
    fork, free = tracepoint("sched", "sched_process_fork"), tracepoint("sched", "sched_process_free")
    offsets = Follow(field(fork, "child_pid").member.offset, field(free, "pid").member.offset)
    enter = tracepoint("syscalls", "sys_enter_chdir")
    program = ir.Program((ir.Clause((enter,), None, (ir.Output(0, (PID,)),)),), (), (ir.Printf("%d", (U32,)),))
    messages = of_child(program, "cd /; (cd /tmp; (cd /var); :); :", offsets)
    found = [pid for (pid,) in hits(messages, 0)]
    assert len(found) == 3 and len(set(found)) == 3
    assert os.getpid() not in found


def test_strings_from_the_record() -> None:
    """A dynamic array (`__data_loc`), and an inline one."""
    exec_ = tracepoint("sched", "sched_process_exec")
    shown = ir.Output(0, (field(exec_, "filename", t.String(64)),))
    program = ir.Program((ir.Clause((exec_,), None, (shown,)),), (), (ir.Printf("%s", (t.String(64),)),))
    assert hits(of_child(program, "exec /bin/true"), 0) == [("/bin/true",)]
