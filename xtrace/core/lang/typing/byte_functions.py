"""Functions of bytes and addresses: `buf`, `ntop`, `bswap`, `ksym`, `kaddr` and their like."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from xtrace.core import ir
from xtrace.core.lang import arithmetic, ast
from xtrace.core.lang.source import Span
from xtrace.core.lang.typing.addresses import packed
from xtrace.core.lang.typing.arguments import numeric, wrong
from xtrace.core.lang.typing.context import Context, unknown
from xtrace.core.lang.typing.kinds import UINT64, is_number, size_of, width
from xtrace.core.lang.typing.memory import Found, Location, address, fetch, locate
from xtrace.core.lang.typing.names import integer, literal
from xtrace.core.lang.typing.operators import combine, retyped
from xtrace.core.lang.typing.registry import function
from xtrace.core.types import (
    Array,
    Buffer,
    Inet,
    Int,
    Pointer,
    Space,
    String,
    Struct,
    Symbol,
    Unknown,
    Void,
)

_INET_SIZES = {4: 2, 16: 10}
"""Bytes of an address and its family: AF_INET, AF_INET6."""
_MAC_BYTES = 6
_MAC = Buffer(_MAC_BYTES, mac=True)


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


@function("macaddr", 1, 1)
def macaddr(ctx: Context, node: ast.Call) -> ir.Expr:
    """The six bytes of a hardware address, from an array or through a pointer."""
    found = locate(ctx, node.args[0])
    if isinstance(found.type, Array) and isinstance(found, Location):
        size = size_of(found.type)
        if size is None or size < _MAC_BYTES:
            return ctx.report("XT0205", f"a hardware address has 6 bytes, not {size}", node.args[0].span)
        if found.record is not None:
            return ir.Field(replace(found.record, size=_MAC_BYTES), _MAC, node.span)
        return ir.ReadBytes(address(found, node.span), ir.Const(_MAC_BYTES), found.space, _MAC, node.span)
    value = fetch(ctx, found, node.args[0])
    if isinstance(value.type, Unknown):
        return ir.Var("", _MAC, node.span)
    if isinstance(value, ir.ReadString):
        return ir.ReadBytes(value.address, ir.Const(_MAC_BYTES), value.space, _MAC, node.span)
    if not is_number(value.type):
        return wrong(ctx, node, 0, value, "the address of 6 bytes, or an array of them")
    return ir.ReadBytes(value, ir.Const(_MAC_BYTES), ctx.space_of(value), _MAC, node.span)


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
    value = numeric(ctx, node, 0)
    if isinstance(value, ir.Const) and value.value == 0:
        return literal(ctx, "0", node.span)  # no symbol lies there; programs begin maps of names with it
    return ir.Address(value, Symbol(False), node.span)


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
        hint = "/proc/kallsyms lists them: of data only with CONFIG_KALLSYMS_ALL, with addresses only for CAP_SYSLOG"
        return ctx.report("XT0201", f"the address of {symbol} is not known here", node.args[0].span, hint)
    return ir.Const(integer(found, node.span).value, UINT64, node.span)


@function("cgroupid", 1, 1)
def cgroupid(ctx: Context, node: ast.Call) -> ir.Expr:
    """The number of a control group, to compare `cgroup` with: looked up before the run."""
    path = ctx.text(node.args[0], "the path of cgroupid()")
    look_up = ctx.settings.cgroup_id
    if path is None or (ctx.hostless and look_up is None):
        return unknown(node.span)
    if look_up is None:
        hint = "plan it on the host itself, or compare cgroup with the number"
        return ctx.report(
            "XT0201", f"a recording does not have the number of the control group {path}", node.span, hint
        )
    try:
        return ir.Const(arithmetic.wrap(look_up(path)), UINT64, node.span)
    except OSError as error:
        hint = "give the directory, like /sys/fs/cgroup/system.slice"
        return ctx.report("XT0205", f"cgroupid(): {path}: {error.strerror}", node.args[0].span, hint)


@function("reg", 1, 1)
def reg(ctx: Context, node: ast.Call) -> ir.Expr:
    name = ctx.text(node.args[0], "the register of reg()")
    if name is None:
        return unknown(node.span)
    if any(kind not in ("kprobe", "kretprobe", "uprobe", "uretprobe", "usdt", "profile") for kind in ctx.place.kinds):
        return ctx.report("XT0208", f"registers have no meaning in {ctx.place.words()}", node.span)
    return ir.Register(name, UINT64, node.span)
