"""Keys and values of map operations, and records: several values one after another in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Optional

from xtrace.backends.bcc import layout
from xtrace.backends.bcc.dispatch import store
from xtrace.backends.bcc.handler import Handler
from xtrace.backends.bcc.maps import BpfMap
from xtrace.backends.bcc.writer import Region
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.lang.source import Span


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


@contextmanager
def each_bucket(found: BpfMap, keys: tuple[ir.Expr, ...], span: Optional[Span], handler: Handler) -> Iterator[str]:
    """Lines that are written in this context run for every bucket that a key of a histogram may have; gives C for the
    address of the bucket's own key. Raises UnsupportedError where BPF has no loops (Linux 2589726d12a1, v5.3)."""
    if not handler.host.bounded_loops:
        message = f"a key of the histogram @{found.name} is many entries, and this kernel's BPF has no loops"
        raise handler.refuse(message, span, "clear(@…) empties the whole map")
    out = handler.out
    with out.block():
        place, bucket = out.slot(found.key_words, "k"), out.name("bucket")
        write_values(keys, found.key_types, place, 0, handler)
        with out.block(f"for (int {bucket} = 0; {bucket} < {found.bucket_count}; {bucket}++)"):
            out.line(f"{place.text}[{found.key_words - 1}] = {bucket};")
            yield pointer(place)


def write_values(
    values: tuple[ir.Expr, ...], types: tuple[t.CType, ...], place: Region, start: int, handler: Handler
) -> None:
    """Write values one after another from word `start`."""
    for value, kind in zip(values, types):
        size = layout.words(kind)
        store(value, kind, Region(f"({place.text} + {start})" if start else place.text, size), handler)
        start += size
