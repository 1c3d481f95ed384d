"""Clauses that the worker runs itself: which they are, and what it cannot do in them."""

from __future__ import annotations

import pytest

from tests.unit.bcc.programs import I64, SYS_ENTER
from xtrace.backends.bcc.handler import Host
from xtrace.backends.bcc.lower import lower, objections
from xtrace.backends.bcc.writer import UnsupportedError
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core import types as t

HOST = Host("x86_64")
KV = ir.Var("kv", t.Tuple((I64, I64)))
TICK = at.Interval("interval:s:1", 10**9)
MAPS = (ir.MapDecl("n", (I64,), t.Count()), ir.MapDecl("m", (I64,), I64), ir.MapDecl("x", (I64,), t.Max()))
ONE = (ir.Const(1),)


def walking(*body: ir.Stmt, attach: at.Attach = TICK) -> ir.Clause:
    return ir.Clause((attach,), None, (ir.ForEach("kv", "n", body),))


def test_only_what_bpf_cannot_do_runs_in_the_worker() -> None:
    plain = ir.Clause((at.End(),), None, (ir.SetMap("m", ONE, ir.Const(2)),))
    kernel = ir.Clause((SYS_ENTER,), None, (ir.Aggregate("n", ONE, None),))
    model = lower(ir.Program((kernel, walking(), plain), MAPS, ()), HOST)
    assert [one.ident for one in model.handlers] == ["h0", "h1"]
    assert [one.get("own") for one in model.tables["attach"]] == [None, "own1", None]
    assert "def own1(trace, nsecs, probe):" in model.own


def test_maps_that_only_the_worker_reads_stay_per_cpu() -> None:
    read = ir.Aggregate("n", ONE, None)
    shown = ir.SetMap("m", ONE, ir.MapValue("n", ONE, I64))
    program = ir.Program((ir.Clause((SYS_ENTER,), None, (read,)), walking(shown)), MAPS, ())
    assert lower(program, HOST).maps[0].per_cpu


def test_extremes_are_read_where_all_parts_are_seen() -> None:
    extreme = ir.SetMap("m", ONE, ir.MapValue("x", ONE, I64))
    assert lower(ir.Program((ir.Clause((at.End(),), None, (extreme,)),), MAPS, ()), HOST).own
    with pytest.raises(UnsupportedError, match="each CPU keeps its own part"):
        lower(ir.Program((ir.Clause((SYS_ENTER,), None, (extreme,)),), MAPS, ()), HOST)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (ir.Aggregate("n", ONE, None), "cannot feed @n"),
        (ir.SetVar("v", ir.Builtin("kstack", t.Stack(False))), "does not know kstack"),
        (ir.SetVar("v", ir.ReadString(ir.Const(5), t.Space.KERNEL)), "has no ReadString"),
    ],
)
def test_refused(body: ir.Stmt, words: str) -> None:
    (found,) = objections(walking(body), HOST)
    assert words in found.message


def test_what_bpf_adds_to_at_any_time_is_not_added_to_here() -> None:
    add = ir.AddMap("m", ONE, ir.Const(1))
    first = ir.Program((ir.Clause((at.Begin(),), None, (add,)), walking(add)), MAPS, ())
    assert lower(first, HOST).own
    with pytest.raises(UnsupportedError, match="cannot add to @m while BPF does"):
        lower(ir.Program((ir.Clause((SYS_ENTER,), None, (add,)), walking(add)), MAPS, ()), HOST)


def test_text_of_the_program_is_quoted() -> None:
    hostile = ir.SetVar("v", ir.Text("'\"\n\\é", t.String(16)))
    (line,) = [
        one for one in lower(ir.Program((walking(hostile),), MAPS, ()), HOST).own if "v_v = b" in one and "xc3" in one
    ]
    assert line.isascii() and "\n" not in line
