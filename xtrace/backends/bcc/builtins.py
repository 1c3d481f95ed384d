"""The language's builtins as BPF helpers (bpf-helpers(7))."""

from __future__ import annotations

from xtrace.backends.bcc import layout
from xtrace.backends.bcc.dispatch import fill, region, scalar
from xtrace.backends.bcc.handler import Handler
from xtrace.backends.bcc.regions import literal
from xtrace.backends.bcc.writer import Place, Region, number
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.resolve import compat_calls
from xtrace.core.syscall_abi import UNKNOWN

COMM_BYTES = 16
"""TASK_COMM_LEN, include/linux/sched.h."""

_NUMBERS = {
    "pid": "(bpf_get_current_pid_tgid() >> 32)",
    "tid": "(bpf_get_current_pid_tgid() & 0xffffffff)",
    "uid": "(bpf_get_current_uid_gid() & 0xffffffff)",
    "gid": "(bpf_get_current_uid_gid() >> 32)",
    "cpu": "((u64)bpf_get_smp_processor_id())",
    "nsecs": "x_now()",
    "elapsed": "(x_now() - XTRACE_START)",
    "rand": "((u64)(u32)bpf_get_prandom_u32())",
    "ncpus": "XTRACE_CPUS",
    "curtask": "((u64)bpf_get_current_task())",
    "cgroup": "((u64)bpf_get_current_cgroup_id())",
    "jiffies": "((u64)bpf_jiffies64())",
    "kstack": "x_stack(ctx, 0)",
}


@scalar.register
def _(node: ir.Builtin, handler: Handler) -> str:
    if node.name == "cpid":
        return number(handler.program.cpid)
    if node.name == "ppid":
        return _parent(node, handler)
    if node.name == compat_calls.BUILTIN:
        return scalar(compat_calls.current_abi(handler.host.arch, handler.host.types) or ir.Const(UNKNOWN), handler)
    if node.name not in _NUMBERS:
        raise handler.refuse(f"BPF has nothing for the builtin {node.name!r} here", node.span)
    return _NUMBERS[node.name]


def _parent(node: ir.Builtin, handler: Handler) -> str:
    """The thread group id of the task's real parent, by offsets from the host's types."""
    types = handler.host.types
    parent = types.member("task_struct", "real_parent") if types else None
    group = types.member("task_struct", "tgid") if types else None
    if parent is None or group is None:
        hint = "a kernel with BTF (CONFIG_DEBUG_INFO_BTF) tells where they are"
        raise handler.refuse("ppid needs offsets in struct task_struct, which are not known here", node.span, hint)
    task = "(u64)bpf_get_current_task()"
    return f"((u64)x_kernel_u32(x_kernel_u64({task} + {parent.offset}) + {group.offset}))"


@fill.register
def _(node: ir.Builtin, target: Region, handler: Handler) -> None:
    out = handler.out
    if node.name == "comm":
        out.zero(target)
        size = min(COMM_BYTES, target.words * layout.WORD)
        out.line(f"bpf_get_current_comm({target.text}, {size});")
    elif node.name == "ustack":
        out.line(f"{target.text}[0] = x_stack(ctx, 256);")
        out.line(f"{target.text}[1] = bpf_get_current_pid_tgid() >> 32;")
    elif node.name in ("probe", "func"):
        out.copy(target, region(node, handler))
    else:
        raise handler.refuse(f"BPF has nothing for the builtin {node.name!r} here", node.span)


@region.register
def _(node: ir.Builtin, handler: Handler) -> Place:
    if node.name in ("probe", "func"):
        value = handler.attach.name if node.name == "probe" else getattr(handler.attach, "function", "")
        assert isinstance(node.type, t.String)
        return literal(value, node.type.size, handler.host.registers.big_endian)
    place = handler.out.slot(layout.words(node.type))
    fill(node, place, handler)
    return place
