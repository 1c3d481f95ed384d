"""Tells programs that somebody listens to their USDT probes, where the kernel does not: in the processes that run, in
those that start meanwhile, and back at the end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path

from xtrace.backends.ftrace import semaphores
from xtrace.backends.ftrace.mappings import Mappings
from xtrace.backends.ftrace.semaphores import Program, Semaphore
from xtrace.core import ir
from xtrace.core.messages import Forked, Mapped, Notice


class Listening:
    """The semaphores that a session has counted up.

    `remember` is told of each before that happens, for whoever counts down after a `kill -9`.
    """

    def __init__(self, scope: ir.Scope, remember: Callable[[Semaphore], None]) -> None:
        self._follow = scope.follow
        self._inside = None if scope.pid is None else {scope.pid}
        self._remember = remember
        self._programs: dict[Program, tuple[int, ...]] = {}
        self._raised: dict[int, dict[int, Semaphore]] = {}
        """By process and address."""
        self._mappings: Mappings | None = None
        self._refused: dict[int, str] = {}
        self._late = ""

    def add(self, file: int, offsets: Iterable[int]) -> None:
        """Listen to the program open as `file`, whose semaphores lie at these file offsets. Raises OSError or
        ValueError for a file that cannot be mapped."""
        self._programs[semaphores.program_of(file)] = tuple(offsets)

    def start(self) -> None:
        """Count up in the processes that run."""
        try:
            self._mappings = Mappings()
        except OSError as error:
            self._late = (
                f"processes that start from now on do not fire their USDT probes: perf_event_open: {error.strerror}"
            )
        for pid in self._running() if self._inside is None else self._inside:
            self._raise_in(pid)

    def _running(self) -> set[int]:
        return {pid for program in self._programs for pid in semaphores.processes_with(program)}

    def look(self) -> None:
        """Count up in the processes that have come since the last look."""
        if self._mappings is None:
            return
        mapped: dict[int, None] = {}
        for message in self._mappings.read():
            if isinstance(message, Forked):
                self._forked(message.pid, message.parent)
            elif isinstance(message, Mapped):
                mapped[message.pid] = None
        for pid in mapped:
            if self._inside is None or pid in self._inside:
                self._raise_in(pid)

    def notices(self) -> list[Notice]:
        """What could not be done, in words."""
        found = [Notice(self._late)] if self._late else []
        if self._mappings is not None and self._mappings.lost:
            found.append(Notice("processes that started may not have fired their USDT probes: there were too many"))
        if self._refused:
            reason = next(iter(self._refused.values()))
            found.append(Notice(f"USDT probes of {len(self._refused)} processes could not be switched on: {reason}"))
        return found

    def close(self) -> list[str]:
        """Count down everywhere; gives what could not be, in words."""
        with contextlib.suppress(OSError):
            self.look()
        remains = semaphores.lower_all(one for raised in self._raised.values() for one in raised.values())
        self._raised.clear()
        if self._mappings is not None:
            self._mappings.close()
            self._mappings = None
        return remains

    def _forked(self, child: int, parent: int) -> None:
        """A child begins with its parent's memory, counters included, whether it is inside or not."""
        if self._inside is not None and self._follow and parent in self._inside:
            self._inside.add(child)
        for one in self._raised.get(parent, {}).values():
            with contextlib.suppress(OSError):
                copy = Semaphore(child, one.address, one.program, one.offset)
                if copy.value():
                    self._keep(copy)
        if self._inside is None or child in self._inside:
            self._raise_in(child)

    def _raise_in(self, pid: int) -> None:
        try:
            for program, offsets in self._programs.items():
                for one in semaphores.semaphores_in(pid, program, offsets):
                    self._raise(one)
        except OSError as error:
            if not semaphores.has_ended(error) and Path(f"/proc/{pid}/exe").exists():
                self._refused[pid] = error.strerror or str(error)

    def _raise(self, one: Semaphore) -> None:
        """One that was counted up and is 0 is that of another program, which the process has begun since."""
        if one.address not in self._raised.get(one.pid, {}) or not one.value():
            self._keep(one)
            one.raise_()

    def _keep(self, one: Semaphore) -> None:
        self._remember(one)
        self._raised.setdefault(one.pid, {})[one.address] = one
