"""Values longer than a register: strings, tuples, buffers, addresses, user stacks."""

from __future__ import annotations

from xtrace.backends.bcc import layout
from xtrace.backends.bcc.dispatch import condition, fill, region, scalar, store
from xtrace.backends.bcc.handler import Handler
from xtrace.backends.bcc.keys import write_key, write_values
from xtrace.backends.bcc.writer import Literal, Place, Region, part, word
from xtrace.core import ir
from xtrace.core import types as t


def literal(text: str, size: int, big_endian: bool) -> Literal:
    """A string constant's words; it is cut so that a NUL fits into `size` bytes."""
    raw = text.encode("utf-8", "surrogateescape").split(b"\0")[0][: max(size - 1, 0)]
    raw = raw.ljust(layout.words_for(len(raw) + 1) * layout.WORD, b"\0")
    order = "big" if big_endian else "little"
    words = (raw[start : start + layout.WORD] for start in range(0, len(raw), layout.WORD))
    return Literal(tuple(int.from_bytes(one, order) for one in words))  # type: ignore[arg-type]


@region.register
def _(node: ir.Text, handler: Handler) -> Place:
    return literal(node.value, layout.size_of(node.type), handler.host.registers.big_endian)


@fill.register
def _(node: ir.Text, target: Region, handler: Handler) -> None:
    handler.out.copy(target, region(node, handler))


@region.register
def _(node: ir.Var, handler: Handler) -> Place:
    place = handler.vars[node.name]
    assert isinstance(place, Region)
    return place


@fill.register
def _(node: ir.Var, target: Region, handler: Handler) -> None:
    handler.out.copy(target, region(node, handler))


@fill.register
def _(node: ir.MapValue, target: Region, handler: Handler) -> None:
    found = handler.maps.readable(node, handler)
    out = handler.out
    out.zero(target)
    with out.block():
        key = write_key(node.keys, found.key_types, handler)
        out.line(f"{found.leaf} *p = {found.ident}.lookup({key});")
        with out.block("if (p)"):
            out.copy(target, Region("p" if found.leaf == "u64" else "p->w", found.leaf_words))


@fill.register
def _(node: ir.Ternary, target: Region, handler: Handler) -> None:
    with handler.out.block(f"if ({condition(node.condition, handler)})"):
        store(node.then, node.type, target, handler)
    with handler.out.block("else"):
        store(node.otherwise, node.type, target, handler)


@fill.register
def _(node: ir.TupleValue, target: Region, handler: Handler) -> None:
    assert isinstance(node.type, t.Tuple)
    write_values(node.items, node.type.items, target, 0, handler)


@region.register
def _(node: ir.TupleItem, handler: Handler) -> Place:
    base = region(node.base, handler)
    assert isinstance(node.base.type, t.Tuple) and isinstance(base, Region)
    start = sum(layout.words(item) for item in node.base.type.items[: node.index])
    return part(base, start, layout.words(node.type))


@fill.register
def _(node: ir.TupleItem, target: Region, handler: Handler) -> None:
    handler.out.copy(target, region(node, handler))


@fill.register
def _(node: ir.Address, target: Region, handler: Handler) -> None:
    out = handler.out
    if isinstance(node.type, t.Symbol):
        out.line(f"{target.text}[0] = {scalar(node.operand, handler)};")
        out.line(f"{target.text}[1] = bpf_get_current_pid_tgid() >> 32;")
        return
    size = layout.size_of(node.operand.type) if layout.is_region(node.operand.type) else 4
    if layout.is_region(node.operand.type):
        place = region(node.operand, handler)
        out.line(f"{target.text}[0] = {min(size, layout.INET_BYTES)};")
        out.copy(Region(f"({target.text} + 1)", target.words - 1), place)
        return
    shift = " << 32" if handler.host.registers.big_endian else ""
    out.zero(target)
    out.line(f"{target.text}[0] = 4;")
    out.line(f"{target.text}[1] = (u64)(u32){scalar(node.operand, handler)}{shift};")


@fill.register
def _(node: ir.Const, target: Region, handler: Handler) -> None:
    """Only an absent optional field has a constant where something longer is expected."""
    handler.out.zero(target)


# --- comparison --------------------------------------------------------------------------------------------------


@scalar.register
def _(node: ir.Compare, handler: Handler) -> str:
    if not layout.is_region(node.left.type) and not layout.is_region(node.right.type):
        left, right = scalar(node.left, handler), scalar(node.right, handler)
        return f"((u64)({left} {node.op} {right}))"
    left_place, right_place = region(node.left, handler), region(node.right, handler)
    count = _compared_words(left_place, right_place, node.length)
    terms = [_difference(left_place, right_place, index, node.length, handler) for index in range(count)]
    return f"((u64)(({' | '.join(terms) or '0'}) {node.op} 0))"


def _compared_words(left: Place, right: Place, length: int) -> int:
    """Words that decide: a string's last word holds its NUL, so nothing after a constant's end matters."""
    sizes = [len(place.values) for place in (left, right) if isinstance(place, Literal)]
    whole = min(sizes) if sizes else max(place.words for place in (left, right) if isinstance(place, Region))
    return min(whole, layout.words_for(length)) if length else whole


def _difference(left: Place, right: Place, index: int, length: int, handler: Handler) -> str:
    text = f"({word(left, index)} ^ {word(right, index)})"
    kept = length - index * layout.WORD if length else layout.WORD
    if kept >= layout.WORD:
        return text
    mask = (1 << (8 * kept)) - 1
    if handler.host.registers.big_endian:
        mask <<= 64 - 8 * kept
    return f"({text} & {hex(mask)}ULL)"


SEARCH_LIMIT = 256
"""Bytes of text that a search is unrolled over: the code is repeated for each."""


@scalar.register
def _(node: ir.Contains, handler: Handler) -> str:
    if not isinstance(node.part, ir.Text):
        raise handler.refuse("BPF can search for a constant only", node.part.span)
    wanted = node.part.value.encode("utf-8", "surrogateescape")
    size = layout.size_of(node.text.type)
    if size > SEARCH_LIMIT:
        message = f"BPF searches {SEARCH_LIMIT} bytes at most, and this text may have {size}"
        raise handler.refuse(message, node.span, f"read less: str(…, {SEARCH_LIMIT})")
    if not wanted:
        return "1ULL"
    place = region(node.text, handler)
    if isinstance(place, Literal):
        assert isinstance(node.text, ir.Text)
        return "1ULL" if node.part.value in node.text.value else "0ULL"
    return _search(place, wanted, size, handler)


def _search(place: Region, wanted: bytes, size: int, handler: Handler) -> str:
    """Slide a window as long as `wanted`, held in words, over the text."""
    out = handler.out
    found = out.variable()
    chunks = [wanted[max(0, end - layout.WORD) : end] for end in range(len(wanted), 0, -layout.WORD)]
    windows = [out.name("w") for _ in chunks]
    with out.block():
        out.line(f"u64 {', '.join(f'{window} = 0' for window in windows)};")
        out.line("#pragma unroll")
        with out.block(f"for (int i = 0; i < {size}; i++)"):
            for above, below in zip(reversed(windows[1:]), reversed(windows[:-1])):
                out.line(f"{above} = ({above} << 8) | ({below} >> 56);")
            out.line(f"{windows[0]} = ({windows[0]} << 8) | ((u8 *){place.text})[i];")
            tests = (_window_test(window, chunk) for window, chunk in zip(windows, chunks))
            out.line(f"if ({' && '.join(tests)}) {found} = 1;")
    return found


def _window_test(window: str, chunk: bytes) -> str:
    value = int.from_bytes(chunk, "big")
    masked = window if len(chunk) == layout.WORD else f"({window} & {hex((1 << 8 * len(chunk)) - 1)}ULL)"
    return f"{masked} == {hex(value)}ULL"
