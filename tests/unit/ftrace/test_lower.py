"""Programs become definitions, filters and settings, by what the host's tracefs has."""

from __future__ import annotations

import pytest

from tests.unit.ftrace.hosts import MODERN, RHEL7, emitting, features, field, tracepoint
from xtrace.backends.ftrace.features import Features
from xtrace.backends.ftrace.lower import lower
from xtrace.backends.ftrace.model import Action, Follow, FtraceModel, Name, OpenFile, Part
from xtrace.backends.ftrace.objections import clause_objections, program_objections
from xtrace.core import ir
from xtrace.core.attach import Kprobe, PerfEvent, Uprobe, Usdt, UsdtArgument, UsdtSite
from xtrace.core.quoting import QuotingError
from xtrace.core.types import Buffer, Int, Pointer, Space, Stack, String

VFS_READ = Kprobe("kprobe:vfs_read", "vfs_read", "vfs_read")
RETURN = Kprobe("kretprobe:vfs_read", "vfs_read", "vfs_read", returns=True)
PID = ir.Builtin("pid", Int(4, False))
COMM = ir.Builtin("comm", String(16))


def shown(parts: tuple[Part, ...]) -> str:
    return "".join("S" if part is Name.SESSION else f"FD{part.index}" if isinstance(part, OpenFile) else str(part)
                   for part in parts)  # fmt: skip


def definitions(model: FtraceModel) -> list[str]:
    return [f"{shown(s.path)}: {shown(s.data).strip()}" for s in model.steps if s.action is Action.DEFINE]


def lowered(facts: dict[str, object], *clauses: ir.Clause, arch: str = "x86_64", **rest: object) -> FtraceModel:
    host = features(facts, arch)
    program = emitting(*clauses, **rest)  # type: ignore[arg-type]
    assert not program_objections(program, host)
    return lower(program, host)


def emits(*values: ir.Expr) -> tuple[ir.Stmt, ...]:
    return (ir.Output(0, values),)


def reasons(host: Features, attach: object, *values: ir.Expr) -> list[str]:
    clause = ir.Clause((attach,), None, emits(*values))  # type: ignore[arg-type]
    return [diagnostic.message for diagnostic in clause_objections(clause, host)]


def test_a_kprobe_with_memory_a_name_and_a_return() -> None:
    inner = ir.Load(ir.Arg(0), 16, Pointer(Int()), Space.KERNEL)
    values = (ir.Arg(2), ir.Load(inner, 8, Int(4, False), Space.KERNEL), ir.ReadString(ir.Arg(1), Space.USER), COMM)
    clauses = (ir.Clause((VFS_READ,), None, emits(*values)), ir.Clause((RETURN,), None, emits(ir.Retval())))
    assert definitions(lowered(MODERN, *clauses)) == [
        "kprobe_events: p:S/vfs_read_0 vfs_read a0=$arg3:s64 a1=$arg1:u64 a2=+16($arg1):u64 a3=+8(+16($arg1)):u32"
        " a4=$arg2:u64 a5=+0($arg2):ustring a6=$comm:string",
        "kprobe_events: r256:S/vfs_read_1 vfs_read a0=$retval:s64",
    ]
    assert definitions(lowered(RHEL7, *clauses)) == [
        "kprobe_events: p:S/vfs_read_0 vfs_read a0=%dx:s64 a1=%di:u64 a2=+16(%di):u64 a3=+8(+16(%di)):u32"
        " a4=%si:u64 a5=+0(%si):string",
        "kprobe_events: r:S/vfs_read_1 vfs_read a0=$retval:s64",
    ]


@pytest.mark.parametrize(
    ("arch", "registers"),
    [("x86_64", "%di %r9 $stack1"), ("aarch64", "%x0 %x5 %x6"), ("s390x", "%r2 - -"), ("ppc64le", "%gpr3 %gpr8 %gpr9")],
)
def test_arguments_by_architecture(arch: str, registers: str) -> None:
    host = features(RHEL7, arch)
    for index, register in zip((0, 5, 6), registers.split()):
        if register == "-":
            assert reasons(host, VFS_READ, ir.Arg(index))
        else:
            model = lowered(RHEL7, ir.Clause((VFS_READ,), None, emits(ir.Arg(index))), arch=arch)
            assert definitions(model)[0].endswith(f"a0={register}:s64")


def test_bit_fields_and_bytes() -> None:
    bits = ir.Load(ir.Arg(0), 4, Int(4, False), Space.KERNEL, bit_offset=3, bit_size=9)
    raw = ir.ReadBytes(ir.Arg(0), ir.Const(11), Space.KERNEL, Buffer(11))
    (text,) = definitions(lowered(RHEL7, ir.Clause((VFS_READ,), None, emits(bits, raw))))
    assert "a1=+4(%di):b9@3/32" in text
    assert text.endswith("a2=+0(%di):u64 a3=+8(%di):u16 a4=+10(%di):u8")


def test_inlined_functions_have_a_definition_for_each_place() -> None:
    inlined = Kprobe("inline:tcp_drop", "tcp_drop", "", sites=(0x100, 0x2A0))
    model = lowered(MODERN, ir.Clause((inlined,), None, emits(ir.Register("di"))))
    assert definitions(model) == [
        "kprobe_events: p:S/tcp_drop_0 _stext+256 a0=%di:s64",
        "kprobe_events: p:S/tcp_drop_1 _stext+672 a0=%di:s64",
    ]
    assert all(event.handlers[0].clause == 0 for event in model.events)


def test_module_functions_and_offsets() -> None:
    probe = Kprobe("kprobe:ext4:ext4_sync_file", "ext4_sync_file", "ext4_sync_file.isra.0", module="ext4", offset=8)
    assert definitions(lowered(MODERN, ir.Clause((probe,), None, emits(PID)))) == [
        "kprobe_events: p:S/ext4_sync_file_0 ext4:ext4_sync_file.isra.0+8"
    ]
    assert "only known at a function's entry" in reasons(features(MODERN), probe, ir.Arg(0))[0]


def test_uprobes_are_defined_on_an_open_file() -> None:
    path = "/opt/a b#c\n-:x/y"
    probe = Uprobe("uprobe", path, "f", 0x1234)
    model = lowered(MODERN, ir.Clause((probe,), None, emits(ir.ReadString(ir.Arg(0), Space.USER))))
    assert definitions(model) == ["uprobe_events: p:S/f_0 FD0:0x1234 a0=%di:u64 a1=+0(%di):string"]
    assert [file.path for file in model.files] == [path]


def test_usdt_operands_and_semaphores() -> None:
    arguments = tuple(UsdtArgument(4, True, text) for text in ("%edi", "-12(%rbp)", "$-5", "(%rax,%rbx,8)"))
    probe = Usdt("usdt", "/bin/x", "p", "n", (UsdtSite(0x10, 0x20, arguments), UsdtSite(0x30, 0x20, arguments)))
    body = emits(ir.Arg(0), ir.Arg(1), ir.Arg(2))
    assert definitions(lowered(MODERN, ir.Clause((probe,), None, body))) == [
        "uprobe_events: p:S/n_0 FD0:0x10(0x20) a0=%di:s32 a1=-12(%bp):s32",
        "uprobe_events: p:S/n_1 FD0:0x30(0x20) a0=%di:s32 a1=-12(%bp):s32",
    ]
    old = lowered(RHEL7, ir.Clause((probe,), None, body))
    assert "(0x20)" not in definitions(old)[0] and old.files[0].semaphores == (0x20,)
    assert "cannot read a USDT argument" in reasons(features(MODERN), probe, ir.Arg(3))[0]


def test_strings_of_syscalls_by_event_probe_or_not_at_all() -> None:
    point = tracepoint("syscalls:sys_enter_openat")
    text = ir.ReadString(field(point, "filename"), Space.USER)
    (made,) = definitions(lowered(MODERN, ir.Clause((point,), None, emits(text, field(point, "flags")))))
    assert made == (
        "dynamic_events: e:S/sys_enter_openat_0 syscalls.sys_enter_openat a0=$filename:u64 a1=+0($filename):ustring"
        " a2=$flags:s64"
    )
    assert "only the string's address" in reasons(features(RHEL7), point, text)[0]


def test_the_process_is_followed_in_the_kernel_or_in_user_space() -> None:
    clause = ir.Clause((tracepoint("sched:sched_process_exec"),), None, emits(PID))
    new = lowered(MODERN, clause, scope=ir.Scope(7, follow=True)).recording
    assert (new.follow, new.clock, new.identity) == (Follow.KERNEL, "boot", ("task:task_newtask",))
    old = lowered(RHEL7, clause, scope=ir.Scope(7, follow=True)).recording
    assert (old.follow, old.clock) == (Follow.USER, "perf")
    assert set(old.identity) == {"task:task_newtask", "sched:sched_process_exit"}


def test_a_filter_never_touches_events_that_tell_of_forks() -> None:
    point = tracepoint("task:task_newtask")
    test = ir.Binary("==", field(point, "clone_flags"), ir.Const(1), False, Int())
    model = lowered(MODERN, ir.Clause((point,), test, emits(PID)))
    assert not model.events[0].filter and not model.events[0].handlers[0].filtered


def test_what_only_other_engines_have_is_refused_with_a_reason() -> None:
    host = features(MODERN)
    assert "counters" in reasons(host, PerfEvent("hardware:cycles", True, "cycles", 1000))[0]
    assert "current task" in reasons(host, VFS_READ, ir.Builtin("curtask", Int()))[0]
    assert "return" in reasons(host, VFS_READ, ir.Retval())[0]
    stack = ir.Builtin("ustack", Stack(True))
    assert "all users of tracing" in reasons(features(RHEL7), VFS_READ, stack)[0]
    assert not reasons(host, VFS_READ, stack)
    assert "no kprobes" in reasons(features({**RHEL7, "kprobe.usable": False}), VFS_READ)[0]


def test_a_string_that_is_read_at_two_lengths_is_recorded_for_each() -> None:
    reads = (ir.ReadString(ir.Arg(1), Space.USER, String(size)) for size in (4, 64))
    (definition,) = definitions(lowered(MODERN, ir.Clause((VFS_READ,), None, emits(*reads))))
    assert definition.count("=+0($arg2):ustring") == 2


def test_a_read_through_a_map_is_refused_unless_it_can_move_to_where_the_pointer_is() -> None:
    tid = ir.Builtin("tid", Int(4, False))
    saved = ir.MapDecl("p", (Int(),), Int(8, False))
    keep = ir.Clause((VFS_READ,), None, (ir.SetMap("p", (tid,), ir.Arg(1)),))
    read = ir.ReadString(ir.MapValue("p", (tid,), Int(8, False)), Space.USER)
    show = ir.Clause((RETURN,), None, emits(read))
    model = lowered(MODERN, keep, show, maps=(saved,))
    assert "=+0($arg2):ustring" in definitions(model)[0]
    number = ir.Load(ir.MapValue("p", (tid,), Int(8, False)), 0, Int(4), Space.USER)
    messages = [d.message for d in program_objections(emitting(keep, ir.Clause((RETURN,), None, emits(number)),
                                                               maps=(saved,)), features(MODERN))]  # fmt: skip
    assert any("known only after the event" in message for message in messages)


@pytest.mark.parametrize("symbol", ["a b", "x\n-:g/e", "", "a#b", "é"])
def test_names_that_tracefs_cannot_hold_are_refused(symbol: str) -> None:
    probe = Kprobe("kprobe", "f", symbol)
    host = features(MODERN)
    assert [d.code for d in clause_objections(ir.Clause((probe,), None, emits(PID)), host)] == ["XT0804"]
    with pytest.raises(QuotingError):
        lower(emitting(ir.Clause((probe,), None, emits(PID))), host)
