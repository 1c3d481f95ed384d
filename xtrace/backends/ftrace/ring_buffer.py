"""The kernel's ring buffer as `per_cpu/cpuN/trace_pipe_raw` gives it: one sub-buffer per read.

Format: include/linux/ring_buffer.h, struct buffer_data_page and rb_event_length() of kernel/trace/ring_buffer.c. A
sub-buffer holds a time stamp, the length of its data with two flags, and events: a 32-bit head (5 bits of kind or
length, 27 bits of time delta) and a payload whose first 16 bits are the event's id.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate, repeat
from struct import Struct
from typing import Any, Optional

PADDING, TIME_EXTEND, TIME_STAMP = 29, 30, 31
MAX_SMALL = 28
MISSED_EVENTS = 1 << 31
MISSED_STORED = 1 << 30
LENGTH_MASK = (1 << 27) - 1
"""What of `commit` is a length; the rest are flags (libtraceevent's COMMIT_MASK)."""

BIG = sys.byteorder == "big"
_WORD = Struct("=I").unpack_from
_HEAD = Struct("=IH").unpack_from
_FIELD = re.compile(r"field:\s*[^;]*?(\w+);\s*offset:(\d+);\s*size:(\d+);")

Row = tuple[Any, ...]
"""The values of one event; the first two are the head word and the event's id."""
Record = tuple[int, int, Row]
"""Time stamp, CPU, row."""

_KIND_OF = bytes(byte >> 3 if BIG else byte & 31 for byte in range(256))
"""The length code in the first byte of a head, as a table for `bytes.translate`."""


@dataclass(frozen=True)
class PageFormat:
    """Where things lie in a sub-buffer, in bytes; from `events/header_page`."""

    commit_offset: int = 8
    commit_size: int = 8
    data_offset: int = 16
    size: int = 4096


def parse_header_page(text: str) -> PageFormat:
    """The format that `events/header_page` describes; its `data` field ends where the sub-buffer ends.

    Raises ValueError for a text without the three fields.
    """
    found = {name: (int(offset), int(size)) for name, offset, size in _FIELD.findall(text)}
    if not {"timestamp", "commit", "data"} <= found.keys():
        raise ValueError("header_page names no timestamp, commit and data")
    data_offset, data_size = found["data"]
    return PageFormat(found["commit"][0], found["commit"][1], data_offset, data_offset + data_size)


@dataclass(frozen=True)
class Extractor:
    """How one event becomes a row.

    `extract(page, position)` works on any record; the position is that of its head, four bytes before the payload.
    `bulk` is the `struct` format of the payload after its id, where all values have fixed places: a page of nothing but
    such records is unpacked in one call, and `finish` makes rows of what that gives.
    """

    extract: Callable[[bytes, int], Row]
    bulk: Optional[str] = None
    finish: Optional[Callable[[Row], Row]] = None


class PageReader:
    """Turns the sub-buffers of one CPU into records, and counts what the kernel says it lost between them.

    `extractors` maps event ids to how they are read; records of other events are skipped. `missed` counts lost events
    where the kernel stored the number, `gaps` the times when it only said that there were some.
    """

    def __init__(self, cpu: int, extractors: Mapping[int, Extractor], page: PageFormat) -> None:
        self.cpu = cpu
        self.missed = 0
        self.gaps = 0
        self._extractors = extractors
        self._page = page
        self._stamp = Struct("=Q").unpack_from
        self._commit = Struct("=Q" if page.commit_size == 8 else "=I").unpack_from
        self._bulk: dict[tuple[int, int], Struct] = {}

    def records(self, page: bytes, into: list[Record]) -> int:
        """Append the records of one sub-buffer; gives the time stamp of its last event."""
        (stamp,) = self._stamp(page, 0)
        (commit,) = self._commit(page, self._page.commit_offset)
        start = self._page.data_offset
        end = min(start + (commit & LENGTH_MASK), len(page))
        if commit & MISSED_EVENTS:
            self._count_missed(page, commit, end)
        bulk = self._whole_page(page, start, end, stamp)
        if bulk is not None:
            into.extend(bulk)
            return bulk[-1][0]
        return self._walk(page, start, end, stamp, into)

    def _count_missed(self, page: bytes, commit: int, end: int) -> None:
        if commit & MISSED_STORED and end + 8 <= len(page):
            self.missed += self._stamp(page, end)[0]
        else:
            self.gaps += 1

    def _whole_page(self, page: bytes, start: int, end: int, stamp: int) -> Optional[list[Record]]:
        """All records at once, where the page holds one kind of event with one length; None where it does not."""
        if end - start < 16:
            return None
        head, kind = _HEAD(page, start)
        length = head >> 27 if BIG else head & 31
        extractor = self._extractors.get(kind)
        size = 4 + 4 * length
        if extractor is None or extractor.bulk is None or not 0 < length <= MAX_SMALL or (end - start) % size:
            return None
        layout = self._bulk.get((kind, size)) or self._bulk_layout(kind, size, extractor.bulk)
        if layout is None:
            return None
        if not _all_alike(page, start, end, size):
            return None
        # A copy, not a memoryview: Python 3.9's garbage collector crashes on a view that an abandoned iterator holds.
        rows: Iterable[Row] = layout.iter_unpack(page[start:end])
        if extractor.finish is not None:
            rows = map(extractor.finish, rows)
        heads = memoryview(page).cast("I")[start >> 2 : end >> 2 : size >> 2].tolist()
        deltas = [head & LENGTH_MASK for head in heads] if BIG else [head >> 5 for head in heads]
        times = accumulate(deltas, initial=stamp)
        next(times)
        return list(zip(times, repeat(self.cpu), rows))

    def _bulk_layout(self, kind: int, size: int, payload: str) -> Optional[Struct]:
        used = Struct("=IH" + payload).size
        if used > size:
            return None
        made = self._bulk[(kind, size)] = Struct(f"=IH{payload}{size - used}x")
        return made

    def _walk(self, page: bytes, position: int, end: int, time: int, into: list[Record]) -> int:
        extractors, append, cpu = self._extractors, into.append, self.cpu
        while position < end:
            head, kind = _HEAD(page, position)
            length, delta = (head >> 27, head & LENGTH_MASK) if BIG else (head & 31, head >> 5)
            if 0 < length <= MAX_SMALL:
                time += delta
                extractor = extractors.get(kind)
                if extractor is not None:
                    append((time, cpu, extractor.extract(page, position)))
                position += 4 + (length << 2)
                continue
            (word,) = _WORD(page, position + 4)
            if length == 0:
                time += delta
                self._large(page, position + 4, time, into)
                position += 4 + word
            elif length == TIME_EXTEND:
                time += delta + (word << 27)
                position += 8
            elif length == TIME_STAMP:
                time = (time & ~((1 << 59) - 1)) | (word << 27) | delta
                position += 8
            elif delta == 0:
                break
            else:
                position += 4 + word
        return time

    def _large(self, page: bytes, position: int, time: int, into: list[Record]) -> None:
        """A record whose length stands in a word of its own; that word takes the place of the head."""
        (_, kind) = _HEAD(page, position)
        extractor = self._extractors.get(kind)
        if extractor is not None:
            into.append((time, self.cpu, extractor.extract(page, position)))


def _all_alike(page: bytes, start: int, end: int, size: int) -> bool:
    """Do records of `size` bytes follow each other with the same length code and the same id as the first?"""
    count = (end - start) // size
    codes = page[start:end:size].translate(_KIND_OF)
    low, high = page[start + 4 : end : size], page[start + 5 : end : size]
    return codes == codes[:1] * count and low == low[:1] * count and high == high[:1] * count
