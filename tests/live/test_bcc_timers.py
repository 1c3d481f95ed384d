"""What fires without a kernel event: begin, end, interval, profile; exit; what happens to maps in between."""

from __future__ import annotations

import os
import time

import pytest

from tests.live.bcc_session import I64, U32, final_map, hits, needs_bcc, session, traced
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.messages import Attached, Exited, HistValue, MapDump, StackValue

pytestmark = [pytest.mark.live, needs_bcc]

TICK = at.Interval("interval:ms:100", 100_000_000)


def number(site: int, value: int) -> ir.Output:
    return ir.Output(site, (ir.Const(value),))


def test_begin_comes_first_and_end_last() -> None:
    clauses = (
        ir.Clause((at.Begin(),), None, (number(0, 1), ir.SetMap("x", (), ir.Const(5)))),
        ir.Clause((at.Begin(),), None, (number(0, 2),)),
        ir.Clause((at.End(),), None, (ir.Output(0, (ir.MapValue("x", (), I64),)),)),
    )
    program = ir.Program(clauses, (ir.MapDecl("x", (), I64),), (ir.Printf("%d", (I64,)),))
    messages = traced(program, lambda: None)
    assert hits(messages, 0) == [(1,), (2,), (5,)]
    assert isinstance(messages[2], Attached)
    assert final_map(messages, "x") == {(): 5}


def test_interval_prints_and_clears_in_order() -> None:
    body = (ir.Aggregate("n", (), None), ir.Output(0, ()), ir.Output(1, ()))
    program = ir.Program(
        (ir.Clause((TICK,), None, body),), (ir.MapDecl("n", (), t.Count()),), (ir.PrintMap("n"), ir.Clear("n"))
    )
    messages = traced(program, lambda: time.sleep(0.75), settle=0)
    dumps = [message.entries for message in messages if isinstance(message, MapDump) and message.site == 0]
    counts = [count for entries in dumps for _, count in entries if isinstance(count, int)]
    assert len(dumps) >= 4
    assert 1 <= max(counts) < len(dumps), "the map was not cleared between the prints"


def test_exit_stops_at_once_and_runs_the_end() -> None:
    counted = ir.AddMap("n", (), ir.Const(1))
    leave = ir.If(
        ir.Binary(">=", ir.MapValue("n", (), I64), ir.Const(3), True, t.Bool()), (ir.Output(1, (ir.Const(7),)),), ()
    )
    clauses = (
        ir.Clause((TICK,), None, (counted, leave, ir.Output(0, (ir.MapValue("n", (), I64),)))),
        ir.Clause((at.End(),), None, (number(0, -1),)),
    )
    program = ir.Program(clauses, (ir.MapDecl("n", (), I64),), (ir.Printf("%d", (I64,)), ir.Exit()))
    messages = traced(program, lambda: time.sleep(0.6), settle=0.3)
    assert hits(messages, 0) == [(1,), (2,), (-1,)]
    assert Exited(7) in messages
    assert final_map(messages, "n") == {(): 3}


def test_profile_takes_stacks_of_this_process() -> None:
    stack = ir.Builtin("ustack", t.Stack(True))
    program = ir.Program(
        (ir.Clause((at.Profile("profile:hz:99", 99),), None, (ir.Aggregate("s", (stack,), None),)),),
        (ir.MapDecl("s", (t.Stack(True),), t.Count()),),
        (),
        ir.Scope(pid=os.getpid()),
    )

    def burn() -> None:
        end = time.process_time() + 0.5
        while time.process_time() < end:
            sum(range(1000))

    found = final_map(traced(program, burn), "s")
    assert sum(count for count in found.values() if isinstance(count, int)) >= 10
    stacks = [key[0] for key in found]
    # A sample whose stack the kernel could not take (bpf_get_stackid: EFAULT, EEXIST) has no addresses.
    taken = [one for one in stacks if isinstance(one, StackValue) and one.addresses]
    assert taken
    assert {one.pid for one in taken} == {os.getpid()}
    assert any(one.frames for one in stacks if isinstance(one, StackValue))


def test_a_session_ends_quietly_without_finish() -> None:
    program = ir.Program((ir.Clause((TICK,), None, (number(0, 1),)),), (), (ir.Printf("%d", (I64,)),))
    with session(program) as running:
        running.poll(0.3)
    running.close()


def test_histogram_in_an_interval() -> None:
    body = (ir.Aggregate("h", (ir.Builtin("cpu", U32),), ir.Const(1000)),)
    program = ir.Program((ir.Clause((TICK,), None, body),), (ir.MapDecl("h", (U32,), t.Hist()),), ())
    found = final_map(traced(program, lambda: time.sleep(0.5), settle=0), "h")
    assert all(isinstance(one, HistValue) and one.buckets[0][0] == 11 for one in found.values())
