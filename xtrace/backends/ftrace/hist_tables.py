"""The tables of hist triggers that keep a map: one for counts and sums, several for a histogram."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Optional, Protocol, Union

from xtrace.backends.ftrace import hist
from xtrace.backends.ftrace.additions import Addition, additions
from xtrace.backends.ftrace.buckets import Table, log2_tables, range_tables
from xtrace.backends.ftrace.features import Features
from xtrace.backends.ftrace.hist_fields import HistFields, Numeric, Offered, Stays
from xtrace.backends.ftrace.model import HistKey, HistMap, Holds, KeyKind
from xtrace.backends.ftrace.placement import Placed
from xtrace.core import ir
from xtrace.core.attach import Profile
from xtrace.core.plan.capture import Capture
from xtrace.core.records import dataclass
from xtrace.core.types import Avg, Count, Hist, Int, LinearHist, Max, Min, Stats, Sum

_KEPT = (Count, Sum, Avg, Stats, Hist, LinearHist, Int)
THREADS_PER_KEY, BUCKETS_PER_KEY, RANGES_ROOM = 4, 8, 1024
"""How much larger tables are than their maps: threads for one process, buckets for one key; and the most that one of
many tables for the same map takes."""


class Fields(Protocol):
    """What of an event tables can use; all raise Stays."""

    def key(self, expr: ir.Expr, condition: Optional[ir.Expr]) -> HistKey: ...

    def number(self, expr: ir.Expr) -> Numeric: ...

    def filter(self, condition: Optional[ir.Expr]) -> str: ...


@dataclass(frozen=True)
class TableMaker:
    """Makes the tables of one clause. `names`: a name that a thread had first will do."""

    program: ir.Program
    captures: Sequence[Capture]
    placed: Sequence[Placed]
    features: Features
    names: bool

    @property
    def asked(self) -> bool:
        return self.program.config.aggregate == "kernel"

    @property
    def events(self) -> int:
        """How many events the kernel itself makes."""
        return sum(not isinstance(one.attach, Profile) for one in self.placed)

    def tables_of(self, number: int) -> Iterator[HistMap]:
        """The tables that a clause's events feed. Raises Stays."""
        clause = self.captures[number].clause
        if any(isinstance(point, Profile) for point in clause.attach):
            raise Stays("samples are no events of tracefs")
        for addition in additions(clause):
            for event, fields in self.fields_of(number):
                yield from self.tables(number, event, addition, fields)

    def fields_of(self, number: int) -> Iterator[tuple[int, HistFields]]:
        """A clause's events by their numbers in the model."""
        events = [one for one in self.placed if not isinstance(one.attach, Profile)]
        for event, place in enumerate(events):
            columns = dict(place.clauses).get(number)
            if columns is not None:
                names = self.names and self.asked
                yield event, HistFields(self.captures[number], place, columns, self.features, self.asked, names)

    def tables(self, number: int, event: int, addition: Addition, fields: Fields) -> Iterator[HistMap]:
        """The tables that one event feeds for one addition. Raises Stays."""
        statement = addition.statement
        decl = self.program.map(statement.map)
        if isinstance(decl.value, (Min, Max)):
            # check_track_val and save_track_val of kernel/trace/trace_events_hist.c, without a lock.
            raise Stays(f"@{decl.name}: of two events at once the kernel's onmax may keep the smaller; it has no onmin")
        if not isinstance(decl.value, _KEPT) or decl.lru:
            raise Stays(
                f"@{decl.name} is none of the counts, sums, averages and histograms that the kernel's tables keep"
            )
        keys = tuple(fields.key(key, addition.condition) for key in statement.keys)
        test = fields.filter(addition.condition)
        plain = HistMap(statement.map, event, number, keys, filter=test)
        for one in self._shaped(plain, decl, statement, fields):
            if len(hist.table_keys(one)) > hist.MAX_KEYS:
                raise Stays(f"the kernel's tables have at most {hist.MAX_KEYS} keys")
            if len(hist.trigger(one).encode("utf-8", "surrogateescape")) > hist.MAX_TRIGGER:
                raise Stays("its predicate is too long for a trigger")
            yield one

    def _shaped(
        self, plain: HistMap, decl: ir.MapDecl, statement: Union[ir.Aggregate, ir.AddMap], fields: Fields
    ) -> Iterator[HistMap]:
        room = self._room(decl, plain.keys)
        if isinstance(statement, ir.AddMap):
            yield _adding(replace(plain, size=room), statement.by, fields)
        elif statement.value is None:
            yield replace(plain, size=room)
        elif isinstance(decl.value, (Hist, LinearHist)):
            tables, value = self._buckets(decl.value, statement.value, fields)
            yield from _histogram(plain, tables, value, room)
        else:
            yield replace(plain, size=room, value=fields.number(statement.value).field)

    def _buckets(
        self, kind: Union[Hist, LinearHist], expr: ir.Expr, fields: Fields
    ) -> tuple[tuple[Table, ...], Numeric]:
        divided = expr if isinstance(expr, ir.Binary) and expr.op == "/" else None
        if divided is None and isinstance(kind, Hist) and kind.bits == 0:
            value = fields.number(expr)
            return log2_tables(value), value
        if not self.asked:
            raise Offered("a table for each of its buckets costs more than a record (--aggregate kernel pays that)")
        if divided is None:
            value = fields.number(expr)
            return range_tables(kind, value, 1), value
        value = fields.number(divided.left)
        if not isinstance(divided.right, ir.Const) or divided.right.value <= 0 or value.signed != divided.signed:
            raise Stays("the value is computed")
        return range_tables(kind, value, divided.right.value), value

    def _room(self, decl: ir.MapDecl, keys: tuple[HistKey, ...]) -> int:
        """The size of a table for a map's keys."""
        if all(key.kind is KeyKind.CONSTANT for key in keys):
            return hist.MIN_SIZE
        threads = any(key.kind in (KeyKind.PROCESS, KeyKind.NAME) for key in keys)
        return hist.size_for(self.program.room(decl) * (THREADS_PER_KEY if threads else 1))


def _adding(table: HistMap, by: ir.Expr, fields: Fields) -> HistMap:
    """`@n += by`: a constant for each hit, or a field's sum."""
    if isinstance(by, ir.Const):
        return replace(table, factor=by.value)
    return replace(table, value=fields.number(by).field)


def _histogram(plain: HistMap, tables: tuple[Table, ...], value: Numeric, room: int) -> Iterator[HistMap]:
    keyed = room > hist.MIN_SIZE
    for table in tables:
        test = " && ".join(f"({part})" for part in (plain.filter, table.condition) if part)
        if table.holds is Holds.BUCKET:
            yield replace(plain, filter=test, holds=table.holds, bucket=table.bucket, size=min(room, RANGES_ROOM))
        else:
            size = hist.size_for(room * BUCKETS_PER_KEY) if keyed else hist.MIN_SIZE
            yield replace(plain, filter=test, holds=table.holds, operand=value.field, size=size)
