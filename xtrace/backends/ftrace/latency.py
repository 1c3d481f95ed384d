"""Times between two events of a thread, taken in the kernel: `@start[tid] = nsecs` at one, `nsecs - @start[tid]` at the
other.

The first event's trigger keeps the time by thread, the second's takes it away again and hands the difference to a
synthetic event, on which ordinary tables count (Documentation/trace/histogram.rst, "inter-event hist triggers"). A
variable that stands in an expression is read once (`read_once` of kernel/trace/trace_events_hist.c), so the program
must delete the key at that place: then both mean the same. Times are the trace clock's nanoseconds; `.usecs` would
round.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field, replace
from typing import NamedTuple, Optional

from xtrace.backends.ftrace.additions import additions
from xtrace.backends.ftrace.filters import Operand, kernel_filter
from xtrace.backends.ftrace.hist_fields import HistFields, Numeric, Offered, Stays, without_casts
from xtrace.backends.ftrace.hist_tables import TableMaker
from xtrace.backends.ftrace.model import HistKey, HistMap, KeyKind, Timing
from xtrace.core import ir
from xtrace.core.plan.capture import Capture, conjunction, conjuncts
from xtrace.core.plan.traverse import statements, with_blocks, with_expressions, within
from xtrace.core.records import dataclass
from xtrace.core.types import Int

NSECS = Int(8, False)
TIME = "lat"
"""The synthetic event's field with the difference."""
THREADS = 1 << 15
"""Room for threads: as many as there can be at once where kernel.pid_max has its default for small machines."""
_OF_ANY_EVENT = ("common_", "stacktrace")
"""Keys that every event has, because the kernel asks the current task for them."""


class Pair(NamedTuple):
    """Two clauses that time a thread through a map: what remains of them when the kernel does that.

    The latency is slot `slot` of the second clause. `test` is what the second clause demands besides a start.
    """

    map: str
    start: int
    end: int
    start_clause: ir.Clause
    end_clause: ir.Clause
    slot: int
    test: Optional[ir.Expr]


def pairs(captures: Sequence[Capture]) -> list[Pair]:
    """The pairs of a program that could be timed in the kernel."""
    found = []
    for number, made in enumerate(captures):
        for one in made.clause.body:
            if isinstance(one, ir.SetMap) and _is_now(one.value) and _is_thread(one.keys, made):
                found += [pair for pair in _endings(one, number, captures) if pair is not None]
    return found


def _endings(start: ir.SetMap, number: int, captures: Sequence[Capture]) -> list[Optional[Pair]]:
    begun = captures[number].clause
    rest = tuple(one for one in begun.body if one is not start)
    if _mentions(replace(begun, body=rest), start.map):
        return []
    uses = [n for n, made in enumerate(captures) if n != number and _mentions(made.clause, start.map)]
    return [_pair(start.map, number, replace(begun, body=rest), uses[0], captures[uses[0]])] if len(uses) == 1 else []


def _pair(name: str, start: int, begun: ir.Clause, end: int, made: Capture) -> Optional[Pair]:
    """The pair, or None where the second clause does more with the map than take a time and delete it."""
    clause, slot = made.clause, len(made.leaves)
    deletions = [one for one in clause.body if isinstance(one, ir.DeleteKey) and one.map == name]
    tests = conjuncts(clause.predicate)
    begins = [one for one in tests if _asks_for_start(one, name, made)]
    if len(deletions) != 1 or clause.body[-1] is not deletions[0] or not _is_thread(deletions[0].keys, made):
        return None
    if not begins:
        return None
    test = conjunction([one for one in tests if one not in begins])
    timed = _timed(clause.body[:-1], name, made, ir.Captured(slot, NSECS))
    end_clause = replace(clause, predicate=None, body=timed)
    if _mentions(end_clause, name) or (test is not None and _in(test, name)):
        return None
    return Pair(name, start, end, begun, end_clause, slot, test)


def _timed(body: tuple[ir.Stmt, ...], name: str, made: Capture, slot: ir.Captured) -> tuple[ir.Stmt, ...]:
    """The statements with the slot for every `nsecs - @start[tid]`."""

    def change(expr: ir.Expr) -> ir.Expr:
        if isinstance(expr, ir.Binary) and expr.op == "-" and _is_now(expr.left) and _is_start(expr.right, name, made):
            return slot
        changed: ir.Expr = with_expressions(expr, change)
        return changed

    def walk(block: tuple[ir.Stmt, ...]) -> tuple[ir.Stmt, ...]:
        return tuple(with_blocks(with_expressions(one, change), walk) for one in block)

    return walk(body)


def _asks_for_start(test: ir.Expr, name: str, made: Capture) -> bool:
    """`@start[tid]`, or `@start[tid] != 0`; times are never 0."""
    if isinstance(test, ir.Binary) and test.op == "!=" and test.right == ir.Const(0):
        test = test.left
    if isinstance(test, ir.MapHasKey):
        return test.map == name and _is_thread(test.keys, made)
    return _is_start(test, name, made)


def _is_start(expr: ir.Expr, name: str, made: Capture) -> bool:
    return isinstance(expr, ir.MapValue) and expr.map == name and _is_thread(expr.keys, made)


def _is_now(expr: ir.Expr) -> bool:
    return isinstance(expr, ir.Builtin) and expr.name == "nsecs"


def _is_thread(keys: tuple[ir.Expr, ...], made: Capture) -> bool:
    if len(keys) != 1 or not isinstance(keys[0], ir.Captured):
        return False
    leaf = made.leaves[keys[0].index]
    return isinstance(leaf, ir.Builtin) and leaf.name == "tid"


def _mentions(clause: ir.Clause, name: str) -> bool:
    parts = [clause.predicate] if clause.predicate is not None else []
    for statement in statements(clause.body):
        if getattr(statement, "map", "") == name:
            return True
        with_expressions(statement, lambda expr: parts.append(expr) or expr)  # type: ignore[func-returns-value]
    return any(_in(part, name) for part in parts)


def _in(expr: ir.Expr, name: str) -> bool:
    return any(getattr(part, "map", "") == name for part in within(expr))


@dataclass
class TimedFields:
    """What the tables on a synthetic event can use: the time, what the kernel knows of the current task, and fields of
    the second event, which are handed over as parameters."""

    end: HistFields
    pair: Pair
    declared: Callable[[str], str]
    """The C type of a field of the second event. Raises Stays."""
    parameters: dict[str, str] = field(default_factory=dict)
    """Declaration by the second event's field."""

    def key(self, expr: ir.Expr, condition: Optional[ir.Expr]) -> HistKey:
        """As `HistFields.key`."""
        if self._is_time(expr):
            raise Stays("a key is a time")
        made = self.end.key(expr, conjunction([*conjuncts(self.pair.test), *conjuncts(condition)]))
        if made.kind is KeyKind.CONSTANT or made.field.startswith(_OF_ANY_EVENT):
            return made
        return replace(made, field=self._passed(made.field, made.kind is KeyKind.TEXT))

    def number(self, expr: ir.Expr) -> Numeric:
        """As `HistFields.number`."""
        if self._is_time(expr):
            return Numeric(TIME, 8, False)
        made = self.end.number(expr)
        return Numeric(self._passed(made.field, False), made.size, made.signed)

    def filter(self, condition: Optional[ir.Expr]) -> str:
        """As `HistFields.filter`, of the synthetic event."""
        if condition is None:
            return ""
        made = kernel_filter(condition, self._operand, self.end.features.bit_tests)
        if made is None or not made.exact:
            raise Stays("an event filter cannot test a condition on the time")
        return made.text

    def _operand(self, expr: ir.Expr) -> Optional[Operand]:
        if self._is_time(expr):
            return Operand(TIME, 8, False)
        found = self.end.operand(expr)
        if found is None or found.name == "comm" or found.name.startswith("common_"):
            return found
        return replace(found, name=self._passed(found.name, bool(found.text_size)))

    def _is_time(self, expr: ir.Expr) -> bool:
        inner = without_casts(expr)
        return isinstance(inner, ir.Captured) and inner.index == self.pair.slot

    def _passed(self, name: str, text: bool) -> str:
        """The synthetic event's name of a field of the second event."""
        self.parameters.setdefault(name, "char[]" if text else self.declared(name))
        return f"f{list(self.parameters).index(name)}"


def timed_tables(maker: TableMaker, pair: Pair, number: int) -> tuple[Timing, tuple[HistMap, ...], tuple[HistMap, ...]]:
    """How the kernel takes the times of a pair, with the tables of its first and its second clause. Raises Stays."""
    for fact in ("tracefs.hist_variables", "tracefs.synthetic"):
        if not maker.features.has(fact):
            raise Stays(f"this kernel's triggers cannot hand on times ({maker.features.evidence(fact)})")
    starts, ends = list(maker.fields_of(pair.start)), list(maker.fields_of(pair.end))
    if len(starts) != 1 or len(ends) != 1:
        raise Stays("times are taken from or to several events")
    (start, begun), (end, ended) = starts[0], ends[0]
    fields = TimedFields(ended, pair, lambda name: declared_type(ended, name))
    event = maker.events + number
    first = tuple(one for made in additions(pair.start_clause) for one in maker.tables(pair.start, start, made, begun))
    second = tuple(one for made in additions(pair.end_clause) for one in maker.tables(pair.end, event, made, fields))
    timing = Timing(
        pair.map,
        number,
        start,
        end,
        begun.filter(pair.start_clause.predicate),
        ended.filter(pair.test),
        tuple((kind, name) for name, kind in fields.parameters.items()),
        THREADS,
    )
    if not maker.asked:
        raise Offered("timing in the kernel costs the traced task more than records (--aggregate kernel pays that)")
    return timing, first, second


def declared_type(fields: HistFields, name: str) -> str:
    """The C type of an event's field, as the kernel's own format has it. Raises Stays."""
    arguments = dict(fields.place.columns.arguments)
    if name in arguments:
        return arguments[name].rpartition(":")[2]
    found = next((m for m in getattr(fields.place.attach, "fields", ()) if m.name == name), None)
    if found is None or not found.declaration.endswith(f" {name}"):
        raise Stays(f"a synthetic event cannot hold the field {name}")
    return str(found.declaration[: -len(name)]).strip()
