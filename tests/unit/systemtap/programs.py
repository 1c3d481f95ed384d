"""Hand-made typed programs for the SystemTap backend's tests."""

from __future__ import annotations

from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core import types as t

INT = t.Int()
COMM = ir.Builtin("comm", t.String(16))
TID = ir.Builtin("tid", INT)
NSECS = ir.Builtin("nsecs", t.Int(8, False))
START = ir.MapValue("start", (TID,), INT)


def read_latency() -> ir.Program:
    """Latency of vfs_read by comm, with every kind of map action in an interval."""
    entry = ir.Clause(
        (at.Kprobe("kprobe:vfs_read", "vfs_read", "vfs_read"),), None, (ir.SetMap("start", (TID,), NSECS),)
    )
    leaving = ir.Clause(
        (at.Kprobe("kretprobe:vfs_read", "vfs_read", "vfs_read", returns=True),),
        START,
        (
            ir.Aggregate("ns", (COMM,), ir.Binary("-", NSECS, START, True, INT)),
            ir.DeleteKey("start", (TID,)),
            ir.Aggregate("", (COMM,), None),
            ir.If(
                ir.Binary("<", ir.Retval(INT), ir.Const(0), True, t.Bool()),
                (ir.Output(0, (COMM, ir.Retval(INT))),),
                (),
            ),
        ),
    )
    every = ir.Clause(
        (at.Interval("interval:s:1", 10**9),), None, (ir.Output(1, ()), ir.Output(2, ()), ir.Output(3, ()))
    )
    return ir.Program(
        clauses=(entry, leaving, every, ir.Clause((at.End(),), None, (ir.Output(4, (ir.Const(3),)),))),
        maps=(
            ir.MapDecl("start", (INT,), INT),
            ir.MapDecl("ns", (t.String(16),), t.Hist()),
            ir.MapDecl("", (t.String(16),), t.Count()),
        ),
        sites=(
            ir.Printf("%s %d\n", (t.String(16), INT)),
            ir.PrintMap(""),
            ir.Zero(""),
            ir.Clear("start"),
            ir.Exit(),
        ),
        scope=ir.Scope(pid=5, follow=True),
    )


def one(attach: at.Attach, *body: ir.Stmt, predicate: ir.Expr | None = None) -> ir.Clause:
    return ir.Clause((attach,), predicate, body)
