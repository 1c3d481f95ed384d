"""Pages walked together give what pages walked one by one give."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ftrace.test_ring_buffer import KIND, VALUE, event, page
from xtrace.backends.ftrace.decode import layout_of
from xtrace.backends.ftrace.lockstep import lock_step
from xtrace.backends.ftrace.ring_buffer import FEW_PAGES, Extractor, PageFormat, PageReader, Record
from xtrace.core.types import Int, Member

pytest.importorskip("numpy", reason="numpy is not installed")

OTHER, DYNAMIC = 301, 302
EXTRACTOR = layout_of((VALUE,)).extractor
EXTRACTORS = {
    KIND: EXTRACTOR,
    OTHER: layout_of((Member("value", Int(4, False), 8, 4),)).extractor,
    DYNAMIC: Extractor(EXTRACTOR.extract),
}


def large(delta: int, value: int) -> bytes:
    payload = struct.pack("=HBBiq", KIND, 0, 0, 8, value) + b"\0" * 200
    return struct.pack("=II", delta << 5, len(payload) + 4) + payload


def padding(delta: int) -> bytes:
    return struct.pack("=II", delta << 5 | 29, 8) + b"\0" * 4


DELTAS, VALUES = st.integers(0, (1 << 27) - 1), st.integers(-(1 << 63), (1 << 63) - 1)
PARTS = st.one_of(
    st.builds(event, DELTAS, VALUES),
    st.builds(lambda d, v, k, extra: event(d, v, kind=k, extra=extra), DELTAS, VALUES,
              st.sampled_from((OTHER, DYNAMIC, 999)), st.sampled_from((0, 4, 8))),
    st.builds(large, DELTAS, VALUES),
    st.builds(padding, st.integers(1, 100)),
    st.builds(lambda d, high: struct.pack("=II", d << 5 | 30, high), DELTAS, st.integers(0, 1 << 20)),
    st.builds(lambda d, high: struct.pack("=II", d << 5 | 31, high), DELTAS, st.integers(0, (1 << 32) - 1)),
    st.just(struct.pack("=I", 29)),
)  # fmt: skip
PAGES = st.lists(st.lists(PARTS, max_size=15), min_size=FEW_PAGES, max_size=FEW_PAGES + 4)


def read(pages: Sequence[bytes], together: bool, set_aside: Sequence[int] = ()) -> tuple[list[Record], int]:
    reader = PageReader(3, EXTRACTORS, PageFormat(), set_aside)
    reader.lock_step = lock_step() if together else None
    records: list[Record] = []
    latest = max([0, *(reader.records(one, records) for one in pages)])
    latest = max(latest, reader.settle(records))
    for run in reader.runs:
        reader.expand(run, records)
    return sorted(records, key=lambda record: (record[0], record[2][1:])), latest


@given(PAGES)
def test_pages_walked_together_give_the_same_records(parts: list[list[bytes]]) -> None:
    pages = [page(*some, stamp=1000 + n * 10**9) for n, some in enumerate(parts)]
    one_by_one = read(pages, together=False)[0]
    assert read(pages, together=True)[0] == one_by_one
    assert read(pages, together=True, set_aside=(KIND, OTHER))[0] == one_by_one
