"""All CPUs' buffers of one instance as a single stream in the order of time.

Each round reads every CPU until it is empty. What was recorded before the round began is then complete, so it can be
handed on in order; anything younger waits for the next round, in which a CPU read early may still bring its like.
"""

from __future__ import annotations

import math
import os
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Optional

from xtrace.backends.ftrace.ring_buffer import Extractor, PageFormat, PageReader, Record, parse_header_page
from xtrace.backends.ftrace.stacks import Stacks
from xtrace.backends.ftrace.tracefs import Tracefs

PAGES_PER_ROUND = 128
"""Sub-buffers read from one CPU before the others have their turn; bounds the memory that a round takes."""
MARGIN = 1_000_000
"""Nanoseconds: a writer takes its time stamp before its record can be read."""

_time_of = itemgetter(0)


class _Cpu:
    def __init__(self, handle: int, size: int, reader: PageReader, stacks: Optional[Stacks]) -> None:
        self.handle = handle
        self.size = size
        self.reader = reader
        self.stacks = stacks
        self.empty = True
        self.latest = 0

    def read(self, into: list[Record], last: bool) -> None:
        """Read what is there, up to the limit of a round; sets `empty` and `latest`."""
        found: list[Record] = into if self.stacks is None else []
        self.empty = False
        for _ in range(PAGES_PER_ROUND):
            page = self._page()
            if not page:
                self.empty = True
                break
            self.latest = self.reader.records(page, found)
        if self.stacks is not None:
            into.extend(self.stacks.join(found, last and self.empty))

    def _page(self) -> bytes:
        try:
            return os.read(self.handle, self.size)
        except BlockingIOError:
            return b""


class Reader:
    """`close` must come before the instance can be removed."""

    def __init__(
        self,
        tracefs: Tracefs,
        instance: str,
        extractors: Mapping[int, Extractor],
        make_stacks: Optional[StacksMaker] = None,
        others: Sequence[Callable[[list[Record]], None]] = (),
    ) -> None:
        """`others` append records of the same clock that come another way."""
        page = page_format(tracefs, instance)
        self._cpus: list[_Cpu] = []
        self._held: list[Record] = []
        self._others = others
        numbers = sorted(int(name[3:]) for name in tracefs.names(f"{instance}/per_cpu") if name.startswith("cpu"))
        try:
            for number in numbers:
                handle = tracefs.open(f"{instance}/per_cpu/cpu{number}/trace_pipe_raw")
                reader = PageReader(number, extractors, page)
                self._cpus.append(_Cpu(handle, page.size, reader, make_stacks() if make_stacks else None))
        except OSError:
            self.close()
            raise

    @property
    def holds(self) -> bool:
        """Are there events that wait for the next round?"""
        return bool(self._held)

    @property
    def pending(self) -> bool:
        """Did a CPU have more than a round takes?"""
        return any(not cpu.empty for cpu in self._cpus)

    @property
    def missed(self) -> int:
        """Events that the kernel said, between sub-buffers, were lost."""
        return sum(cpu.reader.missed for cpu in self._cpus)

    @property
    def gaps(self) -> int:
        """Times when the kernel only said that some were lost."""
        return sum(cpu.reader.gaps for cpu in self._cpus)

    def round(self, now: int) -> list[Record]:
        """Events that are complete, in order. `now` is the trace clock when the call begins."""
        records = self._read(False)
        horizon = now - MARGIN
        horizon = min([horizon, *(cpu.latest for cpu in self._cpus if not cpu.empty)])
        end = bisect_right(records, (horizon, math.inf))
        self._held = records[end:]
        del records[end:]
        return records

    def rest(self) -> list[Record]:
        """Everything that is left, in order. For use when recording has stopped; call it until it gives nothing."""
        records = self._read(True)
        if self.pending:
            horizon = min(cpu.latest for cpu in self._cpus if not cpu.empty)
            end = bisect_right(records, (horizon, math.inf))
            self._held = records[end:]
            del records[end:]
        return records

    def _read(self, last: bool) -> list[Record]:
        records, self._held = self._held, []
        for cpu in self._cpus:
            cpu.read(records, last)
        for read in self._others:
            read(records)
        records.sort(key=_time_of)
        return records

    def close(self) -> None:
        while self._cpus:
            os.close(self._cpus.pop().handle)


def page_format(tracefs: Tracefs, instance: str) -> PageFormat:
    """The layout of sub-buffers, in the instance's own size where that can differ (Linux 2808e31ec12e, v6.8)."""
    page = parse_header_page(tracefs.read("events/header_page"))
    try:
        own = int(tracefs.read(f"{instance}/buffer_subbuf_size_kb")) << 10
    except (OSError, ValueError):
        return page
    return PageFormat(page.commit_offset, page.commit_size, page.data_offset, max(own, page.size))


class StacksMaker:
    """Makes one `Stacks` per CPU."""

    def __init__(self, kernel: int, user: int, waiting: frozenset[int], flags: Mapping[int, int], both: bool) -> None:
        self._arguments = (kernel, user, waiting, flags, both)

    def __call__(self) -> Stacks:
        return Stacks(*self._arguments)
