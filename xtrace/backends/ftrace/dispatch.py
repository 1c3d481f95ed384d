"""From event ids to what happens: the clauses and the bookkeeping that a record feeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Optional

from xtrace.backends.ftrace.decode import TID
from xtrace.backends.ftrace.identity import Identity
from xtrace.backends.ftrace.layouts import IDENTITY_FIELDS, Kind, Layouts, row_places
from xtrace.backends.ftrace.model import Column, Event, Follow, FtraceModel, Source
from xtrace.backends.ftrace.model import Handler as ModelHandler
from xtrace.backends.ftrace.reader import Orderless
from xtrace.backends.ftrace.ring_buffer import Row
from xtrace.backends.ftrace.slots import LateStrings, slots_of
from xtrace.backends.ftrace.tally import tally_of
from xtrace.core import ir
from xtrace.core.evaluate.evaluator import Evaluator, Handler
from xtrace.core.evaluate.orderless import orderless
from xtrace.core.plan.traverse import with_blocks, with_expressions

Fire = Callable[[Row, int, int], None]
"""Handles one record: row, boot clock, CPU; the form of the evaluator's own handlers."""
Test = Callable[[Row], bool]
Runs = Callable[[int], Handler]
"""What fires a clause, by its number."""

_OF_IDENTITY = frozenset(
    (Source.PID, Source.COMM, Source.UID, Source.GID, Source.PPID, Source.CGROUP, Source.SYSCALL_ABI)
)
_COUNTED = frozenset((Source.FIELD, Source.TID, Source.CONSTANT)) | _OF_IDENTITY
"""Where the values of events that are counted before they are fired may come from."""

_BEYOND_SCOPE = ("sched_switch", "sched_wakeup", "sched_wakeup_new", "sched_waking")
"""Events that set_event_pid lets through for either of the two tasks that they are about
(kernel/trace/trace_events.c, event_filter_pid_sched_switch_probe_pre)."""


def by_rows(program: ir.Program, places: dict[int, tuple[int, ...]]) -> ir.Program:
    """The program with the slots of these clauses numbered as the rows of their event are."""

    def clause(number: int, old: ir.Clause) -> ir.Clause:
        if number not in places:
            return old
        return _renumbered(old, places[number])

    return replace(program, clauses=tuple(clause(n, old) for n, old in enumerate(program.clauses)))


def _renumbered(clause: ir.Clause, places: tuple[int, ...]) -> ir.Clause:
    def expression(expr: ir.Expr) -> ir.Expr:
        if isinstance(expr, ir.Captured):
            return replace(expr, index=places[expr.index])
        changed: ir.Expr = with_expressions(expr, expression)
        return changed

    def block(body: tuple[ir.Stmt, ...]) -> tuple[ir.Stmt, ...]:
        return tuple(with_blocks(with_expressions(statement, expression), block) for statement in body)

    predicate = None if clause.predicate is None else expression(clause.predicate)
    return replace(clause, predicate=predicate, body=block(clause.body))


class Dispatch:
    """Makes `fires`: what to do with the records of each event id. The evaluator's program is by rows."""

    def __init__(
        self, model: FtraceModel, made: Layouts, identity: Identity, evaluator: Evaluator, late: LateStrings
    ) -> None:
        self._model = model
        self._made = made
        self._identity = identity
        self._evaluator = evaluator
        self._late = late
        self._test = _scope_test(model.program.scope, identity)
        self._rows = row_places(model, made)
        one = evaluator.handlers.__getitem__
        self.fires: dict[int, Fire] = {number: self._kind_fire(kind, one) for number, kind in made.kinds.items()}
        for number, (fed, _, columns) in enumerate(model.profiles):
            self.fires[profile_kind(number)] = self._profile_fire(fed, columns)
        self._many: dict[int, Fire] = {}

    def many(self, number: int) -> Fire:
        """What fires records of an event id of `orderless`, any number of equal ones at once: row, number, CPU."""
        if number not in self._many:
            self._many[number] = self._kind_fire(self._made.kinds[number], self._evaluator.many)
        return self._many[number]

    def orderless(self) -> Orderless:
        """The events that may be counted before they are fired."""
        found = Orderless(turning=[number for number, kind in self._made.kinds.items() if kind.identity])
        clauses = orderless(self._evaluator.program)
        for number, kind in self._made.kinds.items():
            tally = tally_of(self._made.extractors[number])
            if tally is not None and self._made.stacks is None and self._may_be_counted(kind, clauses):
                found.tallies[number] = tally
                if self._tested(kind) or _OF_IDENTITY & _sources(kind):
                    found.dated.add(number)
        return found

    @staticmethod
    def _may_be_counted(kind: Kind, clauses: frozenset[int]) -> bool:
        fed = {handler.clause for event in kind.events for handler in event.handlers}
        return not kind.identity and fed <= clauses and _sources(kind) <= _COUNTED

    def _kind_fire(self, kind: Kind, runs: Runs) -> Fire:
        clauses = sorted(
            ((handler.clause, self._clause_fire(event.columns, handler, kind.places, runs))
             for event in kind.events for handler in event.handlers),
            key=lambda pair: pair[0],
        )  # fmt: skip
        if self._tested(kind):
            clauses = [(number, self._in_scope(number, fire)) for number, fire in clauses]
        fire = _in_turn([one for _, one in clauses])
        if kind.identity:
            fire = _with_identity(fire, kind.identity, kind.places, self._identity)
        return fire

    def _tested(self, kind: Kind) -> bool:
        """Must user space tell whether records are of the scope?"""
        return self._test is not None and not all(self._limited_by_kernel(event) for event in kind.events)

    def _in_scope(self, clause: int, fire: Fire) -> Fire:
        scoped = self._model.program.clauses[clause].scoped
        return _tested(fire, self._test) if scoped and self._test is not None else fire

    def _limited_by_kernel(self, event: Event) -> bool:
        """Has the kernel recorded this event for threads of the scope alone?"""
        scope = self._model.program.scope
        exact = self._model.recording.follow is Follow.KERNEL and scope.follow
        return exact and scope.uid is None and scope.cgroup is None and event.name not in _BEYOND_SCOPE

    def _profile_fire(self, fed: Sequence[ModelHandler], columns: tuple[Column, ...]) -> Fire:
        one = self._evaluator.handlers.__getitem__
        inner = _in_turn([self._in_scope(part.clause, self._clause_fire(columns, part, {}, one)) for part in fed])
        seen = self._identity.seen

        def fire(row: Row, nsecs: int, cpu: int) -> None:
            seen(row[TID], row[TID + 1])
            inner(row, nsecs, cpu)

        return fire

    def _clause_fire(
        self, columns: tuple[Column, ...], handler: ModelHandler, places: dict[str, int], runs: Runs
    ) -> Fire:
        run = runs(handler.clause)
        if handler.clause in self._rows:
            return run
        slots = slots_of([columns[i] for i in handler.columns], places, self._identity, self._late)

        def fire(row: Row, nsecs: int, cpu: int) -> None:
            run(slots(row, cpu), nsecs, cpu)

        return fire


def _sources(kind: Kind) -> frozenset[Source]:
    return frozenset(column.source for event in kind.events for column in event.columns)


def profile_kind(number: int) -> int:
    """What stands for an event id in samples of profile probe `number`."""
    return -1 - number


def _in_turn(fires: list[Fire]) -> Fire:
    if len(fires) == 1:
        return fires[0]

    def fire(row: Row, nsecs: int, cpu: int) -> None:
        for one in fires:
            one(row, nsecs, cpu)

    return fire


def _tested(inner: Fire, test: Test) -> Fire:
    def fire(row: Row, nsecs: int, cpu: int) -> None:
        if test(row):
            inner(row, nsecs, cpu)

    return fire


def _scope_test(scope: ir.Scope, identity: Identity) -> Optional[Test]:
    """What a row must meet to count; None where all do. The kernel's own limits only make the stream shorter."""
    tests: list[Test] = []
    if scope.pid is not None:
        inside = identity.inside
        tests.append(lambda row: row[TID] in inside)
    if scope.uid is not None:
        wanted = scope.uid
        tests.append(lambda row: identity.uid(row[TID]) == wanted)
    if scope.cgroup is not None:
        tests.append(_cgroup_test(scope.cgroup, identity))
    if not tests:
        return None
    return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)


def _cgroup_test(path: str, identity: Identity) -> Test:
    wanted = "/" + path.removeprefix("/sys/fs/cgroup").removeprefix("/unified").strip("/")
    below = wanted.rstrip("/") + "/"

    def test(row: Row) -> bool:
        found = identity.cgroup(row[TID])[0]
        return found == wanted or found.startswith(below)

    return test


def _with_identity(inner: Fire, event: str, places: dict[str, int], identity: Identity) -> Fire:
    if event == "task_newtask":
        pid, comm, flags = (places[name] for name in IDENTITY_FIELDS[event])

        def forked(row: Row, nsecs: int, cpu: int) -> None:
            identity.forked(row[TID], row[pid], row[comm], row[flags])
            inner(row, nsecs, cpu)

        return forked
    if event == "task_rename":
        pid, comm = (places[name] for name in IDENTITY_FIELDS[event])

        def renamed(row: Row, nsecs: int, cpu: int) -> None:
            inner(row, nsecs, cpu)
            identity.renamed(row[pid], row[comm])

        return renamed

    if event == "sched_process_exec":
        (path,) = (places[name] for name in IDENTITY_FIELDS[event])

        def executed(row: Row, nsecs: int, cpu: int) -> None:
            identity.programs.executed(row[TID], row[path])
            inner(row, nsecs, cpu)

        return executed

    def exited(row: Row, nsecs: int, cpu: int) -> None:
        inner(row, nsecs, cpu)
        identity.exited(row[TID])

    return exited
