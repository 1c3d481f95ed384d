"""Reading memory and event records: `args.x`, `ptr->member`, `*ptr`, `ptr[i]`, and tuples' items.

A chain of members is first a `Location` (an address and a number of bytes after it, or a piece of the event's record);
only where a value is needed does it become a read. So nested structs cost one read, with their offsets added.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Optional, Union

from xtrace.core import ir
from xtrace.core.attach import Kprobe, Tracepoint
from xtrace.core.lang import ast
from xtrace.core.lang.source import Span
from xtrace.core.lang.typing.builtins import parameter, stays_in_source
from xtrace.core.lang.typing.context import Context, unknown
from xtrace.core.lang.typing.kinds import (
    INTEGERS,
    UINT64,
    describe,
    is_char_array,
    is_number,
    size_of,
)
from xtrace.core.lang.typing.names import bound_expression
from xtrace.core.lang.typing.operators import combine, offset_pointer
from xtrace.core.lang.typing.probes import RECORDS
from xtrace.core.lang.typing.registry import expression
from xtrace.core.records import dataclass
from xtrace.core.types import Array, Buffer, CType, Int, Member, Pointer, Space, String, Struct, Tuple, Unknown, Void


@dataclass(frozen=True)
class Location:
    """Memory at `base + offset` in `space`, or where `record` is set that piece of the event's record."""

    type: CType
    space: Space
    base: Optional[ir.Expr] = None
    offset: int = 0
    bit_offset: int = 0
    bit_size: int = 0
    record: Optional[Member] = None


Found = Union[Location, ir.Expr]


def locate(ctx: Context, node: ast.Expr) -> Found:
    """Where a member, element or pointee lies; for other nodes their value."""
    if isinstance(node, ast.Member):
        if isinstance(node.base, ast.Name) and node.base.name == "args":
            return _args_field(ctx, node)
        return _member(ctx, node)
    if isinstance(node, ast.Index):
        return _element(ctx, node)
    if isinstance(node, ast.Unary) and node.op == "*":
        return _pointee(ctx, node)
    bound = bound_expression(ctx, node)
    if bound is not None:
        with ctx.in_source(bound[1]):
            return locate(ctx, bound[0])
    return ctx.value(node, "as a pointer")


@expression(ast.Member)
def member(ctx: Context, node: ast.Member) -> ir.Expr:
    return fetch(ctx, locate(ctx, node), node)


@expression(ast.Index)
def index(ctx: Context, node: ast.Index) -> ir.Expr:
    return fetch(ctx, locate(ctx, node), node)


# --- from a location to a value ----------------------------------------------------------------------------------


def fetch(ctx: Context, found: Found, node: ast.Expr) -> ir.Expr:
    """The value at a location. C's char arrays are strings."""
    if not isinstance(found, Location):
        return found
    type_ = found.type
    if isinstance(type_, (Struct, Void)):
        hint = "take one of its members" if isinstance(type_, Struct) else "cast the pointer to what it points to"
        return ctx.report("XT0232", f"{node.span.text} is a whole {_words(type_)}, not a value", node.span, hint)
    if found.record is not None:
        return _record_value(ctx, found, node.span)
    if isinstance(type_, Unknown):
        return ctx.report("XT0211", f"the type of {node.span.text} is not known here", node.span)
    assert found.base is not None
    if isinstance(type_, (*INTEGERS, Pointer)):
        result = _pointing(found) if isinstance(type_, Pointer) else type_
        return ir.Load(found.base, found.offset, result, found.space, found.bit_offset, found.bit_size, node.span)
    where = address(found, node.span)
    if isinstance(type_, String) or is_char_array(type_):
        return ir.ReadString(where, found.space, String(size_of(type_) or 1), node.span)
    return ir.ReadBytes(where, ir.Const(size_of(type_) or 0), found.space, type_, node.span)


def _words(type_: CType) -> str:
    return "void" if isinstance(type_, Void) else describe(type_)


def _pointing(found: Location) -> CType:
    """A pointer found in user memory points to user memory."""
    assert isinstance(found.type, Pointer)
    if found.space is Space.USER and found.type.space is Space.KERNEL:
        return Pointer(found.type.to, Space.USER)
    return found.type


def address(found: Location, span: Span) -> ir.Expr:
    """The address of a location in memory."""
    assert found.base is not None
    if found.offset == 0:
        return found.base
    return ir.Binary("+", found.base, ir.Const(found.offset), False, UINT64, span)


def _record_value(ctx: Context, found: Location, span: Span) -> ir.Expr:
    record = found.record
    assert record is not None
    type_ = found.type
    if record.location != "inline":
        limit = ctx.settings.config.max_strlen
        textual = isinstance(type_, String) or type_ == Int(1, True) or is_char_array(type_)
        type_ = String(limit) if textual else Buffer(limit)
    elif isinstance(type_, Array) and is_char_array(type_):
        type_ = String(type_.count)
    elif isinstance(type_, Unknown):
        type_ = Int(record.size, False) if record.size in (1, 2, 4, 8) else Buffer(max(record.size, 1))
    return ir.Field(record, type_, span)


# --- args --------------------------------------------------------------------------------------------------------


def _args_field(ctx: Context, node: ast.Member) -> Found:
    refused = stays_in_source(ctx, f"args.{node.name}", node.span)
    if refused is not None:
        return refused
    lacking = [kind for kind in ctx.place.kinds if kind not in RECORDS]
    if lacking:
        message = f"args has no meaning in {ctx.place.words()}"
        return ctx.report("XT0208", message, node.base.span, *_args_hint(lacking[0]))
    attach = ctx.attach
    if attach is None:
        return unknown(node.span)
    if isinstance(attach, Tracepoint):
        return _tracepoint_field(ctx, attach, node)
    found = parameter(ctx, node.name, node.span)
    if found is not None:
        return found
    known = [one.name for one in attach.parameters] if isinstance(attach, Kprobe) else []
    if not known:
        message = f"the arguments of {attach.name} have no names here"
        return ctx.report("XT0209", message, node.span, "use arg0, arg1, …")
    hints = ctx.near(node.name, known) or (f"it has {', '.join(known)}",)
    return ctx.report("XT0209", f"{attach.name} has no argument {node.name}", node.span, *hints)


def _args_hint(kind: str) -> tuple[str, ...]:
    if kind == "usdt":
        return ("a USDT probe's arguments are arg0, arg1, …",)
    if kind in ("kretprobe", "uretprobe"):
        return ("keep arguments at the entry probe in a map, @arg[tid] = arg0, and read it here",)
    return ()


def _tracepoint_field(ctx: Context, attach: Tracepoint, node: ast.Member) -> Found:
    for known in attach.fields:
        if known.name == node.name:
            return Location(_field_type(attach, known.type), Space.KERNEL, record=known)
    names = [known.name for known in attach.fields]
    if not names:
        message = f"the format of {attach.name} could not be read, so its fields are not known"
        return ctx.report("XT0209", message, node.span, "run xtrace as root, or give facts that hold event formats")
    hints = ctx.near(node.name, names) or (f"it has {', '.join(names)}",)
    return ctx.report("XT0209", f"{attach.name} has no field {node.name}", node.span, *hints)


def _field_type(attach: Tracepoint, type_: CType) -> CType:
    """Pointers that a system call was given point to user memory, whatever the format file says."""
    if isinstance(type_, Pointer) and attach.system == "syscalls":
        return Pointer(type_.to, Space.USER)
    return type_


# --- members, elements, pointees ---------------------------------------------------------------------------------


def _member(ctx: Context, node: ast.Member) -> Found:
    base = locate(ctx, node.base)
    if node.name.isdigit():
        return _tuple_item(ctx, base, node)
    if isinstance(base.type, Unknown) and not isinstance(base, Location):
        return base
    if isinstance(base, Location) and isinstance(base.type, Struct):
        return _member_of(ctx, base, base.type, node)
    value = fetch(ctx, base, node.base)
    if isinstance(value.type, Unknown):
        return value
    if not isinstance(value.type, Pointer) or not isinstance(value.type.to, Struct):
        message = f"{node.base.span.text} is {_article(value.type)}, so it has no member {node.name}"
        return ctx.report("XT0212", message, node.span, f"cast it: ((struct NAME *){node.base.span.text})->{node.name}")
    return _member_of(ctx, Location(value.type.to, value.type.space, value), value.type.to, node)


def _article(type_: CType) -> str:
    words = describe(type_)
    return f"{'an' if words[0] in 'aeiou' and not words.startswith('u') else 'a'} {words}"


def _member_of(ctx: Context, base: Location, struct: Struct, node: ast.Member) -> Found:
    found = ctx.types.member(struct.name, node.name)
    if found is None:
        return _no_member(ctx, struct, node)
    if base.record is not None:
        name = f"{base.record.name}.{node.name}"
        piece = replace(found, name=name, offset=base.record.offset + found.offset)
        return replace(base, type=found.type, record=piece)
    return replace(
        base,
        type=found.type,
        offset=base.offset + found.offset,
        bit_offset=found.bit_offset,
        bit_size=found.bit_size,
    )


def _no_member(ctx: Context, struct: Struct, node: ast.Member) -> ir.Expr:
    names = [known.name for known in ctx.types.members(struct.name) if known.name]
    words = describe(struct)
    if not names:
        if ctx.hostless:
            return unknown(node.span)
        hint = "BTF, debuginfo or kernel headers would tell: xtrace doctor --check XT-TYPES says how to get them"
        return ctx.report("XT0211", f"the members of {words} are not known here", node.span, hint)
    return ctx.report("XT0210", f"{words} has no member {node.name}", node.span, *ctx.near(node.name, names))


def _tuple_item(ctx: Context, base: Found, node: ast.Member) -> ir.Expr:
    value = fetch(ctx, base, node.base)
    if isinstance(value.type, Unknown):
        return value
    position = int(node.name)
    if not isinstance(value.type, Tuple):
        return ctx.report("XT0212", f"{node.base.span.text} is {_article(value.type)}, not a tuple", node.span)
    if position >= len(value.type.items):
        message = f"this tuple has {len(value.type.items)} items, numbered from 0"
        return ctx.report("XT0212", message, node.span)
    if isinstance(value, ir.TupleValue):
        return value.items[position]
    return ir.TupleItem(value, position, value.type.items[position], node.span)


def _element(ctx: Context, node: ast.Index) -> Found:
    base = locate(ctx, node.base)
    count = ctx.value(node.index, "as an index")
    if not is_number(count.type):
        return ctx.report("XT0206", f"an index is a number, not {_article(count.type)}", node.index.span)
    if isinstance(base, Location) and isinstance(base.type, Array):
        return _array_element(ctx, base, base.type, count, node)
    value = fetch(ctx, base, node.base)
    if isinstance(value.type, Unknown):
        return value
    if isinstance(value.type, Pointer):
        moved = offset_pointer(ctx, "+", value, count, node.span)
        return Location(value.type.to, value.type.space, moved) if isinstance(moved.type, Pointer) else moved
    if isinstance(value.type, String):
        return _character(ctx, value, count, node)
    return ctx.report("XT0212", f"{node.base.span.text} is {_article(value.type)}, not an array", node.span)


def _character(ctx: Context, text: ir.Expr, count: ir.Expr, node: ast.Index) -> ir.Expr:
    """One byte of a string, a number as C's char is."""
    if isinstance(count.type, Unknown):
        return ir.Var("", Int(1, True), node.span)
    if not isinstance(count, ir.Const):
        return ctx.report("XT0223", "an index into a string must be a constant", node.index.span)
    if count.value < 0:
        return ctx.report("XT0205", "an index into a string is 0 or more", node.index.span)
    if isinstance(text, ir.Text):
        byte = text.value.encode("utf-8", "surrogateescape")[count.value : count.value + 1]
        return ir.Const(int.from_bytes(byte, "little", signed=True), Int(1, True), node.span)
    return ir.TextByte(text, count.value, span=node.span)


def _array_element(ctx: Context, base: Location, array: Array, count: ir.Expr, node: ast.Index) -> Found:
    size = size_of(array.of)
    if not size:
        return ctx.report("XT0211", f"the size of {describe(array.of)} is not known", node.span)
    if base.record is not None and base.record.location != "inline":
        return ctx.report("XT0220", "xtrace does not index the arrays of varying length in a record", node.span)
    if isinstance(count, ir.Const):
        if array.count and not 0 <= count.value < array.count:
            message = f"{node.base.span.text} has {array.count} elements, numbered from 0"
            return ctx.report("XT0212", message, node.index.span)
        return _constant_element(base, array, size, count.value)
    if base.record is not None:
        return ctx.report("XT0223", "an index into the event's record must be a constant", node.index.span)
    step = combine(ctx, "*", count, ir.Const(size), node.span)
    start = address(base, node.span)
    moved = ir.Binary("+", start, step, False, UINT64, node.span)
    return Location(array.of, base.space, moved)


def _constant_element(base: Location, array: Array, size: int, position: int) -> Location:
    if base.record is None:
        return replace(base, type=array.of, offset=base.offset + position * size)
    record = base.record
    piece = Member(f"{record.name}[{position}]", array.of, record.offset + position * size, size)
    return replace(base, type=array.of, record=piece)


def _pointee(ctx: Context, node: ast.Unary) -> Found:
    value = fetch(ctx, locate(ctx, node.operand), node.operand)
    if isinstance(value.type, Unknown):
        return value
    if isinstance(value.type, Pointer):
        return Location(value.type.to, value.type.space, value)
    if isinstance(value.type, Int):
        return Location(UINT64, ctx.place.cast_space, value)
    return ctx.report("XT0212", f"{node.operand.span.text} is {_article(value.type)}, not a pointer", node.span)
