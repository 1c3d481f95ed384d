"""A program with its maps, fired one record at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from xtrace.core import ir
from xtrace.core.attach import USER_SPACE, Begin, End
from xtrace.core.evaluate.expressions import NAMES, Expressions
from xtrace.core.evaluate.statements import Statements
from xtrace.core.evaluate.storage import Store
from xtrace.core.histogram import linear_bucket, log2_bucket
from xtrace.core.lang.arithmetic import unsigned
from xtrace.core.messages import Exited, Hit, Loss, Message, Notice, Value
from xtrace.core.plan.capture import RECORD_BUILTINS

Handler = Callable[[Sequence[Value], int, int], None]
"""Fires one clause: slots in the order of `capture(clause).leaves`, boot clock in nanoseconds, CPU."""

ROUNDS = 1 << 20
"""How often a `while` may go round in one event before it is ended."""


def boot_clock() -> int:
    """Nanoseconds since boot, suspend included: what `nsecs` shows."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Evaluator:
    """Runs a program over records.

    Clauses of events must have been captured (`xtrace.core.plan.capture`): slot `i` of a record is the value of
    `ir.Captured(i)`, integers extended to 64 bits by their type. Clauses that user space fires need no capture; their
    builtins are this process's. Raises ValueError for a program that still has an uncaptured event value.

    Messages gather until `take` is called. After `exit()` every further event is ignored, until `finish` runs the
    `end` clauses.
    """

    def __init__(
        self, program: ir.Program, clock: Callable[[], int] = boot_clock, rounds: int = ROUNDS, cpus: int | None = None
    ) -> None:
        self.program = program
        self.clock = clock
        self.exited = False
        self._rounds = rounds
        self.stores: tuple[Store, ...] = tuple(Store(decl, n) for n, decl in enumerate(program.maps))
        self._by_name = {store.decl.name: store for store in self.stores}
        self._messages: list[Message] = []
        self._notices: dict[str, None] = {}
        self._cpus = cpus or os.cpu_count() or 1
        self._space = self._names()
        self.handlers: tuple[Handler, ...] = tuple(self._handler(clause) for clause in program.clauses)
        """One function per clause, for drivers that fire often."""

    def fire(self, clause: int, slots: Sequence[Value], nsecs: int = 0, cpu: int = -1) -> None:
        """One event of a clause. `nsecs` is the boot clock."""
        self.handlers[clause](slots, nsecs, cpu)

    def fire_own(self, clause: int, probe: str) -> None:
        """Fire a `begin`, `end` or `interval` clause now. `probe` is the name of the attach point."""
        self.handlers[clause]((probe,), self.clock(), current_cpu())

    def begin(self) -> None:
        """Fire the `begin` clauses."""
        self._fire_all(Begin)

    def take(self) -> list[Message]:
        """The messages since the last call, in order."""
        messages, self._messages[:] = list(self._messages), []
        return messages

    def finish(self) -> list[Message]:
        """What is left: the last messages, those of the `end` clauses, the maps in name order, and losses."""
        self.exited = False
        self._fire_all(End)
        self.exited = True
        messages = self.take()
        if self.program.config.print_maps_on_exit:
            messages += [s.dump() for s in sorted(self.stores, key=lambda s: s.decl.name) if s.entries]
        return [*messages, *self.losses(), *map(Notice, self._notices)]

    def losses(self) -> list[Loss]:
        """Updates that found their map full."""
        return [
            Loss("map-full", s.refused, f"@{s.decl.name}", more_room(self.program, s.decl))
            for s in self.stores
            if s.refused
        ]

    def store(self, name: str) -> Store:
        """The map `name`, for a driver that fills it from the kernel. Raises KeyError."""
        return self._by_name[name]

    def exit(self, code: int) -> None:
        """The program ends itself: nothing fires any more."""
        self.exited = True
        self._messages.append(Exited(code))

    def runaway(self, where: str) -> None:
        """A loop went on for too long and was left."""
        self._notices[f"the loop at {where} was ended after {self._rounds} rounds"] = None

    def _fire_all(self, kind: type) -> None:
        for index, clause in enumerate(self.program.clauses):
            for point in clause.attach:
                if isinstance(point, kind):
                    self.fire_own(index, point.name)

    def many(self, clause: int) -> Handler:
        """A function that fires an orderless clause (`xtrace.core.evaluate.orderless`) for any number of equal events:
        slots, the number, CPU."""
        return self._handler(self.program.clauses[clause], many=True)

    def _names(self) -> dict[str, Any]:
        """What generated code finds by name."""
        return {
            **NAMES,
            **{store.code: store.entries for store in self.stores},
            "state": self,
            "stores": self.stores,
            "out": self._messages.append,
            "Hit": Hit,
            "start": self.clock(),
            "rounds": self._rounds,
            "log2_bucket": log2_bucket,
            "linear_bucket": linear_bucket,
            "min_unsigned": lambda a, b: min(a, b, key=unsigned),
            "max_unsigned": lambda a, b: max(a, b, key=unsigned),
        }

    def _handler(self, clause: ir.Clause, many: bool = False) -> Handler:
        own = own_builtins() if all(isinstance(point, USER_SPACE) for point in clause.attach) else None
        expressions = Expressions(self._by_name, own, {"ncpus": self._cpus, "cpid": self.program.cpid})
        source = Statements(self.program, self._by_name, expressions).handler("handler", clause, many)
        space = {**self._space, **expressions.constants}
        where = clause.span.location() if clause.span else "clause"
        exec(compile(source, f"<{where}>", "exec"), space)  # our own text: numbers, quoted strings, chosen names
        handler: Handler = space["handler"]
        return handler


def more_room(program: ir.Program, decl: ir.MapDecl) -> str:
    """What to do about a map that was full."""
    if decl.capacity:
        return f"declare it larger: let @{decl.name} = hash({10 * decl.capacity})"
    return f"raise max_map_keys (now {program.config.max_map_keys}) in the program's config"


OWN_BUILTINS = frozenset(("pid", "tid", "ppid", "uid", "gid", "comm", "probe", *RECORD_BUILTINS))
"""The builtins that clauses have which xtrace fires itself."""


def own_builtins() -> Mapping[str, Value]:
    """The builtins of this process, which are those of `begin`, `end` and `interval`."""
    comm = Path("/proc/self/comm").read_text(errors="surrogateescape").rstrip("\n")
    pid = os.getpid()
    return {"pid": pid, "tid": pid, "ppid": os.getppid(), "uid": os.getuid(), "gid": os.getgid(), "comm": comm}


def current_cpu() -> int:
    """The CPU that this process runs on: field 39 of /proc/self/stat (proc(5))."""
    stat = Path("/proc/self/stat").read_text(errors="surrogateescape")
    return int(stat.rpartition(")")[2].split()[36])
