"""What BPF cannot do is refused with a reason, before anything runs."""

from __future__ import annotations

import pytest

from tests.unit.bcc.programs import I64, ID, PID, SYS_ENTER, U32
from xtrace.backends.bcc.handler import Host
from xtrace.backends.bcc.lower import lower, objections
from xtrace.backends.bcc.writer import UnsupportedError
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core import types as t

HOST = Host("x86_64", bounded_loops=False)
BEGIN = at.Begin()
PROBE = at.Uprobe("uprobe:/bin/sh:main", "/bin/sh", "main", 0x100)


def said(body: ir.Stmt, attach: at.Attach = BEGIN, host: Host = HOST) -> list[str]:
    return [diagnostic.message for diagnostic in objections(ir.Clause((attach,), None, (body,)), host)]


def shown(expr: ir.Expr) -> ir.Output:
    return ir.Output(0, (expr,))


COMMON = t.Member("common_pid", U32, 4, 4)
VALUE = t.Member("__filename_val", t.String(64), 48, 4, location="data_loc")
OPEN = at.Tracepoint("tracepoint:syscalls:sys_enter_open", "syscalls", "sys_enter_open", (VALUE,))


@pytest.mark.parametrize(
    ("body", "attach", "words"),
    [
        (ir.ForEach("kv", "m", ()), PROBE, "cannot walk through @m"),
        (ir.While(PID, ()), BEGIN, "no loops"),
        (shown(ir.MapLength("m")), PROBE, "cannot count the entries"),
        (shown(ir.Builtin("numaid", I64)), BEGIN, "nothing for the builtin 'numaid'"),
        (shown(ir.Builtin("ppid", I64)), BEGIN, "offsets in struct task_struct"),
        (shown(ir.Register("rip")), PROBE, "no register 'rip'"),
        (shown(ir.Register("ip")), SYS_ENTER, "no register 'ip' in this probe"),
        (shown(ir.Arg(0)), SYS_ENTER, "arg0 exists in kprobes"),
        (shown(ir.Retval()), BEGIN, "retval exists in kretprobes"),
        (shown(ir.Field(ID, I64)), PROBE, "field of tracepoints only"),
        (shown(ir.Field(COMMON, U32)), SYS_ENTER, "hides the common header"),
        (shown(ir.Field(VALUE, t.String(64))), OPEN, "not passed to BPF programs"),
        (shown(ir.Contains(ir.Builtin("comm", t.String(16)), ir.Var("x", t.String(8)))), BEGIN, "for a constant only"),
        (shown(ir.Contains(ir.Var("x", t.String(1024)), ir.Text("a"))), BEGIN, "256 bytes at most"),
        (ir.Output(0, tuple(ir.Text("x", t.String(1024)) for _ in range(25))), BEGIN, "one record holds 24576 bytes"),
        (ir.If(PID, tuple(ir.SetVar(f"v{n}", ir.Text("x", t.String(1024))) for n in range(32)), ()), BEGIN, "of text"),
        (ir.Output(0, ()), at.PerfEvent("software:fault:1", False, "page-fault", 1), "no software event 'page-fault'"),
    ],
)
def test_refused(body: ir.Stmt, attach: at.Attach, words: str) -> None:
    assert any(words in message for message in said(body, attach)), said(body, attach)


def test_an_unknown_machine_is_refused() -> None:
    assert "riscv64" in said(shown(PID), host=Host("riscv64"))[0]


def test_an_address_of_unknown_space_where_spaces_overlap() -> None:
    load = shown(ir.Load(ir.Const(16), 0, I64, t.Space.AUTO))
    assert said(load) == []
    assert "kernel's or a process's" in said(load, host=Host("s390x"))[0]


def test_reading_an_aggregation_is_refused_by_the_whole_program() -> None:
    body = (ir.Aggregate("m", (), PID), shown(ir.MapValue("m", (), I64)))
    program = ir.Program(
        (ir.Clause((SYS_ENTER,), None, body),), (ir.MapDecl("m", (), t.Max()),), (ir.Printf("%d", (I64,)),)
    )
    with pytest.raises(UnsupportedError, match="own part of max"):
        lower(program, HOST)


def test_an_ordinary_clause_meets_no_objection() -> None:
    body = ir.SetMap("m", (PID,), ir.Binary("+", ir.MapValue("m", (PID,), I64), ir.Const(1), True, I64))
    assert said(body) == []
