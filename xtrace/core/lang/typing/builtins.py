"""The builtins: their types and the probes in which they mean something."""

from __future__ import annotations

import re
from typing import Optional

from xtrace.core import ir
from xtrace.core.attach import Kprobe, Usdt
from xtrace.core.lang import ast
from xtrace.core.lang.source import Span
from xtrace.core.lang.typing.context import Context
from xtrace.core.lang.typing.kinds import INT64, UINT64
from xtrace.core.lang.typing.operators import convert
from xtrace.core.lang.typing.probes import ENTRIES, FUNCTIONS, RETURNS, TIMERS
from xtrace.core.records import dataclass
from xtrace.core.types import CType, Enumerated, Int, Pointer, Space, Stack, String, Struct, Void

_UINT32 = Int(4, False)
_NAME_BYTES = 64


@dataclass(frozen=True)
class _Builtin:
    """`only`: the probe types that have it; `never`: those that do not. `why` words the refusal."""

    type: CType
    only: Optional[frozenset[str]] = None
    never: frozenset[str] = frozenset()
    why: str = ""


BUILTINS: dict[str, _Builtin] = {
    "pid": _Builtin(_UINT32),
    "tid": _Builtin(_UINT32),
    "ppid": _Builtin(_UINT32),
    "comm": _Builtin(String(16)),
    "uid": _Builtin(_UINT32),
    "gid": _Builtin(_UINT32),
    "cpu": _Builtin(_UINT32),
    "nsecs": _Builtin(UINT64),
    "elapsed": _Builtin(UINT64),
    "jiffies": _Builtin(UINT64),
    "rand": _Builtin(_UINT32),
    "ncpus": _Builtin(_UINT32),
    "cpid": _Builtin(_UINT32),
    "cgroup": _Builtin(UINT64),
    "probe": _Builtin(String(_NAME_BYTES)),
    "func": _Builtin(String(_NAME_BYTES), only=FUNCTIONS, why="it is no function; probe names the probe"),
    "kstack": _Builtin(Stack(False), never=TIMERS, why="it runs in xtrace itself, not in a traced task"),
    "ustack": _Builtin(Stack(True), never=TIMERS, why="it runs in xtrace itself, not in a traced task"),
    "curtask": _Builtin(
        Pointer(Struct("task_struct"), Space.KERNEL), never=TIMERS, why="it runs in xtrace itself, not in a traced task"
    ),
}

_UNSUPPORTED = {
    "usermode": "profile stacks tell: ustack is empty in the kernel",
    "numaid": "cpu tells the processor; lscpu maps it to its node",
    "ctx": "args.FIELD and argN give what the context holds",
    "stack": "use kstack",
}
_ARGUMENT = re.compile(r"(s?)arg(\d+)$")
NAMES = (*BUILTINS, "arg0", "arg1", "retval", "args")


def builtin(ctx: Context, name: str, span: Span) -> Optional[ir.Expr]:
    """What a bare name stands for when it is a builtin, else None."""
    found = BUILTINS.get(name)
    if found is not None:
        if (found.only and _lacking(ctx, found.only)) or any(kind in found.never for kind in ctx.place.kinds):
            return ctx.report("XT0208", f"{name} has no meaning in {ctx.place.words()}: {found.why}", span)
        if isinstance(found.type, Stack):
            return ir.Builtin(name, Stack(found.type.user, mode=ctx.settings.stack_mode), span)
        return ir.Builtin(name, found.type, span)
    if name == "retval":
        return _retval(ctx, span)
    if name == "pcomm":
        parent = ast.Member(ast.Name("curtask", span), "real_parent", True, span)
        return ctx.expr(ast.Member(parent, "comm", True, span))
    if name == "username":
        return ir.Address(ir.Builtin("uid", _UINT32, span), Enumerated("user", 4, False), span)
    argument = _ARGUMENT.match(name)
    if argument:
        return _argument(ctx, name, bool(argument.group(1)), int(argument.group(2)), span)
    if name in _UNSUPPORTED:
        return ctx.report("XT0220", f"xtrace does not have the builtin {name}", span, _UNSUPPORTED[name])
    return None


def _lacking(ctx: Context, allowed: frozenset[str]) -> bool:
    return any(kind not in allowed for kind in ctx.place.kinds)


def stays_in_source(ctx: Context, name: str, span: Span) -> Optional[ir.Expr]:
    """A complaint where a named event's clause reaches for what differs between its sources, else None."""
    named = "event" in ctx.place.kinds or ctx.source is not None
    if not named or ctx.inside_source:
        return None
    return ctx.report(
        "XT0208", f"{name} differs between the sources of a named event", span, "its fields go by their bare names"
    )


def _retval(ctx: Context, span: Span) -> ir.Expr:
    refused = stays_in_source(ctx, "retval", span)
    if refused is not None:
        return refused
    if _lacking(ctx, RETURNS):
        hint = "attach to the kretprobe or uretprobe of the function"
        if "tracepoint" in ctx.place.kinds:
            hint = "a sys_exit tracepoint has args.ret"
        return ctx.report("XT0208", f"retval has no meaning in {ctx.place.words()}", span, hint)
    result = ctx.attach.result if isinstance(ctx.attach, Kprobe) else None
    return _register_value(ir.Retval(INT64, span), result, span)


def _argument(ctx: Context, name: str, on_stack: bool, index: int, span: Span) -> ir.Expr:
    refused = stays_in_source(ctx, name, span)
    if refused is not None:
        return refused
    if on_stack:
        return ctx.report("XT0220", "xtrace does not read arguments passed on the stack", span)
    if index > 9:
        return ctx.report("XT0201", f"{name} does not exist: arguments are arg0 to arg9", span)
    if _lacking(ctx, ENTRIES):
        return ctx.report("XT0208", f"{name} has no meaning in {ctx.place.words()}", span, _argument_hint(ctx))
    if isinstance(ctx.attach, Usdt):
        count = min((len(site.arguments) for site in ctx.attach.sites), default=0)
        if index >= count:
            return ctx.report("XT0209", f"{ctx.attach.name} has {count} arguments, so no {name}", span)
    return ir.Arg(index, INT64, span)


def _argument_hint(ctx: Context) -> str:
    if "tracepoint" in ctx.place.kinds:
        return "tracepoint fields are args.NAME; xtrace list -v tracepoint:… names them"
    if any(kind in RETURNS for kind in ctx.place.kinds):
        return "keep it at the entry probe, @arg[tid] = arg0, and read it here"
    return "arguments belong to kprobe, uprobe and usdt"


def parameter(ctx: Context, name: str, span: Span) -> Optional[ir.Expr]:
    """A parameter of the attach point's prototype, or None."""
    attach = ctx.attach
    if not isinstance(attach, Kprobe):
        return None
    for index, known in enumerate(attach.parameters):
        if known.name == name:
            if attach.returns and not attach.trampoline:
                hint = f"keep it at the entry probe, @{name}[tid] = args.{name}, and read it here"
                return ctx.report("XT0208", f"{name} is gone when {attach.function} returns", span, hint)
            return _register_value(ir.Arg(index, INT64, span), known.type, span)
    return None


def _register_value(raw: ir.Expr, type_: Optional[CType], span: Span) -> ir.Expr:
    """What a 64-bit register holds, when its C type is known: the upper bits of a narrower type are garbage."""
    if type_ is None or isinstance(type_, Void):
        return raw
    if isinstance(type_, Pointer) or type_ == INT64:
        return ir.Retval(type_, span) if isinstance(raw, ir.Retval) else _typed_argument(raw, type_, span)
    return convert(raw, type_, span)


def _typed_argument(raw: ir.Expr, type_: CType, span: Span) -> ir.Expr:
    assert isinstance(raw, ir.Arg)
    return ir.Arg(raw.index, type_, span)
