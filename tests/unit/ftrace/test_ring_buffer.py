"""Sub-buffers made by hand, read back: lengths, time, padding, losses, the fast path and the slow one alike."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtrace.backends.ftrace.decode import layout_of
from xtrace.backends.ftrace.ring_buffer import (
    MISSED_EVENTS,
    MISSED_STORED,
    Extractor,
    PageFormat,
    PageReader,
    Record,
    parse_header_page,
)
from xtrace.core.types import Int, Member

HEADER_PAGE = """\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;
\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;
"""
KIND = 300
VALUE = Member("value", Int(8, True), 8, 8)


def event(delta: int, value: int, tid: int = 7, kind: int = KIND, extra: int = 0) -> bytes:
    payload = struct.pack("=HBBiq", kind, 0, 0, tid, value) + b"\0" * extra
    return struct.pack("=I", delta << 5 | len(payload) // 4) + payload


def page(*parts: bytes, stamp: int = 1000, flags: int = 0, behind: bytes = b"") -> bytes:
    data = b"".join(parts)
    return (struct.pack("=QQ", stamp, len(data) | flags) + data + behind).ljust(4096, b"\0")


def reader(bulk: bool = True) -> PageReader:
    made = layout_of((VALUE,)).extractor
    return PageReader(3, {KIND: made if bulk else Extractor(made.extract)}, PageFormat())


def read(data: bytes, bulk: bool = True) -> list[Record]:
    records: list[Record] = []
    reader(bulk).records(data, records)
    return records


def shown(records: Sequence[Record]) -> list[tuple[int, int, object]]:
    return [(time, row[2], row[3]) for time, _, row in records]


def test_the_kernels_description_of_a_page() -> None:
    assert parse_header_page(HEADER_PAGE) == PageFormat(8, 8, 16, 4096)
    assert parse_header_page(HEADER_PAGE.replace("4080", "16368")).size == 16384
    with pytest.raises(ValueError, match="commit"):
        parse_header_page("nothing")


@given(st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(-(1 << 63), (1 << 63) - 1)), min_size=1, max_size=100))
def test_the_fast_and_the_slow_path_agree(events: list[tuple[int, int]]) -> None:
    data = page(*(event(delta, value) for delta, value in events))
    fast, slow = read(data), read(data, bulk=False)
    assert fast == slow
    time, expected = 1000, []
    for delta, value in events:
        time += delta
        expected.append((time, 7, value))
    assert shown(fast) == expected


def test_time_goes_on_by_extends_and_absolute_stamps() -> None:
    extend = struct.pack("=II", 5 << 5 | 30, 2)
    absolute = struct.pack("=II", 9 << 5 | 31, 1)
    records = read(page(event(1, 1), extend, event(1, 2), absolute, event(1, 3)))
    assert [time for time, _, _ in records] == [1001, 1001 + 5 + (2 << 27) + 1, (1 << 27) + 9 + 1]


def test_padding_is_skipped_and_ends_a_page() -> None:
    discarded = struct.pack("=II", 1 << 5 | 29, 8) + b"\0" * 4
    end = struct.pack("=I", 29)
    # The length of padding counts what follows its own word.
    assert shown(read(page(event(1, 1), discarded + b"\0" * 4, event(1, 2), end, event(1, 3))))[-1][2] == 2


def test_long_records_have_their_length_in_a_word_of_their_own() -> None:
    payload = struct.pack("=HBBiq", KIND, 0, 0, 8, 42) + b"\0" * 200
    long = struct.pack("=II", 4 << 5, len(payload) + 4) + payload
    assert shown(read(page(event(1, 1), long, event(1, 2)))) == [(1001, 7, 1), (1005, 8, 42), (1006, 7, 2)]


def test_other_kinds_are_skipped_and_mixed_pages_are_walked() -> None:
    records = read(page(event(1, 1), event(1, 9, kind=301), event(1, 2), event(1, 3, extra=8), event(1, 4)))
    assert shown(records) == [(1001, 7, 1), (1003, 7, 2), (1004, 7, 3), (1005, 7, 4)]


def test_losses_are_counted_when_the_kernel_says_how_many() -> None:
    one = reader()
    one.records(page(event(1, 1), flags=MISSED_EVENTS | MISSED_STORED, behind=struct.pack("=Q", 19)), [])
    one.records(page(event(1, 1), flags=MISSED_EVENTS), [])
    assert (one.missed, one.gaps) == (19, 1)
