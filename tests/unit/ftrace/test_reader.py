"""Events that are counted before they are fired mean what they mean one by one, whoever is renamed in between."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.ftrace.test_ring_buffer import HEADER_PAGE, KIND, VALUE, event, page
from xtrace.backends.ftrace.decode import layout_of
from xtrace.backends.ftrace.reader import MARGIN, Orderless, Reader
from xtrace.backends.ftrace.tally import tally_of
from xtrace.backends.ftrace.tracefs import Tracefs

FREE, TURN, SEEN = 301, 302, 303
"""Kinds: KIND means something else after a TURN, FREE never does, SEEN is never counted."""
EXTRACTOR = layout_of((VALUE,)).extractor
TALLY = tally_of(EXTRACTOR)
assert TALLY is not None

Event = tuple[int, int, int, int]
"""Time, CPU, kind, value."""


class Machine:
    """Counts every kind's values under the value of the latest TURN."""

    def __init__(self) -> None:
        self.name = 0
        self.seen: Counter[tuple[int, int, int]] = Counter()

    def fire(self, kind: int, value: int, count: int = 1) -> None:
        if kind == TURN:
            self.name = value
        else:
            self.seen[kind, value, 0 if kind == FREE else self.name] += count


class Buffers:
    """Files that stand for an instance of two CPUs."""

    def __init__(self, folder: str) -> None:
        self.root = Path(folder)
        for part in ("events", "i/per_cpu/cpu0", "i/per_cpu/cpu1"):
            (self.root / part).mkdir(parents=True)
        (self.root / "events/header_page").write_text(HEADER_PAGE)
        (self.root / "i/buffer_size_kb").write_text("1024\n")
        for cpu in (0, 1):
            self.add(cpu, [])

    def add(self, cpu: int, events: list[Event]) -> None:
        """One page of events, padded by nothing."""
        with (self.root / f"i/per_cpu/cpu{cpu}/trace_pipe_raw").open("ab") as file:
            if events:
                times = [events[0][0], *(time for time, *_ in events)]
                parts = [event(b - a, e[3], kind=e[2]) for a, b, e in zip(times, times[1:], events)]
                file.write(page(*parts, stamp=events[0][0]))

    def reader(self) -> Reader:
        kinds = dict.fromkeys((KIND, FREE, TURN, SEEN), EXTRACTOR)
        orderless = Orderless({KIND: TALLY, FREE: TALLY}, {KIND}, (TURN,))  # type: ignore[dict-item]
        return Reader(Tracefs(str(self.root)), "i", kinds, orderless=orderless)


def work(reader: Reader, machine: Machine, now: float) -> None:
    records = reader.rest() if now == math.inf else reader.round(int(now) + MARGIN)
    for row, count, _ in reader.counted():
        machine.fire(row[1], row[3], count)
    for _, _, row in records:
        machine.fire(row[1], row[3])


PARTS = st.lists(
    st.tuples(st.sampled_from((KIND, KIND, FREE, TURN, SEEN)), st.integers(0, 1), st.integers(1, 4), st.integers(0, 2)),
    max_size=60,
)
"""Runs of events: kind, CPU, how many, value."""


@settings(deadline=None)
@given(PARTS, st.lists(st.integers(0, 60), max_size=4))
def test_counting_first_changes_nothing(parts: list[tuple[int, int, int, int]], looks: list[int]) -> None:
    expected, real, time = Machine(), Machine(), 1000
    with TemporaryDirectory() as folder:
        buffers = Buffers(folder)
        reader = buffers.reader()
        for number, (kind, cpu, count, value) in enumerate(parts):
            made = [(time + n, cpu, kind, value) for n in range(count)]
            time += count
            buffers.add(cpu, made)
            for _, _, one, what in made:
                expected.fire(one, what)
            for _ in range(looks.count(number)):
                # What was recorded a moment ago may be incomplete: the horizon is a few events back.
                work(reader, real, time - 3)
        while True:
            work(reader, real, math.inf)
            if reader.ended:
                break
        reader.close()
    assert real.seen == expected.seen


@pytest.mark.parametrize("values", [[5] * 200, [5] * 100 + [6] * 100, list(range(200))])
def test_a_page_becomes_few_rows(values: list[int]) -> None:
    with TemporaryDirectory() as folder:
        buffers = Buffers(folder)
        buffers.add(1, [(1000 + n, 1, KIND, value) for n, value in enumerate(values)])
        reader = buffers.reader()
        assert reader.round(10**9) == []
        counted = [(row[3], count, cpu) for row, count, cpu in reader.counted()]
        reader.close()
    assert sorted(counted) == sorted((value, count, 1) for value, count in Counter(values).items())


def test_a_round_ends_at_what_came_after_it_began(tmp_path: Path) -> None:
    """Else a trace of reads would read its own reads for ever."""
    now = 10 * MARGIN
    buffers = Buffers(str(tmp_path))
    for stamp in (1, now + 1, now + 2, now + 3):
        buffers.add(0, [(stamp, 0, SEEN, stamp)])
    buffers.add(1, [(2, 1, SEEN, 2)])
    reader = buffers.reader()
    assert [stamp for stamp, _, _ in reader.round(now)] == [1, 2] and not reader.pending and reader.pages == 2
    assert [stamp for stamp, _, _ in reader.rest()] == [now + 1, now + 2, now + 3] and reader.ended
    reader.close()
