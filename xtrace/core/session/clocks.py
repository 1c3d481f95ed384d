"""From the boot clock of events to the wall clock of people."""

from __future__ import annotations

import time
from functools import lru_cache


class WallClock:
    """Turns boot-clock nanoseconds into wall time by the difference of both clocks at its making.

    A clock that is stepped later does not move events against each other.
    """

    def __init__(self) -> None:
        self._offset = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def of(self, nsecs: int) -> int:
        """Nanoseconds since the epoch of a moment of the boot clock; now where it is 0."""
        return nsecs + self._offset if nsecs else time.time_ns()

    def strftime(self, text: str, nsecs: int) -> str:
        """As `strftime(format, nsecs)` of the language: local time, `%f` for microseconds."""
        return strftime(text, self.of(nsecs))


def strftime(text: str, epoch: int) -> str:
    """Format nanoseconds since the epoch in local time; `%f` gives six digits of microseconds, as bpftrace's does."""
    seconds, nsecs = divmod(epoch, 1_000_000_000)
    parts = text.split("%%")
    parts = [part.replace("%f", f"{nsecs // 1000:06}") for part in parts]
    return time.strftime("%%".join(parts), time.localtime(seconds))


def timestamp(epoch: int) -> str:
    """RFC 3339 in UTC with microseconds, from nanoseconds since the epoch."""
    seconds, nsecs = divmod(epoch, 1_000_000_000)
    return f"{_second(seconds)}.{nsecs // 1000:06}Z"


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
