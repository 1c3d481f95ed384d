"""From the trace clock to the boot clock, which `nsecs` shows."""

from __future__ import annotations

import time

from xtrace.backends.ftrace.decode import layout_of
from xtrace.backends.ftrace.instance import Instance
from xtrace.backends.ftrace.reader import Reader
from xtrace.core.facts.event_format import parse_event_format

MARK = b"xtrace clock\n"


def boot_clock() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class ClockOffset:
    """`offset` nanoseconds turn the clock `name` of the trace into the boot clock."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.offset = boot_clock() - time.monotonic_ns() if name == "mono" else 0

    def now(self) -> int:
        """The trace clock now."""
        return boot_clock() - self.offset

    def measure(self, instance: Instance) -> None:
        """Find the offset of a clock that no system call reads, by a mark in the trace. Call it before events are
        read; those that came before the mark are lost, so call it before any is on."""
        if self.name in ("boot", "mono"):
            return
        tracefs = instance.tracefs
        mark = parse_event_format(tracefs.read("events/ftrace/print/format"), "ftrace")
        reader = Reader(tracefs, instance.path, {mark.id: layout_of(()).extractor})
        try:
            before = boot_clock()
            tracefs.write(f"{instance.path}/trace_marker", MARK)
            after = boot_clock()
            stamps = [stamp for stamp, _, row in reader.rest() if row[1] == mark.id]
        finally:
            reader.close()
        if stamps:
            self.offset = (before + after) // 2 - stamps[-1]
