"""`syscall_name()`: the number of a system call, which means what the ABI of the calling program says it means."""

from __future__ import annotations

from xtrace.core import ir
from xtrace.core.attach import Tracepoint
from xtrace.core.lang import ast
from xtrace.core.lang.source import Span
from xtrace.core.lang.typing.arguments import numeric
from xtrace.core.lang.typing.context import Context
from xtrace.core.lang.typing.kinds import INT64
from xtrace.core.lang.typing.probes import TIMERS
from xtrace.core.lang.typing.registry import function
from xtrace.core.syscall_abi import NATIVE, SHIFT, UNKNOWN
from xtrace.core.types import Enumerated, Int, Unknown

_NAMED = Enumerated("syscall", 8, True)


@function("syscall_name", 1, 1)
def syscall_name(ctx: Context, node: ast.Call) -> ir.Expr:
    """The number with its ABI, which is shown as the name of the system call.

    It is the number of a call that the current task is in. A constant is the kernel's own ABI's.
    """
    number = numeric(ctx, node, 0)
    if isinstance(number.type, Unknown) or number.type == _NAMED:
        return number if number.type == _NAMED else ir.Address(number, _NAMED, node.span)
    abi = ir.Const(NATIVE) if isinstance(number, ir.Const) else _abi(ctx, node.span)
    if abi == ir.Const(NATIVE):
        return ir.Address(number, _NAMED, node.span)
    mark = ir.Const(abi.value << SHIFT) if isinstance(abi, ir.Const) else _shifted(abi, node.span)
    return ir.Address(ir.Binary("+", number, mark, True, INT64, node.span), _NAMED, node.span)


def _shifted(abi: ir.Expr, span: Span) -> ir.Expr:
    return ir.Binary("<<", abi, ir.Const(SHIFT), True, INT64, span)


def _abi(ctx: Context, span: Span) -> ir.Expr:
    """Whose number it is that a clause sees. Timers run in no traced task: what they show was kept by another event.

    The kernel's syscalls:* events leave calls of other ABIs out (ARCH_TRACE_IGNORE_COMPAT_SYSCALLS).
    """
    attach = ctx.attach
    if not ctx.settings.compat_calls() or (isinstance(attach, Tracepoint) and attach.system == "syscalls"):
        return ir.Const(NATIVE)
    if any(kind in TIMERS for kind in ctx.place.kinds):
        return ir.Const(UNKNOWN)
    return ir.Builtin("syscall_abi", Int(1, False), span)
