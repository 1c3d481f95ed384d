"""The functions that write expressions, one per shape of value; the other modules register a case per node.

`scalar` and `condition` give a C expression of type u64 and may write statements first; `store` writes a value of any
shape to memory; `region` gives the memory where a value already lies, or writes it to fresh memory.
"""

from __future__ import annotations

from functools import singledispatch

from xtrace.backends.bcc import layout
from xtrace.backends.bcc.handler import Handler
from xtrace.backends.bcc.writer import Literal, Place, Region
from xtrace.core import ir
from xtrace.core import types as t


@singledispatch
def scalar(node: ir.Expr, handler: Handler) -> str:
    """C for a number. Raises UnsupportedError for a node that BPF cannot compute."""
    raise handler.refuse(f"BPF has no number for {type(node).__name__}", node.span)


def condition(node: ir.Expr, handler: Handler) -> str:
    """C for `node != 0`."""
    text = scalar(node, handler)
    return text if isinstance(node.type, t.Bool) else f"({text} != 0)"


def narrowed(text: str, kind: t.CType) -> str:
    """A number cut to its type's size, then extended by the type's sign."""
    size = layout.size_of(kind)
    if size >= layout.WORD or isinstance(kind, (t.Symbol, t.Stack, t.Timestamp)):
        return text
    bits = 8 * size
    return f"((u64)(s64)(s{bits}){text})" if layout.signed(kind) else f"((u64)(u{bits}){text})"


@singledispatch
def fill(node: ir.Expr, target: Region, handler: Handler) -> None:
    """Write a value that is longer than a register to memory of exactly its type's size."""
    raise handler.refuse(f"BPF cannot keep a {type(node).__name__} in memory", node.span)


@singledispatch
def region(node: ir.Expr, handler: Handler) -> Place:
    """Where a value that is longer than a register lies; it is not changed while the place is used."""
    place = handler.out.slot(layout.words(node.type))
    fill(node, place, handler)
    return place


def store(node: ir.Expr, kind: t.CType, target: Region, handler: Handler) -> None:
    """Write a value to memory as type `kind`, which may be longer or shorter than the value's own."""
    if isinstance(kind, t.Tuple) and isinstance(node.type, t.Tuple) and node.type != kind:
        _store_items(node, kind, target, handler)
    elif not layout.is_region(kind) and not layout.is_region(node.type):
        text = scalar(node, handler)
        wider = layout.size_of(node.type) > layout.size_of(kind)
        handler.out.line(f"{target.text}[0] = {narrowed(text, kind) if wider else text};")
    elif layout.words(node.type) == target.words and not isinstance(node, (ir.Var, ir.Text)):
        fill(node, target, handler)
    else:
        place = region(node, handler)
        handler.out.copy(target, place)
        if isinstance(kind, t.String) and _longer(place, target):
            handler.out.line(f"x_end({target.text}, {target.words});")


def _longer(place: Place, target: Region) -> bool:
    return (len(place.values) if isinstance(place, Literal) else place.words) > target.words


def _store_items(node: ir.Expr, kind: t.Tuple, target: Region, handler: Handler) -> None:
    """A tuple whose items have other sizes than the target's."""
    assert isinstance(node.type, t.Tuple)
    start = 0
    for index, (have, want) in enumerate(zip(node.type.items, kind.items)):
        item = node.items[index] if isinstance(node, ir.TupleValue) else ir.TupleItem(node, index, have, node.span)
        size = layout.words(want)
        store(item, want, Region(f"({target.text} + {start})", size), handler)
        start += size
