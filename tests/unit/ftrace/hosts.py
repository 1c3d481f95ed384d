"""Hosts that the tests of lowering plan for."""

from __future__ import annotations

from xtrace.backends.ftrace.features import Features
from xtrace.core import ir
from xtrace.core.attach import Tracepoint
from xtrace.core.types import CType, Hist, Int, String
from xtrace.testing.hosts import FakeHost

EVENTS = {
    "sched:sched_process_exec": {"filename": "__data_loc char[]", "pid": "int", "old_pid": "int"},
    "syscalls:sys_enter_openat": {
        "__syscall_nr": "int", "dfd": "int", "filename": "const char *", "flags": "int", "mode": "unsigned short",
    },
    "raw_syscalls:sys_enter": {"id": "long", "args": "unsigned long[6]"},
    "task:task_newtask": {"pid": "int", "comm": "char[16]", "clone_flags": "unsigned long", "oom_score_adj": "short"},
    "task:task_rename": {"pid": "int", "oldcomm": "char[16]", "newcomm": "char[16]", "oom_score_adj": "short"},
    "sched:sched_process_exit": {"comm": "char[16]", "pid": "int", "prio": "int"},
}  # fmt: skip

MODERN = {
    "tracefs.path": "/sys/kernel/tracing",
    "tracefs.instances": True,
    "tracefs.instance_options": True,
    "tracefs.set_event_pid": True,
    "tracefs.event_fork": True,
    "tracefs.triggers": True,
    "tracefs.stack_option": True,
    "tracefs.user_stack_option": True,
    "tracefs.clocks": ["local", "global", "perf", "mono", "boot"],
    "tracefs.fetch.comm": True,
    "tracefs.fetch.arg_n": True,
    "tracefs.fetch.ustring": True,
    "tracefs.fetch.memory": True,
    "tracefs.filter.bits": True,
    "tracefs.maxactive": True,
    "tracefs.fprobe_events": True,
    "tracefs.fprobe_exit_args": True,
    "tracefs.fetch.arg_at_return": True,
    "tracefs.eprobes": True,
    "tracefs.eprobe_pointers": True,
    "tracefs.hist_triggers": True,
    "tracefs.readme": "",
    "kprobe.usable": True,
    "uprobe.usable": True,
    "uprobe.ref_ctr": True,
    "perf.open": True,
}

# As a running 3.10.0-1160 answered (../shared/hosts/rhel-7.9-live/trials.txt).
RHEL7 = {
    **MODERN,
    "tracefs.path": "/sys/kernel/debug/tracing",
    "tracefs.instance_options": False,
    "tracefs.set_event_pid": False,
    "tracefs.event_fork": False,
    "tracefs.triggers": False,
    "tracefs.user_stack_option": False,
    "tracefs.clocks": ["local", "global", "counter", "uptime", "perf", "x86-tsc"],
    "tracefs.fetch.comm": False,
    "tracefs.fetch.arg_n": False,
    "tracefs.fetch.ustring": False,
    "tracefs.filter.bits": False,
    "tracefs.maxactive": False,
    "tracefs.fprobe_events": False,
    "tracefs.fprobe_exit_args": False,
    "tracefs.fetch.arg_at_return": False,
    "tracefs.eprobes": False,
    "tracefs.eprobe_pointers": False,
    "tracefs.hist_triggers": False,
    "uprobe.ref_ctr": False,
}

# Red Hat's 4.18: ../shared/reference/ftrace.md, "Feature by kernel", column 8.0. 8.1 has `(ref_ctr_offset)` besides.
RHEL8 = {
    **MODERN,
    "tracefs.fetch.arg_n": False,
    "tracefs.fetch.ustring": False,
    "tracefs.fprobe_events": False,
    "tracefs.fprobe_exit_args": False,
    "tracefs.fetch.arg_at_return": False,
    "tracefs.eprobes": False,
    "tracefs.eprobe_pointers": False,
    "uprobe.ref_ctr": False,
}


def features(facts: dict[str, object], arch: str = "x86_64") -> Features:
    return Features(FakeHost(arch=arch, events=EVENTS, facts=facts))


def tracepoint(name: str) -> Tracepoint:
    system, _, event = name.partition(":")
    shape = FakeHost(events=EVENTS).event_format(system, event)
    assert shape is not None
    return Tracepoint(f"tracepoint:{name}", system, event, shape.fields)


def field(point: Tracepoint, name: str) -> ir.Field:
    (member,) = (member for member in point.fields if member.name == name)
    return ir.Field(member, member.type)


def emitting(*clauses: ir.Clause, scope: ir.Scope | None = None, maps: tuple[ir.MapDecl, ...] = ()) -> ir.Program:
    return ir.Program(clauses, maps, (ir.Emit(()), ir.Emit(())), scope=scope or ir.Scope())


# --- a program that times a thread between two events ---

SYNTHETIC = {"tracefs.hist_variables": True, "tracefs.synthetic": True, "tracefs.eprobes": False}
START, END = tracepoint("syscalls:sys_enter_openat"), tracepoint("raw_syscalls:sys_enter")
TID = ir.Builtin("tid", Int(4, False))
NOW = ir.Builtin("nsecs", Int(8, False))
STARTED = ir.MapValue("start", (TID,), Int(8, False))
TIME = ir.Binary("-", NOW, STARTED, False, Int(8, False))
DELETED = ir.DeleteKey("start", (TID,))
NAMED = ir.Compare("==", ir.Builtin("comm", String(16)), ir.Text("x"))


def timing(
    *body: ir.Stmt, test: ir.Expr = STARTED, aggregate: str = "kernel", more: tuple[ir.Clause, ...] = ()
) -> ir.Program:
    """`@start[tid]` is noted at START and taken away at END, whose other statements are `body`."""
    clauses = (
        ir.Clause((START,), NAMED, (ir.SetMap("start", (TID,), NOW),)),
        ir.Clause((END,), test, body or (feed(TIME), DELETED)),
        *more,
    )
    times: tuple[CType, ...] = ()
    maps = (ir.MapDecl("start", (Int(4, False),), Int(8, False)), ir.MapDecl("t", times, Hist()))
    return ir.Program(clauses, maps, (ir.Clear("start"),), config=ir.Config(aggregate=aggregate))


def feed(value: ir.Expr) -> ir.Stmt:
    return ir.Aggregate("t", (), value)
