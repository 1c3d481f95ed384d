"""Keys and values of map operations, and records: several values one after another in memory."""

from __future__ import annotations

from xtrace.backends.bcc import layout
from xtrace.backends.bcc.dispatch import store
from xtrace.backends.bcc.handler import Handler
from xtrace.backends.bcc.writer import Region
from xtrace.core import ir
from xtrace.core import types as t


def write_key(keys: tuple[ir.Expr, ...], types: tuple[t.CType, ...], handler: Handler) -> str:
    """Write a map key to memory and give C for its address. A map without keys has the key 0."""
    words = max(1, sum(layout.words(kind) for kind in types))
    place = handler.out.slot(words, "k")
    if not keys:
        handler.out.zero(place)
    write_values(keys, types, place, 0, handler)
    return pointer(place)


def pointer(place: Region) -> str:
    """A place as the key or value argument of a map operation."""
    return place.text if place.words == 1 else f"(struct words{place.words} *){place.text}"


def write_values(
    values: tuple[ir.Expr, ...], types: tuple[t.CType, ...], place: Region, start: int, handler: Handler
) -> None:
    """Write values one after another from word `start`."""
    for value, kind in zip(values, types):
        size = layout.words(kind)
        store(value, kind, Region(f"({place.text} + {start})" if start else place.text, size), handler)
        start += size
