"""`interval` clauses: when they are due."""

from __future__ import annotations

from xtrace.core import ir
from xtrace.core.attach import Interval
from xtrace.core.messages import Loss
from xtrace.core.records import dataclass


@dataclass
class _Timer:
    clause: int
    point: Interval
    due: int
    missed: int = 0


class Timers:
    """The intervals of a program on the clock of whoever drives it, in nanoseconds.

    A timer keeps its phase: being late once does not delay what follows. Ticks that came and went before anybody
    asked are not made up for but counted.
    """

    def __init__(self, program: ir.Program, now: int) -> None:
        self._timers = [
            _Timer(index, point, now + point.nsecs)
            for index, clause in enumerate(program.clauses)
            for point in clause.attach
            if isinstance(point, Interval)
        ]

    def __len__(self) -> int:
        return len(self._timers)

    def until_next(self, now: int) -> float | None:
        """Seconds until the next tick, 0.0 when one is due; None without timers."""
        if not self._timers:
            return None
        return max(0, min(timer.due for timer in self._timers) - now) / 1e9

    def due(self, now: int) -> list[tuple[int, str]]:
        """Clause and name of the attach point of each timer that has ticked, the earliest first."""
        ticked = sorted((timer for timer in self._timers if timer.due <= now), key=lambda timer: timer.due)
        for timer in ticked:
            late = (now - timer.due) // timer.point.nsecs
            timer.missed += late
            timer.due += (late + 1) * timer.point.nsecs
        return [(timer.clause, timer.point.name) for timer in ticked]

    def losses(self) -> list[Loss]:
        """Ticks that did not happen, since the trace was not looked at in time."""
        return [
            Loss("missed-tick", timer.missed, timer.point.name, "use a longer interval")
            for timer in self._timers
            if timer.missed
        ]
