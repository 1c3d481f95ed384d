"""The kernel's ring buffer as `per_cpu/cpuN/trace_pipe_raw` gives it: one sub-buffer per read.

Format: include/linux/ring_buffer.h, struct buffer_data_page and rb_event_length() of kernel/trace/ring_buffer.c. A
sub-buffer holds a time stamp, the length of its data with two flags, and events: a 32-bit head (5 bits of kind or
length, 27 bits of time delta) and a payload whose first 16 bits are the event's id.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import accumulate, repeat
from struct import Struct
from typing import TYPE_CHECKING, Any, Optional

from xtrace.core.records import dataclass

if TYPE_CHECKING:
    from xtrace.backends.ftrace.lockstep import Block, LockStep, Page

PADDING, TIME_EXTEND, TIME_STAMP = 29, 30, 31
MAX_SMALL = 28
STAMP_HIGH = ~((1 << 59) - 1)
"""The bits of a time that an absolute stamp leaves as they are."""
MISSED_EVENTS = 1 << 31
MISSED_STORED = 1 << 30
LENGTH_MASK = (1 << 27) - 1
"""What of `commit` is a length; the rest are flags (libtraceevent's COMMIT_MASK)."""

FEW_PAGES = 16
"""Fewer pages than this are walked one by one, which then is faster."""

BIG = sys.byteorder == "big"
_WORD = Struct("=I").unpack_from
_HEAD = Struct("=IH").unpack_from
_KIND = Struct("=H").unpack_from
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


@dataclass(frozen=True)
class Run:
    """Records of one kind and `size` bytes each that are not yet rows. `first` and `latest` are the times of the first
    and the last. `times` gives all, where the heads, counting from `stamp`, do not tell them."""

    kind: int
    cpu: int
    data: bytes
    size: int
    first: int
    latest: int
    stamp: int = 0
    times: Optional[list[int]] = None


class PageReader:
    """Turns the sub-buffers of one CPU into records, and counts what the kernel says it lost between them.

    `extractors` maps event ids to how they are read; records of other events are skipped. Pages of nothing but one of
    the `set_aside` kinds go to `runs`. `missed` counts lost events where the kernel stored the number, `gaps` the times
    when it only said that there were some.
    """

    def __init__(
        self, cpu: int, extractors: Mapping[int, Extractor], page: PageFormat, set_aside: Collection[int] = ()
    ) -> None:
        self.cpu = cpu
        self.missed = 0
        self.gaps = 0
        self.runs: list[Run] = []
        self.walked = 0
        """Pages that had to be walked event by event."""
        self.lock_step: Optional[LockStep] = None
        """What walks many pages at once, where that pays; then `settle` must be called after each batch of pages."""
        self._mixed: list[Page] = []
        self._set_aside = set_aside
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
        size = self._one_size(page, start, end)
        if size:
            # A copy, not a memoryview: Python 3.9's garbage collector crashes on a view that an abandoned iterator
            # holds.
            return self._alike(page[start:end], size, stamp, into)
        self.walked += 1
        if self.lock_step is not None:
            self._mixed.append((page, start, end, stamp))
            return int(stamp)
        return self._walk(page, start, end, stamp, into)

    def settle(self, into: list[Record]) -> int:
        """Append the records of pages that were kept to be walked together; gives the time stamp of the last event, 0
        where there was none."""
        pages, self._mixed = self._mixed, []
        if self.lock_step is None or len(pages) < FEW_PAGES:
            return max((self._walk(*page, into) for page in pages), default=0)
        walked = self.lock_step.walk(pages)
        for block in walked.blocks:
            self._take_block(block, into)
        for page, position, time in walked.large:
            self._large(page, position, time, into)
        return walked.latest

    def _take_block(self, block: Block, into: list[Record]) -> None:
        extractor, kind, size = self._extractors.get(block.kind), block.kind, block.size
        if extractor is None:
            return
        times = block.times.tolist()
        if extractor.bulk is None or not ((kind, size) in self._bulk or self._bulk_layout(kind, size, extractor.bulk)):
            data, extract, cpu = block.data, extractor.extract, self.cpu
            into.extend((time, cpu, extract(data, n * size)) for n, time in enumerate(times))
            return
        run = Run(kind, self.cpu, block.data, size, times[0], times[-1], 0, times)
        if kind in self._set_aside:
            self.runs.append(run)
        else:
            self.expand(run, into)

    def _count_missed(self, page: bytes, commit: int, end: int) -> None:
        if commit & MISSED_STORED and end + 8 <= len(page):
            self.missed += self._stamp(page, end)[0]
        else:
            self.gaps += 1

    def _one_size(self, page: bytes, start: int, end: int) -> int:
        """The size of the records of a page that holds only one kind of event with one length, in places that are
        fixed; 0 for other pages."""
        if end - start < 16:
            return 0
        head, kind = _HEAD(page, start)
        length = head >> 27 if BIG else head & 31
        extractor = self._extractors.get(kind)
        size = 4 + 4 * length
        if extractor is None or extractor.bulk is None or not 0 < length <= MAX_SMALL or (end - start) % size:
            return 0
        if (kind, size) not in self._bulk and self._bulk_layout(kind, size, extractor.bulk) is None:
            return 0
        return size if _all_alike(page, start, end, size) else 0

    def _alike(self, data: bytes, size: int, stamp: int, into: list[Record]) -> int:
        """The records of a page that `_one_size` found, all at once."""
        heads = memoryview(data).cast("I")[:: size >> 2].tolist()
        (kind,) = _KIND(data, 4)
        if kind in self._set_aside:
            first, latest = stamp + sum(_deltas(heads[:1])), stamp + sum(_deltas(heads))
            self.runs.append(Run(kind, self.cpu, data, size, first, latest, stamp))
            return latest
        times = accumulate(_deltas(heads), initial=stamp)
        next(times)
        into.extend(zip(times, repeat(self.cpu), self._rows(data, kind, size)))
        last: int = into[-1][0]
        return last

    def expand(self, run: Run, into: list[Record]) -> None:
        """Append the records of a run after all."""
        times: Iterable[int] = run.times or ()
        if run.times is None:
            times = accumulate(_deltas(memoryview(run.data).cast("I")[:: run.size >> 2].tolist()), initial=run.stamp)
            next(times)
        into.extend(zip(times, repeat(self.cpu), self._rows(run.data, run.kind, run.size)))

    def _rows(self, data: bytes, kind: int, size: int) -> Iterable[Row]:
        rows: Iterable[Row] = self._bulk[(kind, size)].iter_unpack(data)
        finish = self._extractors[kind].finish
        return rows if finish is None else map(finish, rows)

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
                time = (time & STAMP_HIGH) | (word << 27) | delta
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


def _deltas(heads: list[int]) -> list[int]:
    """Each record's time since the one before it."""
    return [head & LENGTH_MASK for head in heads] if BIG else [head >> 5 for head in heads]


def _all_alike(page: bytes, start: int, end: int, size: int) -> bool:
    """Do records of `size` bytes follow each other with the same length code and the same id as the first?"""
    count = (end - start) // size
    codes = page[start:end:size].translate(_KIND_OF)
    low, high = page[start + 4 : end : size], page[start + 5 : end : size]
    return codes == codes[:1] * count and low == low[:1] * count and high == high[:1] * count
