"""Which maps the kernel keeps by hist triggers, with the evaluator's results.

A trigger counts hits or sums a field by at most three keys. It sees neither set_event_pid nor the event's own filter
(kernel/trace/trace.h, __event_trigger_test_discard runs after it), so it serves programs about everybody, with the
predicate as its own filter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from xtrace.backends.ftrace import hist
from xtrace.backends.ftrace.additions import ADDED
from xtrace.backends.ftrace.features import Features
from xtrace.backends.ftrace.hist_fields import Offered, Stays, Unnamed
from xtrace.backends.ftrace.hist_tables import TableMaker
from xtrace.backends.ftrace.latency import Pair, pairs, timed_tables
from xtrace.backends.ftrace.model import HistMap, Kept, KeyKind, Timing
from xtrace.backends.ftrace.placement import Placed
from xtrace.core import ir
from xtrace.core.attach import USER_SPACE
from xtrace.core.plan.capture import Capture
from xtrace.core.plan.traverse import all_expressions, statements


def kernel_maps(
    program: ir.Program, captures: Sequence[Capture], placed: Sequence[Placed], features: Features, names: bool
) -> Kept:
    """The tables that triggers can keep for a program. `names`: a name that a thread had first will do where the user
    asks for the kernel."""
    candidates = [n for n, made in enumerate(captures) if _feeds(made.clause)]
    if not candidates or program.config.aggregate == "user":
        return Kept()
    reason = _whole_program(program, features)
    if reason:
        return Kept((), (f"fed in user space: {reason}",))
    work = _Work(TableMaker(program, captures, placed, features, names))
    paired = pairs(captures)
    for pair in paired:
        work.time(pair)
    for number in candidates:
        if number not in work.tables and not any(number == pair.end for pair in paired):
            work.count(number)
    work.settle()
    return work.kept()


class _Work:
    """What has been found so far: tables and maps by clause, reasons as keys."""

    def __init__(self, maker: TableMaker) -> None:
        self._maker = maker
        self.tables: dict[int, tuple[HistMap, ...]] = {}
        self._maps: dict[int, set[str]] = {}
        self._timings: list[Timing] = []
        self._reasons: dict[str, None] = {}
        self._unnamed: set[int] = set()
        self._offered = False

    def count(self, number: int) -> None:
        """Let the kernel do what a clause counts, if it can."""
        try:
            self._take(number, tuple(self._maker.tables_of(number)))
        except Stays as stays:
            self._left(number, stays)

    def time(self, pair: Pair) -> None:
        """Let the kernel take the times of two clauses, if it can."""
        try:
            timing, begun, ended = timed_tables(self._maker, pair, len(self._timings))
        except Stays as stays:
            self._left(pair.end, stays)
            return
        self._timings.append(timing)
        self._take(pair.start, begun, timing.map)
        self._take(pair.end, ended, timing.map)

    def _take(self, number: int, tables: tuple[HistMap, ...], *maps: str) -> None:
        self.tables[number] = tables
        self._maps[number] = {*(one.map for one in tables), *maps}

    def _left(self, number: int, stays: Stays) -> None:
        if isinstance(stays, Unnamed):
            self._unnamed.add(number)
        self._offered = self._offered or isinstance(stays, Offered)
        self._say(number, str(stays))

    def _say(self, number: int, reason: str) -> None:
        names = ", ".join(f"@{name}" for name in dict.fromkeys(_maps_of(self._maker.program.clauses[number])))
        self._reasons[f"fed in user space: {names}: {reason}"] = None

    def settle(self) -> None:
        """Take out clauses whose maps user space needs as well, until none is left."""
        while True:
            shared = _used_elsewhere(self._maker.program, set(self.tables))
            mixed = [number for number, maps in self._maps.items() if maps & shared]
            if not mixed:
                return
            for number in mixed:
                del self.tables[number], self._maps[number]
                self._say(number, "user space reads or changes one of them while events come")

    def kept(self) -> Kept:
        """The result. Synthetic events are numbered without gaps, whatever `settle` has taken out."""
        first = self._maker.events
        timings = [one for one in self._timings if any(one.map in maps for maps in self._maps.values())]
        moved = {first + one.number: first + number for number, one in enumerate(timings)}
        tables = tuple(
            replace(one, event=moved.get(one.event, one.event)) for made in self.tables.values() for one in made
        )
        renumbered = tuple(replace(one, number=number) for number, one in enumerate(timings))
        clauses = frozenset(self.tables)
        coarser = _coarser(tables, renumbered)
        unnamed = frozenset(self._unnamed)
        return Kept(tables, tuple(self._reasons), coarser, unnamed, clauses, renumbered, self._offered)


def _coarser(tables: tuple[HistMap, ...], timings: tuple[Timing, ...]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for table in tables:
        kinds = {key.kind for key in table.keys}
        if KeyKind.NAME in kinds:
            found[f"@{table.map}: a thread counts under the name that it had at its first event"] = None
        if any(key.mark for key in table.keys):
            found[f"@{table.map}: the ABI of system calls is not known, so each has the names of both"] = None
        if KeyKind.STACK in kinds:
            found[f"@{table.map}: {_stacks(table)}"] = None
    for timing in timings:
        found[f"@{timing.map}: starts without an end are not shown when the trace ends"] = None
    return tuple(found)


def _stacks(table: HistMap) -> str:
    """The kernel skips five frames of every stack as the tracer's own, be they that or not (HIST_STACKTRACE_SKIP)."""
    probed = any(key.kind is KeyKind.STACK and key.start for key in table.keys)
    lack = "" if probed else "; those nearest to the event may be missing"
    return f"stacks are cut to {hist.STACK_DEPTH} frames, the tracer's own included, and named by the kernel{lack}"


def _whole_program(program: ir.Program, features: Features) -> str:
    """Why no trigger serves, or ""."""
    scope = program.scope
    if not features.hist_triggers:
        return f"this kernel has no hist triggers ({features.evidence('tracefs.hist_triggers')})"
    if scope.pid is not None:
        return "triggers heed no set_event_pid, and their filters tell threads, of which a process may start more"
    if scope.uid is not None or scope.cgroup is not None:
        return "no event carries the user or the cgroup, so a trigger's filter cannot tell them"
    return ""


def _feeds(clause: ir.Clause) -> bool:
    """Does a clause of kernel events add to maps?"""
    if any(isinstance(point, USER_SPACE) for point in clause.attach):
        return False
    return any(isinstance(one, ADDED) for one in statements(clause.body))


def _maps_of(clause: ir.Clause) -> list[str]:
    return [one.map for one in statements(clause.body) if isinstance(one, ADDED)]


def _used_elsewhere(program: ir.Program, kept: set[int]) -> set[str]:
    """Maps that clauses which stay in user space touch, other than by what user space does between events."""
    used: set[str] = set()
    for number, clause in enumerate(program.clauses):
        own = all(isinstance(point, USER_SPACE) for point in clause.attach)
        if number in kept:
            continue
        for statement in statements(clause.body):
            if hasattr(statement, "map"):
                used.add(statement.map)
            shown = getattr(program.sites[statement.site], "map", None) if isinstance(statement, ir.Output) else None
            if shown is not None and not own:
                used.add(shown)
        used.update(expr.map for expr in all_expressions(clause) if hasattr(expr, "map"))
    return used
