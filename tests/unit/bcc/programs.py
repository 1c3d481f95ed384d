"""Hand-made programs that several tests share."""

from __future__ import annotations

from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core import types as t

U32, I64, U64 = t.Int(4, False), t.Int(8, True), t.Int(8, False)
COMM, PATH = t.String(16), t.String(64)
PID, TID, COMM_NOW = ir.Builtin("pid", U32), ir.Builtin("tid", U32), ir.Builtin("comm", COMM)
NSECS = ir.Builtin("nsecs", U64)
ID = t.Member("id", I64, 8, 8)
FILENAME = t.Member("filename", t.Pointer(t.Int(1), t.Space.USER), 24, 8)
RET = t.Member("ret", I64, 16, 8)

SYS_ENTER = at.Tracepoint("tracepoint:raw_syscalls:sys_enter", "raw_syscalls", "sys_enter", (ID,))
OPEN = at.Tracepoint("tracepoint:syscalls:sys_enter_openat", "syscalls", "sys_enter_openat", (FILENAME,))
OPENED = at.Tracepoint("tracepoint:syscalls:sys_exit_openat", "syscalls", "sys_exit_openat", (RET,))


def counting() -> ir.Program:
    """Bring up counts by command, a histogram, and prints of both at a timer."""
    return ir.Program(
        clauses=(
            ir.Clause((at.Begin(),), None, (ir.Output(0, (ir.Const(7), ir.Text("it's"))),)),
            ir.Clause(
                (SYS_ENTER,),
                None,
                (ir.Aggregate("calls", (COMM_NOW,), None), ir.Aggregate("ids", (), ir.Field(ID, I64))),
            ),
            ir.Clause((at.Interval("interval:s:1", 10**9),), None, (ir.Output(1, ()), ir.Output(2, ()))),
            ir.Clause((at.End(),), None, (ir.Output(3, (ir.Const(2),)),)),
        ),
        maps=(ir.MapDecl("calls", (COMM,), t.Count()), ir.MapDecl("ids", (), t.Hist())),
        sites=(
            ir.Printf("hello %d %s\n", (I64, PATH)),
            ir.PrintMap("calls", 3),
            ir.Clear("calls"),
            ir.Exit(),
        ),
    )


def opens() -> ir.Program:
    """opensnoop: the path is kept at the entry and read at the exit."""
    path = ir.ReadString(ir.MapValue("path", (TID,), t.Pointer(t.Int(1))), t.Space.USER, PATH)
    return ir.Program(
        clauses=(
            ir.Clause(
                (OPEN,),
                ir.Compare("!=", COMM_NOW, ir.Text("sh")),
                (ir.SetMap("path", (TID,), ir.Field(FILENAME, FILENAME.type)),),
            ),
            ir.Clause(
                (OPENED,),
                ir.MapHasKey("path", (TID,)),
                (ir.Output(0, (PID, COMM_NOW, path, ir.Field(RET, I64))), ir.DeleteKey("path", (TID,))),
            ),
        ),
        maps=(ir.MapDecl("path", (U32,), U64),),
        sites=(ir.Emit((("pid", U32), ("comm", COMM), ("path", PATH), ("ret", I64))),),
    )


def latency() -> ir.Program:
    """Time between a function's entry and return, by command, with the stacks that led there."""
    enter = at.Kprobe("kprobe:vfs_read", "vfs_read", "vfs_read")
    leave = at.Kprobe("kretprobe:vfs_read", "vfs_read", "vfs_read", returns=True)
    start = ir.MapValue("start", (TID,), U64)
    spent = ir.Binary("-", NSECS, start, True, I64)
    return ir.Program(
        clauses=(
            ir.Clause((enter,), None, (ir.SetMap("start", (TID,), NSECS),)),
            ir.Clause(
                (leave,),
                ir.Binary("!=", start, ir.Const(0), False, t.Bool()),
                (
                    ir.Aggregate("ns", (COMM_NOW,), spent),
                    ir.Aggregate("by", (ir.Builtin("kstack", t.Stack(False)),), spent),
                    ir.DeleteKey("start", (TID,)),
                ),
            ),
        ),
        maps=(
            ir.MapDecl("start", (U32,), U64),
            ir.MapDecl("ns", (COMM,), t.Hist()),
            ir.MapDecl("by", (t.Stack(False),), t.Stats()),
        ),
        sites=(),
        scope=ir.Scope(pid=4242),
    )


def large() -> ir.Program:
    """More text than the BPF stack holds, in a probe whose handler another task's may interrupt."""
    text = t.String(1024)
    probe = at.Uprobe("uprobe:/lib/libc.so.6:getaddrinfo", "/lib/libc.so.6", "getaddrinfo", 0x1234)
    shown = ir.Output(0, (ir.ReadString(ir.Arg(0), t.Space.USER, text), ir.Builtin("func", PATH)))
    return ir.Program((ir.Clause((probe,), None, (shown,)),), (), (ir.Printf("%s %s\n", (text, PATH)),))


ALL = {"counting": counting, "opens": opens, "latency": latency, "large": large}
