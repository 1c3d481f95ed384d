"""A session without an engine: programs of `begin`, `end` and `interval` clauses. It needs no privilege."""

from __future__ import annotations

import time
from collections.abc import Sequence

from xtrace.core import ir
from xtrace.core.attach import USER_SPACE
from xtrace.core.evaluate import Evaluator, Timers
from xtrace.core.messages import Attached, Loss, Message


def needs_no_engine(program: ir.Program) -> bool:
    """Can the controller itself fire every clause?"""
    return all(isinstance(point, USER_SPACE) for clause in program.clauses for point in clause.attach)


class LocalSession:
    """A `Session` that is the evaluator alone. A backend that evaluates in user space drives the same parts."""

    def __init__(self, program: ir.Program) -> None:
        self.evaluator = Evaluator(program)
        self._attached = Attached(sum(len(clause.attach) for clause in program.clauses))
        self._timers: Timers | None = None

    def poll(self, timeout: float) -> Sequence[Message]:
        """Fire what is due, waiting for it at most `timeout` seconds. The first call fires `begin`."""
        if self._timers is None:
            self.evaluator.begin()
            self._timers = Timers(self.evaluator.program, time.monotonic_ns())
            return [self._attached, *self.evaluator.take()]
        wait = self._timers.until_next(time.monotonic_ns())
        time.sleep(timeout if wait is None else min(wait, timeout))
        fire_due(self._timers, self.evaluator)
        return self.evaluator.take()

    def finish(self) -> Sequence[Message]:
        """The `end` clauses, the maps, losses."""
        losses: list[Loss] = self._timers.losses() if self._timers else []
        return [*self.evaluator.finish(), *losses]

    def close(self) -> None:
        """There is nothing to give back."""


def fire_due(timers: Timers, evaluator: Evaluator) -> None:
    """Fire the clauses of the timers that have ticked on the monotonic clock."""
    for clause, probe in timers.due(time.monotonic_ns()):
        evaluator.fire_own(clause, probe)
