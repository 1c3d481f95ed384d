"""System calls of programs of another ABI than the kernel's own: may there be any, what sees them, and where a task
keeps whose call it is in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Callable, Optional

from xtrace.core import ir
from xtrace.core.attach import Attach, Tracepoint
from xtrace.core.facts.model import HostFacts, TypeSource
from xtrace.core.plan.model import Degradation
from xtrace.core.plan.traverse import all_expressions
from xtrace.core.records import dataclass
from xtrace.core.syscall_abi import COMPAT_NAMES
from xtrace.core.types import Bool, Int, Member, Pointer, Space, Void

BUILTIN = "syscall_abi"


def possible(facts: HostFacts) -> bool:
    """May there be such calls? So it is as long as nothing speaks against it."""
    return facts.arch in COMPAT_NAMES and not facts.fact("kernel.compat").no


def unseen(clauses: Iterable[ir.Clause], facts: HostFacts) -> tuple[Degradation, ...]:
    """What clauses on the `syscalls:` events miss.

    These leave out the calls of other ABIs on every architecture that has any (ARCH_TRACE_IGNORE_COMPAT_SYSCALLS of
    arch/*/include/asm/ftrace.h, since Linux f431b634f24d, v3.9).
    """
    clause = next((one for one in clauses if any(map(_of_own_calls, one.attach))), None)
    if clause is None or not possible(facts):
        return ()
    abi = COMPAT_NAMES[facts.arch]
    whether = "" if facts.fact("kernel.compat").yes else ", if this kernel serves any"
    message = f"system calls of 32-bit programs ({abi}){whether}: the kernel's syscalls:* events leave them out"
    return (Degradation(message, clause.span, minor=True),)


def _of_own_calls(attach: Attach) -> bool:
    return isinstance(attach, Tracepoint) and attach.system == "syscalls"


def untold(program: ir.Program, arch: str, known: Callable[[], bool]) -> tuple[Degradation, ...]:
    """What a program loses with an engine that reads the ABI of calls from the task, unless it is `known` how, which
    is only asked where the program needs it."""
    asked = (
        expr
        for clause in program.clauses
        for expr in all_expressions(clause)
        if isinstance(expr, ir.Builtin) and expr.name == BUILTIN
    )
    first = next(asked, None)
    if first is None or known():
        return ()
    message = f"where tasks keep the ABI of system calls is not known on this {arch}: each has the names of both"
    return (Degradation(message, first.span),)


@dataclass(frozen=True)
class _Kept:
    """Bits of a member that are set while a task is in a call of the other ABI: in a part of its task_struct, or in
    the thread_info at the start of its kernel stack."""

    part: str
    struct: str
    member: str
    bits: int


TS_COMPAT, TIF_32BIT = 1 << 1, 1 << 22
"""arch/x86/include/asm/thread_info.h (processor.h in v4.9 to v4.15), arch/arm64/include/asm/thread_info.h"""

_PLACES = {
    "x86_64": (
        _Kept("thread_info", "thread_info", "status", TS_COMPAT),
        _Kept("thread", "thread_struct", "status", TS_COMPAT),  # Linux b9d989c7218a, v4.9, until 37a8f7c38339, v4.16
        _Kept("stack", "thread_info", "status", TS_COMPAT),  # before Linux 15f4eae70d36, v4.9
    ),
    "aarch64": (
        _Kept("thread_info", "thread_info", "flags", TIF_32BIT),
        _Kept("stack", "thread_info", "flags", TIF_32BIT),  # before Linux c02433dd6de3, v4.10
    ),
}


def current_abi(arch: str, types: Optional[TypeSource]) -> Optional[ir.Expr]:
    """The ABI of the call that the current task is in, read from the task; None where it is not known how."""
    for kept in _PLACES.get(arch, ()) if types else ():
        assert types is not None
        part, member = types.member("task_struct", kept.part), types.member(kept.struct, kept.member)
        if part is not None and member is not None:
            return _test(part, member, kept)
    return None


def _test(part: Member, member: Member, kept: _Kept) -> ir.Expr:
    task: ir.Expr = ir.Builtin("curtask", Pointer(Void()))
    offset = part.offset + member.offset
    if kept.part == "stack":
        task, offset = ir.Load(task, part.offset, Pointer(Void()), Space.KERNEL), member.offset
    flags = ir.Load(task, offset, Int(member.size, False), Space.KERNEL)
    masked = ir.Binary("&", flags, ir.Const(kept.bits), False, Int(8, False))
    return ir.Binary("!=", masked, ir.Const(0), False, Bool())
