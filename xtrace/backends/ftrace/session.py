"""A running trace: set-up, the loop's steps, and the end."""

from __future__ import annotations

import contextlib
import gc
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from xtrace.backends.ftrace.clock import ClockOffset
from xtrace.backends.ftrace.counting import KernelMaps
from xtrace.backends.ftrace.dispatch import Dispatch, by_rows, profile_kind
from xtrace.backends.ftrace.identity import Identity, all_processes, threads_of
from xtrace.backends.ftrace.instance import Instance
from xtrace.backends.ftrace.layouts import Layouts, layouts, row_places
from xtrace.backends.ftrace.losses import buffer_losses, losses
from xtrace.backends.ftrace.lower import EXECS
from xtrace.backends.ftrace.model import FtraceModel, Source, shows_processes
from xtrace.backends.ftrace.reader import Reader
from xtrace.backends.ftrace.removal import session_name
from xtrace.backends.ftrace.ring_buffer import FEW_PAGES, Record
from xtrace.backends.ftrace.slots import LateStrings
from xtrace.backends.ftrace.tracefs import Tracefs
from xtrace.backends.ftrace.watchdog import Watchdog
from xtrace.core import ir
from xtrace.core.errors import BackendError
from xtrace.core.evaluate.evaluator import Evaluator
from xtrace.core.evaluate.timers import Timers
from xtrace.core.messages import Attached, Loss, Message, Notice

if TYPE_CHECKING:
    from xtrace.backends.ftrace.listening import Listening
    from xtrace.backends.ftrace.mappings import ProcessNames
    from xtrace.backends.ftrace.sampler import Sampler

FIRST_WAIT = 0.004
"""Seconds between looks until the first event, and while events wait for their neighbours."""
LONGEST_WAIT = 0.1
LATE_WAIT = 0.001
"""Where something is read from or written to the processes after the events: before they are gone."""
BUSY = 0.01
"""The share of a CPU's buffer that, found in one look, makes a flood: then batches matter more than being prompt."""
FULL = 0.25
"""The share of a CPU's buffer that should be found in a look at a flood."""

_serial = iter(range(1 << 30))


class FtraceSession:
    """Implements `xtrace.core.backend.Session`."""

    def __init__(self, model: FtraceModel, tracefs: Tracefs) -> None:
        self._model = model
        self._tracefs = tracefs
        self._closed = False
        self._identity = Identity()
        self._late = LateStrings()
        self._listening: Listening | None = None
        self._reader: Reader | None = None
        self._dispatch: Dispatch | None = None
        columns = [column for event in model.events for column in event.columns]
        self._hurries = any(column.source is Source.LATE_STRING for column in columns)
        self._samplers: list[Sampler] = []
        self._names: ProcessNames | None = None
        self._wait = FIRST_WAIT
        self._looked = time.monotonic()
        self._messages: list[Message] = []
        self._layouts: Layouts | None = None
        self._watchdog: Watchdog | None = None
        self._instance = Instance(tracefs, session_name(os.getpid(), next(_serial)), model, self._threads())
        self._evaluator = Evaluator(model.program)
        self._counted = KernelMaps(model, self._instance, self._evaluator, self._identity)
        self._clock = ClockOffset(model.recording.clock)
        self._timers = Timers(model.program, 0)

    def _threads(self) -> list[int]:
        pid = self._model.program.scope.pid
        if pid is None:
            return []
        threads = threads_of(pid)
        if not threads:
            raise BackendError.of("XT0810", f"there is no process {pid} (any more)")
        return threads

    # --- start ---

    def start(self) -> None:
        """Set everything up; on any failure undo what was done and raise it, BackendError for a refusal."""
        try:
            self._start()
        except OSError as error:
            self.close()
            raise BackendError.of("XT0808", f"the trace could not be set up: {error}") from error
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        model, instance = self._model, self._instance
        watchdog = self._watchdog = Watchdog(self._tracefs, instance.name)
        instance.open_files(model.files)
        self._open_names()
        instance.apply([step for step in model.steps if step.event < 0 and not step.tells_who])
        self._clock.measure(instance)
        instance.apply([step for step in model.steps if step.tells_who])
        self._learn()
        instance.apply([step for step in model.steps if step.event >= 0])
        missing = instance.settled()
        self._listen(watchdog)
        made = self._layouts = layouts(model, instance)
        self._evaluator = Evaluator(by_rows(self._unfiltered(model.program), row_places(model, made)))
        self._dispatch = Dispatch(model, made, self._identity, self._evaluator, self._late)
        self._counted = KernelMaps(model, instance, self._evaluator, self._identity)
        self._open_reader(made)
        self._timers = Timers(model.program, self._evaluator.clock())
        probes = sum(len(clause.attach) for clause in model.program.clauses) - len(missing)
        self._messages.append(Attached(probes, tuple(missing)))
        self._evaluator.begin()

    def _open_names(self) -> None:
        if shows_processes(self._model):
            from xtrace.backends.ftrace.mappings import ProcessNames

            self._names = ProcessNames(self._identity)

    def _open_reader(self, made: Layouts) -> None:
        if self._model.profiles:
            from xtrace.backends.ftrace.sampler import Sampler

            for number, (_, probe, columns) in enumerate(self._model.profiles):
                stacks = any(column.source in (Source.KERNEL_STACK, Source.USER_STACK) for column in columns)
                self._samplers.append(Sampler(probe, profile_kind(number), stacks))
        others = [self._sample_reader(sampler) for sampler in self._samplers]
        orderless = self._dispatch.orderless() if self._dispatch else None
        self._reader = Reader(self._tracefs, self._instance.path, made.extractors, made.stacks, others, orderless)
        for sampler in self._samplers:
            sampler.start()

    def _sample_reader(self, sampler: Sampler) -> Callable[[list[Record]], None]:
        """Reads samples, whose time is the boot clock, as records on the clock of the trace."""

        def read(into: list[Record]) -> None:
            found: list[Record] = []
            sampler.read(found)
            offset = self._clock.offset
            into += [(stamp - offset, cpu, row) for stamp, cpu, row in found] if offset else found

        return read

    def _learn(self) -> None:
        """Look at the threads that exist, after the events of forks and renames are on and before any other is."""
        scope = self._model.program.scope
        if scope.pid is not None:
            self._identity.watch(scope.pid, scope.follow)
        if self._model.recording.identity:
            processes = [scope.pid] if scope.pid is not None else all_processes()
            self._identity.look(processes)
            if EXECS in self._model.recording.identity:
                self._identity.programs.look(thread for process in processes for thread in threads_of(process))

    def _unfiltered(self, program: ir.Program) -> ir.Program:
        """The program without the predicates that the kernel tests for all events of their clauses."""
        tested_here = {
            handler.clause
            for number, event in enumerate(self._model.events)
            for handler in event.handlers
            if not handler.filtered or number in self._instance.outcome.unfiltered
        }
        tested_here.update(h.clause for handlers, _, _ in self._model.profiles for h in handlers)
        fed = {handler.clause for event in self._model.events for handler in event.handlers}
        clauses = tuple(
            clause if number in tested_here or number not in fed else replace(clause, predicate=None)
            for number, clause in enumerate(program.clauses)
        )
        return replace(program, clauses=clauses)

    def _listen(self, watchdog: Watchdog) -> None:
        """Switch on USDT probes that look whether somebody listens, where the kernel does not."""
        gated = [(file, handle) for file, handle in zip(self._model.files, self._instance.files) if file.semaphores]
        if not gated:
            return
        from xtrace.backends.ftrace.listening import Listening

        self._listening = Listening(self._model.program.scope, watchdog.remember)
        self._hurries = True
        for file, handle in gated:
            self._listening.add(handle, file.semaphores)
        self._listening.start()

    def trial(self, seconds: float) -> float:
        """Let events gather for so long, then handle them. Gives the CPU time that each second of events takes, in
        seconds; 0 for so few that a look itself takes most of it, infinite where a buffer did not hold them. What the
        program prints waits for `poll`."""
        began = time.monotonic()
        time.sleep(seconds)
        gathered, used = time.monotonic() - began, time.thread_time()
        share, reader = 0.0, self._reader
        while share < 1:
            self._messages = self._look()
            share = (time.thread_time() - used) / gathered
            if reader is None or not reader.pending:
                break
        if any(buffer_losses(self._tracefs, self._instance.path, "")):
            return math.inf
        return share if reader is not None and reader.pages >= FEW_PAGES else 0.0

    def tell(self, notice: Notice) -> None:
        """Say this with the next messages."""
        self._messages.append(notice)

    # --- the contract ---

    def poll(self, timeout: float) -> Sequence[Message]:
        until = time.monotonic() + timeout
        while True:
            messages = self._look()
            left = until - time.monotonic()
            if messages or left <= 0:
                return messages
            time.sleep(min(left, self._pause()))

    def finish(self) -> Sequence[Message]:
        reader = self._reader
        if reader is not None:
            with _no_collection():
                with contextlib.suppress(OSError):
                    self._instance.stop()
                while not self._evaluator.exited:
                    self._fire(reader.rest())
                    if reader.ended:
                        break
            self._counted.refresh()
        messages = self._take()
        messages += self._evaluator.finish()
        if reader is not None:
            messages += losses(self._tracefs, self._instance, self._model, reader.missed, reader.gaps)
        return [
            *messages,
            *self._timers.losses(),
            *self._sample_losses(),
            *(self._names.losses() if self._names else ()),
            *self._counted.losses(),
            *self._counted.notices(),
            *self._unread(),
            *(self._listening.notices() if self._listening else ()),
            *self._notices(),
        ]

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._reader is not None:
            self._reader.close()
        for sampler in self._samplers:
            sampler.close()
        if self._names is not None:
            self._names.close()
        remains = self._listening.close() if self._listening is not None else []
        remains += self._instance.close()
        if self._watchdog is None:
            return
        if not remains:
            self._watchdog.dismiss()
        else:
            self._watchdog.abandon()

    # --- one look ---

    def _look(self) -> list[Message]:
        with _no_collection():
            self._tick()
            if self._listening is not None:
                self._listening.look()
            if self._reader is not None and not self._evaluator.exited:
                self._identity.new_batch()
                self._fire(self._reader.round(self._clock.now()))
                self._adapt()
        return self._take()

    def _tick(self) -> None:
        if len(self._timers) and not self._evaluator.exited:
            due = self._timers.due(self._evaluator.clock())
            if due:
                self._counted.refresh()
                for clause, probe in due:
                    self._evaluator.fire_own(clause, probe)
                self._counted.settle()

    def _fire(self, records: list[Record]) -> None:
        """Fire what a round of the reader gave."""
        dispatch, reader = self._dispatch, self._reader
        assert dispatch is not None and reader is not None
        for row, count, cpu in reader.counted():
            dispatch.many(row[1])(row, count, cpu)
        fires, offset, evaluator = dispatch.fires, self._clock.offset, self._evaluator
        for stamp, cpu, row in records:
            fires[row[1]](row, stamp + offset, cpu)
            if evaluator.exited:
                return

    def _take(self) -> list[Message]:
        messages, self._messages = self._messages, []
        names = self._names.read() if self._names else []
        return [*messages, *names, *self._evaluator.take()]

    def _adapt(self) -> None:
        """Look late, so that batches are large, but before buffers fill, and soon when something waits."""
        reader = self._reader
        assert reader is not None
        longest = LATE_WAIT if self._hurries else LONGEST_WAIT
        now = time.monotonic()
        if reader.pending:
            self._wait = 0.0
        elif reader.filled > BUSY:
            self._wait = min(longest, max(FIRST_WAIT, (now - self._looked) * FULL / reader.filled))
        elif reader.holds:
            self._wait = FIRST_WAIT / 2
        else:
            self._wait = min(longest, max(self._wait, FIRST_WAIT) * 1.5)
        if not reader.pending:
            self._looked = now

    def _pause(self) -> float:
        tick = self._timers.until_next(self._evaluator.clock())
        return self._wait if tick is None else min(self._wait, tick)

    # --- what to say at the end ---

    def _sample_losses(self) -> Iterator[Loss]:
        for sampler in self._samplers:
            for cpu, count in sampler.lost.items():
                yield Loss("dropped", count, f"samples of cpu{cpu}", "sample less often")

    def _unread(self) -> Iterator[Loss]:
        """Strings that are shown empty because nobody could read them."""
        if self._late.lost:
            remedy = "--backend bcc reads strings while the event happens"
            yield Loss("unreadable", self._late.lost, "strings of processes that had ended", remedy)
        if self._layouts is not None and self._layouts.faults:
            remedy = "--backend bcc reads them when the call returns, where the program allows that"
            yield Loss("unreadable", self._layouts.faults, "strings not in memory when the event happened", remedy)

    def _notices(self) -> Iterator[Notice]:
        if self._identity.guessed:
            yield Notice(
                f"{self._identity.guessed} threads had ended before their process could be known: their own id and "
                "`<...>` stand for it"
            )
        if self._identity.programs.unknown:
            yield Notice(
                f"{self._identity.programs.unknown} programs had ended before their ABI could be known: their system "
                "calls are shown by the names of both"
            )
        if self._identity.late and self._asks_late():
            yield Notice("user, group and cgroup were read from /proc shortly after the events")
        if self._names is not None and self._names.refusal:
            yield Notice(self._names.refusal)
        if self._late.read_late:
            yield Notice("strings were read from the processes shortly after the events and may be newer than these")

    def _asks_late(self) -> bool:
        scope = self._model.program.scope
        sources = {column.source for event in self._model.events for column in event.columns}
        return bool(sources & {Source.UID, Source.GID, Source.CGROUP}) or bool(scope.cgroup) or scope.uid is not None


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Without the cycle collector, which would look through every record of a batch again and again; records hold no
    cycles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
