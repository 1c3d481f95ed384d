"""Many sub-buffers walked at once, an event of each at every step: for floods, where numpy is installed.

What comes out are the records of each kind as one block of bytes, as if a page held nothing else, so that everything
behind goes on as without numpy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Optional

from xtrace.backends.ftrace.ring_buffer import (
    BIG,
    LENGTH_MASK,
    MAX_SMALL,
    PADDING,
    STAMP_HIGH,
    TIME_EXTEND,
    TIME_STAMP,
)

Numbers = Any
"""A numpy array; numpy's types are not at hand where it is not."""

Page = tuple[bytes, int, int, int]
"""A sub-buffer, where its data begins and ends, and the time that its first event counts from."""


@dataclass(frozen=True)
class Block:
    """Records of one kind and size, one behind the other, with their times."""

    kind: int
    size: int
    data: bytes
    times: Numbers


@dataclass(frozen=True)
class Walked:
    """`large` are the records whose length stands in a word of its own: (page, position of that word, time);
    `latest` is the time of the last event."""

    blocks: tuple[Block, ...]
    large: tuple[tuple[bytes, int, int], ...]
    latest: int


class LockStep:
    """Raises ImportError where numpy is not installed."""

    def __init__(self) -> None:
        self._np: Any = import_module("numpy")

    def walk(self, pages: Sequence[Page]) -> Walked:
        """All records of the pages, those of each kind in the order of the pages. The pages are of one size."""
        np = self._np
        size = len(pages[0][0])
        words = np.frombuffer(b"".join(page for page, _, _, _ in pages), np.uint32)
        base = np.arange(len(pages), dtype=np.int64) * (size >> 2)
        begin = base + np.array([start >> 2 for _, start, _, _ in pages])
        end = base + np.array([end >> 2 for _, _, end, _ in pages])
        times = np.array([stamp for _, _, _, stamp in pages], np.int64)
        small = np.zeros(len(words), bool)
        stamps = np.empty(len(words), np.int64)
        found = self._step_all(words, begin, end, times, small, stamps)
        large = [(pages[place // (size >> 2)][0], place % (size >> 2) << 2, int(stamps[place])) for place in found]
        return Walked(tuple(self._blocks(words, np.flatnonzero(small), stamps)), tuple(large), int(times[-1]))

    def _step_all(
        self, words: Numbers, at: Numbers, end: Numbers, times: Numbers, small: Numbers, stamps: Numbers
    ) -> list[int]:
        """Mark the places of the records with the time of each, small ones in `small`; give those of the large.
        `times` ends as the times of the pages' last events."""
        large: list[int] = []
        pages = self._np.arange(len(at))
        time = times.copy()
        while True:
            active = at < end
            if not active.all():
                times[pages] = time
                at, end, time, pages = at[active], end[active], time[active], pages[active]
                if not len(at):
                    return large
            head = words[at]
            code, delta = (head >> 27, head & LENGTH_MASK) if BIG else (head & 31, head >> 5)
            if ((code - 1) < MAX_SMALL).all():
                time = time + delta
                small[at] = True
                stamps[at] = time
                at = at + 1 + code
            else:
                at, time = self._odd_step(words, at, end, time, code, delta, small, stamps, large)

    def _odd_step(
        self,
        words: Numbers,
        at: Numbers,
        end: Numbers,
        time: Numbers,
        code: Numbers,
        delta: Numbers,
        small: Numbers,
        stamps: Numbers,
        large: list[int],
    ) -> tuple[Numbers, Numbers]:
        """A step at which some page has something else than a small record. Gives the places behind it and times."""
        np = self._np
        word = words[np.minimum(at + 1, len(words) - 1)].astype(np.int64)
        is_small, is_large = (code - 1) < MAX_SMALL, code == 0
        extends, stamped, padded = code == TIME_EXTEND, code == TIME_STAMP, code == PADDING
        time = np.where(padded, time, time + delta)
        time = np.where(extends, time + (word << 27), time)
        time = np.where(stamped, (time - delta & STAMP_HIGH) | (word << 27) | delta, time)
        small[at[is_small]] = True
        behind = at + is_large
        stamps[behind] = time
        large += behind[is_large].tolist()
        step = np.where(is_small, 1 + code, np.where(is_large | padded, 1 + (word >> 2), 2))
        return np.where(padded & (delta == 0), end, at + step), time

    def _blocks(self, words: Numbers, places: Numbers, stamps: Numbers) -> Iterator[Block]:
        """The records at these places by kind and size."""
        np = self._np
        if not len(places):
            return
        codes = words[places] >> 27 if BIG else words[places] & 31
        kinds = words[places + 1] >> 16 if BIG else words[places + 1] & 0xFFFF
        both = kinds << 5 | codes
        rest = both
        while len(rest):  # there are few kinds: sorting would take longer
            one = int(rest[0])
            rest = rest[rest != one]
            chosen = places[both == one]
            length = 1 + (one & 31)
            data = np.lib.stride_tricks.sliding_window_view(words, length)[chosen].tobytes()
            yield Block(one >> 5, 4 * length, data, stamps[chosen])


def lock_step() -> Optional[LockStep]:
    """None where numpy is not installed."""
    try:
        return LockStep()
    except ImportError:
        return None
