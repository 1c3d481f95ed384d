"""Reading memory at numeric offsets: the event record, and kernel or user addresses."""

from __future__ import annotations

from xtrace.backends.bcc import layout
from xtrace.backends.bcc.dispatch import fill, narrowed, region, scalar
from xtrace.backends.bcc.handler import Handler
from xtrace.backends.bcc.writer import Region, word
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.lang.source import Span

COMMON_HEADER = 8
"""The first bytes of a tracepoint's record hold a pointer while a BPF program runs (perf_trace_run_bpf_submit,
kernel/events/core.c): the common fields cannot be read."""


def bits_of(text: str, kind: t.CType, bit_offset: int, bit_size: int) -> str:
    """A bit field of a number: shifted down, masked, and extended by the type's sign."""
    if not bit_size:
        return narrowed(text, kind)
    top = 64 - bit_size
    if layout.signed(kind):
        return f"((u64)((s64)({text} << {top - bit_offset}) >> {top}))"
    return f"(({text} >> {bit_offset}) & {hex((1 << bit_size) - 1)}ULL)"


def space_word(space: t.Space, handler: Handler, span: Span | None) -> str:
    """The part of a reader's name that says where it reads."""
    if space is t.Space.AUTO and handler.host.registers.overlapping:
        raise handler.refuse(
            f"on {handler.host.arch} an address does not tell whether it is the kernel's or a process's",
            span,
            "say so: kptr(...) or uptr(...)",
        )
    return space.value


@scalar.register
def _(node: ir.Load, handler: Handler) -> str:
    space = space_word(node.space, handler, node.span)
    address = scalar(node.base, handler)
    bits = 8 * min(layout.size_of(node.type), layout.WORD)
    at_offset = f"{address} + {node.offset}" if node.offset else address
    return bits_of(f"x_{space}_u{bits}({at_offset})", node.type, node.bit_offset, node.bit_size)


@scalar.register
def _(node: ir.Field, handler: Handler) -> str:
    _check_record(node, handler)
    member = node.member
    if member.location != "inline":
        return _location_address(node, handler)
    size = min(member.size or layout.size_of(node.type), layout.WORD)
    bits = 8 * size
    # The verifier takes aligned loads only (tp_prog_is_valid_access, kernel/trace/bpf_trace.c).
    if member.offset % size == 0 and size in (1, 2, 4, 8):
        text = handler.context(member.offset, member.name, bits)
    else:
        text = f"x_kernel_u{bits}((u64)ctx + {member.offset})"
    return bits_of(text, node.type, member.bit_offset, member.bit_size)


def _check_record(node: ir.Field, handler: Handler) -> None:
    where, member = handler.attach, node.member
    if not isinstance(where, at.Tracepoint):
        raise handler.refuse(f"args.{member.name} is a field of tracepoints only", node.span)
    if member.offset < COMMON_HEADER:
        hint = "use the builtins pid, tid and cpu"
        raise handler.refuse(f"BPF hides the common header, and with it args.{member.name}", node.span, hint)
    if where.system == "syscalls" and member.location != "inline":
        # Linux copies user strings into these records for perf and ftrace only (kernel/trace/trace_syscalls.c,
        # perf_call_bpf_enter): a program gets the plain arguments.
        raise handler.refuse(f"args.{member.name} is not passed to BPF programs", node.span, "use str(args.…)")


def _location_address(node: ir.Field, handler: Handler) -> str:
    """Where a dynamic array lies: the low half of its descriptor, from the record or from the descriptor's end."""
    offset = node.member.offset
    place = f"({handler.context(offset, node.member.name, 32)} & 0xffff)"
    return f"((u64)ctx + {offset + 4 if node.member.location == 'rel_loc' else 0} + {place})"


@fill.register
def _(node: ir.Field, target: Region, handler: Handler) -> None:
    _check_record(node, handler)
    member = node.member
    inline = member.location == "inline"
    address = f"((u64)ctx + {member.offset})" if inline else _location_address(node, handler)
    handler.out.zero(target)
    if isinstance(node.type, t.String):
        size = min(node.type.size, target.words * layout.WORD)
        if inline and member.size:
            size = min(size, member.size + 1)
        handler.out.line(f"bpf_probe_read_kernel_str({target.text}, {size}, (void *){address});")
        return
    start = 1 if isinstance(node.type, (t.Buffer, t.Inet)) else 0
    room = (target.words - start) * layout.WORD
    if inline:
        length = str(min(member.size or room, room))
    else:
        length = handler.out.variable("n")
        handler.out.line(f"{length} = {handler.context(member.offset, member.name, 32)} >> 16;")
    _read_bytes(address, length, room, start, "kernel", target, handler)


@fill.register
def _(node: ir.ReadString, target: Region, handler: Handler) -> None:
    space = space_word(node.space, handler, node.span)
    address = scalar(node.address, handler)
    handler.out.zero(target)
    size = min(layout.size_of(node.type), target.words * layout.WORD)
    handler.out.line(f"x_{space}_string({target.text}, {size}, {address});")


@fill.register
def _(node: ir.Cut, target: Region, handler: Handler) -> None:
    """Read with the length as the reader's bound; text that has been read already is copied by the same helper."""
    out, room = handler.out, layout.size_of(node.type) - 1
    if isinstance(node.text, ir.ReadString):
        reader = f"x_{space_word(node.text.space, handler, node.span)}_string"
        address = scalar(node.text.address, handler)
    else:
        place = _in_memory(node.text, handler)
        reader, address = "x_kernel_string", f"(u64){place.text}"
        room = min(room, place.words * layout.WORD - 1)
    length = out.variable("n")
    out.line(f"{length} = {scalar(node.length, handler)};")
    out.line(f"if ({length} > {room}) {length} = {room};")
    _bounded(length, room, handler)
    out.line(f'asm volatile("%0 += 1" : "+r"({length}));')
    out.zero(target)
    out.line(f"{reader}({target.text}, {length}, {address});")


@scalar.register
def _(node: ir.TextLength, handler: Handler) -> str:
    place = _in_memory(node.text, handler)
    copy = handler.out.slot(place.words)
    length = handler.out.variable("n")
    handler.out.line(f"{length} = x_length({copy.text}, {place.words * layout.WORD}, {place.text});")
    return length


@scalar.register
def _(node: ir.TextByte, handler: Handler) -> str:
    """A string's unused bytes are zero, so one from its end on is 0 by itself."""
    place = region(node.text, handler)
    size = place.words * layout.WORD if isinstance(place, Region) else len(place.values) * layout.WORD
    if node.index >= size:
        return "0ULL"
    inside = node.index % layout.WORD
    shift = 8 * (layout.WORD - 1 - inside if handler.host.registers.big_endian else inside)
    return narrowed(f"({word(place, node.index // layout.WORD)} >> {shift})", node.type)


def _in_memory(text: ir.Expr, handler: Handler) -> Region:
    """A string where a helper can read it."""
    place = region(text, handler)
    if isinstance(place, Region):
        return place
    copy = handler.out.slot(layout.words(text.type))
    handler.out.copy(copy, place)
    return copy


@fill.register
def _(node: ir.ReadBytes, target: Region, handler: Handler) -> None:
    space = space_word(node.space, handler, node.span)
    address = scalar(node.address, handler)
    start = 0 if isinstance(node.type, (t.Array, t.Struct)) else 1
    room = (target.words - start) * layout.WORD
    if isinstance(node.type, t.Buffer):
        room = node.type.size
    if isinstance(node.length, ir.Const):
        length = str(min(max(node.length.value, 0), room))
    else:
        length = handler.out.variable("n")
        handler.out.line(f"{length} = {scalar(node.length, handler)};")
    handler.out.zero(target)
    _read_bytes(address, length, room, start, space, target, handler)


def _read_bytes(address: str, length: str, room: int, start: int, space: str, target: Region, handler: Handler) -> None:
    """At most `room` bytes into `target`, whose first word, if `start` is 1, takes the length."""
    out = handler.out
    if not length.isdigit():
        out.line(f"if ({length} > {room}) {length} = {room};")
        _bounded(length, room, handler)
    if start:
        out.line(f"{target.text}[0] = {length};")
    data = f"{target.text} + {start}" if start else target.text
    out.line(f"x_{space}_bytes({data}, {length}, {address});")


def _bounded(length: str, room: int, handler: Handler) -> None:
    """Keep the bound in the register that a call uses, where the verifier must see it."""
    handler.out.line(f'asm volatile("" : "+r"({length}));')
    handler.out.line(f"if ({length} > {room}) goto done;")
