"""Functions that give a value: text, bytes, symbols, stacks, times."""

from __future__ import annotations

from typing import Optional

from xtrace.core import ir
from xtrace.core.lang import ast
from xtrace.core.lang.source import Span
from xtrace.core.lang.typing.addresses import packed
from xtrace.core.lang.typing.builtins import builtin
from xtrace.core.lang.typing.context import Context, unknown
from xtrace.core.lang.typing.kinds import UINT64, describe, is_number, size_of, width
from xtrace.core.lang.typing.memory import Found, Location, address, fetch, locate
from xtrace.core.lang.typing.names import integer, literal, positional_text
from xtrace.core.lang.typing.operators import combine, retyped
from xtrace.core.lang.typing.registry import function
from xtrace.core.types import (
    Array,
    Buffer,
    Enumerated,
    Inet,
    Int,
    Pointer,
    Space,
    Stack,
    String,
    Struct,
    Symbol,
    Timestamp,
    Unknown,
    Void,
)

_INET_SIZES = {4: 2, 16: 10}
"""Bytes of an address and its family: AF_INET, AF_INET6."""
_MODES = ("bpftrace", "perf", "raw")
_DEPTH = 127


def wrong(ctx: Context, node: ast.Call, position: int, given: ir.Expr, wants: str, *hints: str) -> ir.Expr:
    """Complain that argument `position` has a type that the function does not take."""
    words = describe(given.type)
    article = "an" if words[0] in "aeio" else "a"
    message = f"{node.function}() takes {wants}, not {article} {words}"
    return ctx.report("XT0205", message, node.args[position].span, *hints)


def numeric(ctx: Context, node: ast.Call, position: int) -> ir.Expr:
    """An argument that must be a number."""
    value = ctx.value(node.args[position], f"in {node.function}()")
    return value if is_number(value.type) else wrong(ctx, node, position, value, "a number")


def textual(ctx: Context, node: ast.Call, position: int) -> ir.Expr:
    """An argument that must be text."""
    value = ctx.value(node.args[position], f"in {node.function}()")
    if isinstance(value.type, (String, Unknown)):
        return value
    return wrong(ctx, node, position, value, "a string", "str() reads the text at an address")


# --- text --------------------------------------------------------------------------------------------------------


@function("str", 1, 2)
def str_(ctx: Context, node: ast.Call) -> ir.Expr:
    return _read_string(ctx, node, None)


@function("kstr", 1, 2)
def kstr(ctx: Context, node: ast.Call) -> ir.Expr:
    return _read_string(ctx, node, Space.KERNEL)


@function("ustr", 1, 2)
def ustr(ctx: Context, node: ast.Call) -> ir.Expr:
    return _read_string(ctx, node, Space.USER)


def _read_string(ctx: Context, node: ast.Call, space: Optional[Space]) -> ir.Expr:
    limit = ctx.settings.config.max_strlen
    if len(node.args) > 1:
        length = _length(ctx, node)
        limit = min(limit, length + 1) if length is not None else limit
    subject = node.args[0]
    if isinstance(subject, ast.Positional):
        parameters = ctx.settings.parameters
        if parameters is None:
            return ir.Var("", String(limit), node.span)
        return literal(ctx, positional_text(parameters, subject.index)[: limit - 1], node.span)
    found = locate(ctx, subject)
    if isinstance(found, Location) and isinstance(found.type, Array) and found.record is None:
        size = min(limit, size_of(found.type) or limit)
        return ir.ReadString(address(found, node.span), space or found.space, String(size), node.span)
    value = fetch(ctx, found, subject)
    if isinstance(value.type, String):
        return _cut(value, limit)
    if isinstance(value.type, Buffer) and isinstance(value, ir.Field):
        return ir.Field(value.member, String(limit), node.span)
    if not is_number(value.type):
        return wrong(ctx, node, 0, value, "an address")
    return ir.ReadString(value, space or ctx.space_of(value), String(limit), node.span)


def _cut(value: ir.Expr, limit: int) -> ir.Expr:
    """A string that is already one, where `str()` is asked for fewer bytes of it."""
    if isinstance(value, ir.ReadString) and isinstance(value.type, String) and value.type.size > limit:
        return ir.ReadString(value.address, value.space, String(limit), value.span)
    return value


def _length(ctx: Context, node: ast.Call) -> Optional[int]:
    typed = numeric(ctx, node, 1)
    if isinstance(typed, ir.Const):
        if typed.value >= 0:
            return typed.value
        ctx.report("XT0205", f"{node.function}() takes a length of 0 or more", node.args[1].span)
    elif not isinstance(typed.type, Unknown):
        hint = "buf(address, length) takes a length known at run time only"
        ctx.report("XT0223", f"the length of {node.function}() must be a constant", node.args[1].span, hint)
    return None


@function("strncmp", 3, 3)
def strncmp(ctx: Context, node: ast.Call) -> ir.Expr:
    """0 where the first bytes are equal, as in C."""
    left, right = ctx.in_order([lambda: textual(ctx, node, 0), lambda: textual(ctx, node, 1)])
    length = ctx.constant(node.args[2], "the length of strncmp()")
    if length is None:
        return unknown(node.span)
    if length < 0:
        return ctx.report("XT0205", "strncmp() takes a length of 0 or more", node.args[2].span)
    if isinstance(left, ir.Text) and isinstance(right, ir.Text):
        return integer(int(left.value[:length] != right.value[:length]), node.span)
    if length == 0:
        return integer(0, node.span)
    return ir.Compare("!=", left, right, length, span=node.span)


@function("strcontains", 2, 2)
def strcontains(ctx: Context, node: ast.Call) -> ir.Expr:
    whole, part = ctx.in_order([lambda: textual(ctx, node, 0), lambda: textual(ctx, node, 1)])
    if isinstance(whole, ir.Text) and isinstance(part, ir.Text):
        return integer(int(part.value in whole.value), node.span)
    return ir.Contains(whole, part, span=node.span)


# --- bytes and addresses -----------------------------------------------------------------------------------------


@function("buf", 1, 2)
def buf(ctx: Context, node: ast.Call) -> ir.Expr:
    limit = ctx.settings.config.max_strlen
    found = locate(ctx, node.args[0])
    array = isinstance(found, Location) and isinstance(found.type, Array)
    if isinstance(found, Location) and found.record is not None and array:
        return fetch(ctx, Location(found.type, found.space, record=found.record), node.args[0])
    size: Optional[int] = size_of(found.type) if array else None
    length: ir.Expr = ir.Const(size or limit, span=node.span)
    if len(node.args) > 1:
        length = numeric(ctx, node, 1)
        size = length.value if isinstance(length, ir.Const) else limit
    elif size is None and not isinstance(found.type, Unknown):
        return ctx.report("XT0204", "buf(address, length) needs the length; only arrays know theirs", node.span)
    kind = Buffer(max(1, size or limit))
    if isinstance(found, Location) and (array or isinstance(found.type, Struct)):
        return ir.ReadBytes(address(found, node.span), length, found.space, kind, node.span)
    value = fetch(ctx, found, node.args[0])
    if isinstance(value, ir.ReadString):
        return ir.ReadBytes(value.address, length, value.space, kind, node.span)
    if not is_number(value.type):
        return wrong(ctx, node, 0, value, "an address")
    return ir.ReadBytes(value, length, ctx.space_of(value), kind, node.span)


@function("syscall_name", 1, 1)
def syscall_name(ctx: Context, node: ast.Call) -> ir.Expr:
    """The number itself, which is shown as the name of the system call by the host's own 64-bit ABI."""
    return ir.Address(numeric(ctx, node, 0), Enumerated("syscall", 8, True), node.span)


@function("ntop", 1, 2)
def ntop(ctx: Context, node: ast.Call) -> ir.Expr:
    """The family decides nothing that the size of the address does not: 4 bytes or 16."""
    family = numeric(ctx, node, 0) if len(node.args) > 1 else None
    subject = node.args[-1]
    found = locate(ctx, subject)
    if isinstance(found.type, Array):
        return _ntop_bytes(ctx, node, found, found.type, family)
    value = fetch(ctx, found, subject)
    if isinstance(value.type, Inet):
        return value
    if isinstance(value.type, (Buffer, String)) and isinstance(value, ir.Field):
        return ir.Field(value.member, Inet(), node.span)
    if not is_number(value.type):
        return wrong(ctx, node, len(node.args) - 1, value, "an address as a number or as 4 or 16 bytes")
    if isinstance(value.type, Unknown):
        return ir.Var("", Inet(), node.span)
    if _contradicts(family, 4):
        return ctx.report(
            "XT0205", "an IPv6 address is 16 bytes, not a number", subject.span, "give the array of bytes"
        )
    return ir.Address(value, Inet(), node.span)


def _ntop_bytes(ctx: Context, node: ast.Call, found: Found, array: Array, family: Optional[ir.Expr]) -> ir.Expr:
    size = size_of(array) or 0
    span = node.args[-1].span
    if size not in _INET_SIZES or not isinstance(found, Location):
        return ctx.report("XT0205", f"an address has 4 or 16 bytes, not {size}", span)
    if _contradicts(family, size):
        return ctx.report("XT0205", f"the family says otherwise than the {size} bytes of the address", span)
    if found.record is not None:
        return ir.Field(found.record, Inet(), node.span)
    return ir.ReadBytes(address(found, node.span), ir.Const(size), found.space, Inet(), node.span)


def _contradicts(family: Optional[ir.Expr], size: int) -> bool:
    return isinstance(family, ir.Const) and family.value != _INET_SIZES[size]


@function("pton", 1, 1)
def pton(ctx: Context, node: ast.Call) -> ir.Expr:
    """An address to compare with: `ntop(sk->…) == pton("10.0.0.1")`. The text itself, once it is known to be one."""
    text = ctx.text(node.args[0], "the address of pton()")
    if text is None or packed(ctx, text, node.args[0].span) is None:
        return unknown(node.span)
    return literal(ctx, text, node.span)


@function("bswap", 1, 1)
def bswap(ctx: Context, node: ast.Call) -> ir.Expr:
    """The bytes of an integer in the other order, by its own size."""
    value = numeric(ctx, node, 0)
    if isinstance(value.type, Unknown):
        return unknown(node.span)
    size = width(value.type)
    if size == 1:
        return value
    if size == 8 and not isinstance(value, (ir.Const, ir.Var, ir.Arg, ir.Retval, ir.Field)):
        value = ctx.keep(value)
    swapped = _swap(ctx, value, size, node.span)
    return retyped_integer(swapped, size, node.span)


def _swap(ctx: Context, value: ir.Expr, size: int, span: Span) -> ir.Expr:
    result: Optional[ir.Expr] = None
    plain = retyped(value, UINT64, span) if width(value.type) == 8 else value
    for index in range(size):
        byte = plain
        if index:
            byte = combine(ctx, ">>", byte, ir.Const(8 * index, span=span), span)
        byte = combine(ctx, "&", byte, ir.Const(0xFF, span=span), span)
        shift = 8 * (size - 1 - index)
        if shift:
            byte = combine(ctx, "<<", byte, ir.Const(shift, span=span), span)
        result = byte if result is None else combine(ctx, "|", result, byte, span)
    assert result is not None
    return result


def retyped_integer(value: ir.Expr, size: int, span: Span) -> ir.Expr:
    """An expression whose value fits `size` bytes, as an unsigned integer of that size."""
    type_ = Int(size, False)
    if isinstance(value, ir.Const):
        return ir.Const(value.value, type_, span)
    return retyped(value, type_, span) if size == 8 else ir.Convert(value, type_, span)


@function("kptr", 1, 1)
def kptr(ctx: Context, node: ast.Call) -> ir.Expr:
    return _in_space(ctx, node, Space.KERNEL)


@function("uptr", 1, 1)
def uptr(ctx: Context, node: ast.Call) -> ir.Expr:
    return _in_space(ctx, node, Space.USER)


def _in_space(ctx: Context, node: ast.Call, space: Space) -> ir.Expr:
    value = numeric(ctx, node, 0)
    if isinstance(value.type, Unknown):
        return value
    to = value.type.to if isinstance(value.type, Pointer) else Void()
    return retyped(value, Pointer(to, space), node.span)


@function("ksym", 1, 1)
def ksym(ctx: Context, node: ast.Call) -> ir.Expr:
    return ir.Address(numeric(ctx, node, 0), Symbol(False), node.span)


@function("usym", 1, 1)
def usym(ctx: Context, node: ast.Call) -> ir.Expr:
    return ir.Address(numeric(ctx, node, 0), Symbol(True), node.span)


@function("kaddr", 1, 1)
def kaddr(ctx: Context, node: ast.Call) -> ir.Expr:
    """The address of a kernel symbol, looked up before the run."""
    symbol = ctx.text(node.args[0], "the symbol of kaddr()")
    look_up = ctx.settings.kernel_address
    if symbol is None or (ctx.hostless and look_up is None):
        return unknown(node.span)
    found = look_up(symbol) if look_up is not None else None
    if not found:
        hint = "/proc/kallsyms lists the symbols; it hides addresses from users without CAP_SYSLOG"
        return ctx.report("XT0201", f"the address of {symbol} is not known here", node.args[0].span, hint)
    return ir.Const(integer(found, node.span).value, UINT64, node.span)


@function("reg", 1, 1)
def reg(ctx: Context, node: ast.Call) -> ir.Expr:
    name = ctx.text(node.args[0], "the register of reg()")
    if name is None:
        return unknown(node.span)
    if any(kind not in ("kprobe", "kretprobe", "uprobe", "uretprobe", "usdt", "profile") for kind in ctx.place.kinds):
        return ctx.report("XT0208", f"registers have no meaning in {ctx.place.words()}", node.span)
    return ir.Register(name, UINT64, node.span)


# --- stacks and times --------------------------------------------------------------------------------------------


@function("kstack", 0, 2)
def kstack(ctx: Context, node: ast.Call) -> ir.Expr:
    return _stack(ctx, node, False)


@function("ustack", 0, 2)
def ustack(ctx: Context, node: ast.Call) -> ir.Expr:
    return _stack(ctx, node, True)


def _stack(ctx: Context, node: ast.Call, user: bool) -> ir.Expr:
    """`kstack(depth)`, `kstack(mode)`, `kstack(mode, depth)`"""
    base = builtin(ctx, node.function, node.span)
    assert base is not None
    if isinstance(base.type, Unknown):
        return base
    mode, depth = ctx.settings.stack_mode, _DEPTH
    for arg in node.args:
        if isinstance(arg, ast.Name) and arg.name in _MODES:
            mode = arg.name
        elif isinstance(arg, ast.Name) and arg.name == "build_id":
            return ctx.report("XT0220", "xtrace does not have the stack mode build_id", arg.span, "perf or raw")
        else:
            depth = _depth(ctx, arg, node.function)
    return ir.Builtin(node.function, Stack(user, depth, mode), node.span)


def _depth(ctx: Context, arg: ast.Expr, name: str) -> int:
    depth = ctx.constant(arg, f"the depth of {name}()")
    if depth is not None and not 1 <= depth <= _DEPTH:
        # Linux limits a stack trace to kernel.perf_event_max_stack = 127 frames (PERF_MAX_STACK_DEPTH).
        ctx.report("XT0205", f"{name}() takes 1 to {_DEPTH} frames", arg.span)
    return depth if depth is not None else _DEPTH


@function("strftime", 2, 2)
def strftime(ctx: Context, node: ast.Call) -> ir.Expr:
    format_ = ctx.text(node.args[0], "the format of strftime()")
    value = numeric(ctx, node, 1)
    return ir.Address(value, Timestamp(format_ or ""), node.span)


@function("nsecs", 0, 1)
def nsecs(ctx: Context, node: ast.Call) -> ir.Expr:
    """Only the boot clock: what every engine can stamp events with."""
    if node.args and not (isinstance(node.args[0], ast.Name) and node.args[0].name == "boot"):
        hint = "nsecs is the boot clock; strftime(format, nsecs) shows the time of day"
        return ctx.report("XT0220", "xtrace reads no other clock than nsecs(boot)", node.args[0].span, hint)
    return ir.Builtin("nsecs", UINT64, node.span)


@function("len", 1, 1)
def len_(ctx: Context, node: ast.Call) -> ir.Expr:
    subject = node.args[0]
    if isinstance(subject, ast.MapRef) and not subject.keys:
        ctx.tables.mark_read(subject.name, subject.span)
        return ir.MapLength(subject.name, span=node.span)
    typed = ctx.value(subject, "in len()")
    if isinstance(typed, ir.Text):
        return integer(len(typed.value.encode("utf-8", "surrogateescape")), node.span)
    if isinstance(typed.type, Unknown):
        return typed
    return ctx.report("XT0220", f"xtrace counts the entries of a map, not of a {describe(typed.type)}", node.span)


@function("has_key", 2, None)
def has_key(ctx: Context, node: ast.Call) -> ir.Expr:
    """`has_key(@m, key)`; several keys are a tuple or, as xtrace also takes them, several arguments."""
    from xtrace.core.lang.typing.maps import typed_keys

    subject = node.args[0]
    if not isinstance(subject, ast.MapRef) or subject.keys:
        return ctx.report("XT0205", "has_key(@map, key) takes a map", subject.span)
    keys = typed_keys(ctx, ast.MapRef(subject.name, node.args[1:], node.span))
    ctx.tables.mark_read(subject.name, subject.span)
    return ir.MapHasKey(subject.name, keys, span=node.span)
