"""All CPUs' buffers of one instance as a single stream in the order of time.

Each round reads every CPU until it is empty, or gives what came after the round began: where the reading itself is
traced, it would never be empty. What was recorded before the round began is then complete, so it can be handed on in
order; anything younger waits for the next round, in which a CPU read early may still bring its like.
"""

from __future__ import annotations

import math
import os
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import field
from operator import itemgetter
from typing import Optional

from xtrace.backends.ftrace.ring_buffer import Extractor, PageFormat, PageReader, Record, Row, Run, parse_header_page
from xtrace.backends.ftrace.stacks import Stacks
from xtrace.backends.ftrace.tally import Tally
from xtrace.backends.ftrace.tracefs import Tracefs
from xtrace.core.records import dataclass

PAGES_PER_ROUND = 128
"""Sub-buffers read from one CPU before the others have their turn; bounds the memory that a round takes."""
PAGES_TOGETHER = 512
"""The same where pages are walked together, which pays the more the more there are."""
FLOOD_PAGES = 256
"""Pages of mixed events, found on one CPU at once, that make it worthwhile to load numpy."""
MARGIN = 1_000_000
"""Nanoseconds: a writer takes its time stamp before its record can be read."""

_NEVER = math.inf
_SMALLEST = 512 << 10
"""Bytes of each CPU's buffer where the kernel does not tell."""
_time_of = itemgetter(0)


class _Cpu:
    def __init__(self, handle: int, size: int, reader: PageReader, stacks: Optional[Stacks]) -> None:
        self.handle = handle
        self.size = size
        self.reader = reader
        self.stacks = stacks
        self.empty = True
        self.latest = 0
        self.pages = 0
        """Pages read since the buffer was last found empty; `reader.walked` counts with it."""

    def read(self, into: list[Record], last: bool, began: float) -> None:
        """Read what is there from before the round began, up to the limit of a round; sets `empty` and `latest`."""
        found: list[Record] = into if self.stacks is None else []
        if self.empty:
            self.pages = self.reader.walked = 0
        self.empty = False
        for _ in range(PAGES_TOGETHER if self.reader.lock_step else PAGES_PER_ROUND):
            page = self._page()
            if not page:
                self.empty = True
                break
            self.pages += 1
            self.latest = self.reader.records(page, found)
            if self.latest > began:
                self.empty = True
                break
        self.latest = max(self.latest, self.reader.settle(found))
        if self.stacks is not None:
            into.extend(self.stacks.join(found, last and self.empty))

    def _page(self) -> bytes:
        try:
            return os.read(self.handle, self.size)
        except BlockingIOError:
            return b""


@dataclass
class Orderless:
    """Events that are counted before they are fired. `tallies` has them by id; those in `dated` mean something else
    after an event of one of the `turning` kinds, which tell of forks, new names and ends."""

    tallies: dict[int, Tally] = field(default_factory=dict)
    dated: set[int] = field(default_factory=set)
    turning: Collection[int] = ()


class Reader:
    """`close` must come before the instance can be removed."""

    def __init__(
        self,
        tracefs: Tracefs,
        instance: str,
        extractors: Mapping[int, Extractor],
        make_stacks: Optional[StacksMaker] = None,
        others: Sequence[Callable[[list[Record]], None]] = (),
        orderless: Optional[Orderless] = None,
    ) -> None:
        """`others` append records of the same clock that come another way."""
        page = page_format(tracefs, instance)
        self._cpus: list[_Cpu] = []
        self._held: list[Record] = []
        self._held_runs: list[Run] = []
        self._others = others
        self._orderless = orderless or Orderless()
        self._ready: list[Run] = []
        self._may_load = make_stacks is None
        """Records that wait for stacks must come in the order of the buffer."""
        self._capacity = max(1, _buffer_bytes(tracefs, instance) // page.size)
        numbers = sorted(int(name[3:]) for name in tracefs.names(f"{instance}/per_cpu") if name.startswith("cpu"))
        try:
            for number in numbers:
                handle = tracefs.open(f"{instance}/per_cpu/cpu{number}/trace_pipe_raw")
                reader = PageReader(number, extractors, page, self._orderless.tallies)
                self._cpus.append(_Cpu(handle, page.size, reader, make_stacks() if make_stacks else None))
        except OSError:
            self.close()
            raise

    @property
    def holds(self) -> bool:
        """Are there events that wait for the next round?"""
        return bool(self._held or self._held_runs)

    @property
    def pending(self) -> bool:
        """Did a CPU have more from before the round than it takes?"""
        return any(not cpu.empty for cpu in self._cpus)

    @property
    def pages(self) -> int:
        """How many the fullest CPU had, as far as was read."""
        return max((cpu.pages for cpu in self._cpus), default=0)

    @property
    def filled(self) -> float:
        """The share of its buffer that the fullest CPU had used, as far as was read."""
        return self.pages / self._capacity

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
        return self._read(now - MARGIN, False)

    def rest(self) -> list[Record]:
        """What is left, in order. For use when recording has stopped; call it until `ended`."""
        return self._read(_NEVER, True)

    @property
    def ended(self) -> bool:
        """Was everything handed on?"""
        return not (self.pending or self.holds)

    def counted(self) -> Iterator[tuple[Row, int, int]]:
        """Orderless events of the round, to be fired before its records: row, how many there are, CPU."""
        ready, self._ready = self._ready, []
        for run in ready:
            for row, count in self._orderless.tallies[run.kind].rows(run):
                yield row, count, run.cpu

    def _read(self, horizon: float, last: bool) -> list[Record]:
        records, self._held = self._held, []
        runs, self._held_runs = self._held_runs, []
        for cpu in self._cpus:
            cpu.read(records, last, horizon + MARGIN)
            runs += cpu.reader.runs
            cpu.reader.runs.clear()
        for read in self._others:
            read(records)
        if self._may_load and any(cpu.reader.walked >= FLOOD_PAGES for cpu in self._cpus):
            self.walk_together()
        horizon = min([horizon, *(cpu.latest for cpu in self._cpus if not cpu.empty)])
        if runs:
            self._sort_out(runs, records, horizon)
        records.sort(key=_time_of)
        end = bisect_right(records, (horizon, math.inf))
        self._held = records[end:]
        del records[end:]
        return records

    def walk_together(self) -> None:
        """From now on walk many pages at once, if numpy is installed; loading it takes about 0.1 s."""
        from xtrace.backends.ftrace.lockstep import lock_step

        self._may_load = False
        made = lock_step()
        for cpu in self._cpus:
            cpu.reader.lock_step = made

    def _sort_out(self, runs: list[Run], records: list[Record], horizon: float) -> None:
        """Runs that are complete and mean the same throughout are ready; those in which somebody forks, is renamed or
        ends become records; the others wait."""
        dated, turning = self._orderless.dated, self._orderless.turning
        turns = [stamp for stamp, _, row in records if stamp <= horizon and row[1] in turning] if dated else []
        begin, end = min(turns, default=math.inf), max(turns, default=-math.inf)
        readers = {cpu.reader.cpu: cpu.reader for cpu in self._cpus}
        for run in runs:
            if run.kind not in dated or (run.latest <= horizon and run.latest < begin):
                self._ready.append(run)
            elif run.first > min(horizon, end):
                self._held_runs.append(run)
            else:
                readers[run.cpu].expand(run, records)

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


def _buffer_bytes(tracefs: Tracefs, instance: str) -> int:
    """The size of each CPU's buffer; the kernel writes `X` where they differ."""
    try:
        return int(tracefs.read(f"{instance}/buffer_size_kb").split()[0]) << 10
    except (OSError, ValueError, IndexError):
        return _SMALLEST


class StacksMaker:
    """Makes one `Stacks` per CPU."""

    def __init__(self, kernel: int, user: int, waiting: frozenset[int], flags: Mapping[int, int], both: bool) -> None:
        self._arguments = (kernel, user, waiting, flags, both)

    def __call__(self) -> Stacks:
        return Stacks(*self._arguments)
