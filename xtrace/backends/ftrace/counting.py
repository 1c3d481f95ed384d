"""Maps that the kernel keeps, brought into the evaluator's maps whenever user space looks at them.

The kernel's tables only grow. What a program cleared or zeroed is remembered as a base that is taken off, because
clearing the table itself would lose what came between reading and clearing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Union

from xtrace.backends.ftrace import hist
from xtrace.backends.ftrace.identity import Identity
from xtrace.backends.ftrace.instance import Instance
from xtrace.backends.ftrace.model import FtraceModel, HistKey, HistMap, Holds, KeyKind
from xtrace.backends.ftrace.synthetic import variables
from xtrace.core.errors import BackendError
from xtrace.core.evaluate.evaluator import Evaluator
from xtrace.core.evaluate.storage import Store
from xtrace.core.histogram import log2_bucket
from xtrace.core.lang.arithmetic import convert, wrap
from xtrace.core.messages import Loss, Notice, StackValue, Value
from xtrace.core.types import AGGREGATIONS, Avg, Count, CType, Hist, Int, LinearHist, Stats

_TIMED_REMEDY = "the kernel notes times of so many threads only: --aggregate user forgets those that ended"
RawKey = tuple[Union[int, str, StackValue, "Process"], ...]
"""A map's key as the tables have it: threads for processes."""
Parts = dict[int, int]
"""A map's value as numbers that add up: by bucket for histograms, hits and sum for averages, one number for others."""


class Process(NamedTuple):
    """The process of a thread, which may be known only later."""

    thread: int


class KernelMaps:
    """`refresh` before user space's clauses run, `settle` after."""

    def __init__(self, model: FtraceModel, instance: Instance, evaluator: Evaluator, identity: Identity) -> None:
        self._model = model
        self._instance = instance
        self._identity = identity
        names = tuple(dict.fromkeys(one.map for one in model.hists))
        self._maps = {name: _KernelMap(evaluator.store(name)) for name in names}
        self._dropped: dict[str, int] = {}

    def refresh(self) -> None:
        """Bring the maps up to date. Raises BackendError where the kernel's tables cannot be read."""
        if not self._maps:
            return
        try:
            totals = self._read()
        except (OSError, ValueError) as error:
            raise BackendError.of("XT0813", f"the kernel's counts cannot be read: {error}") from error
        for name, kept in self._maps.items():
            kinds = kept.store.decl.keys
            kept.refresh(totals[name], {raw: self._shown_key(raw, kinds) for raw in totals[name]})

    def settle(self) -> None:
        """Remember what clauses have taken away since `refresh`."""
        for kept in self._maps.values():
            kept.settle()

    def losses(self) -> list[Loss]:
        """Updates that found a table full."""
        timed = {f"@{timing.map}" for timing in self._model.timings}
        remedy = f"raise max_map_keys (now {self._model.program.config.max_map_keys}) in the program's config"
        return [
            Loss("map-full", count, name, _TIMED_REMEDY if name in timed else remedy)
            for name, count in self._dropped.items()
            if count
        ]

    def notices(self) -> list[Notice]:
        """What is not certain of the maps."""
        by_process = any(key.kind is KeyKind.PROCESS for one in self._model.hists for key in one.keys)
        if not by_process or not self._identity.reused:
            return []
        return [
            Notice(
                f"{self._identity.reused} thread ids were given to another process meanwhile: the kernel counts by "
                "thread, so what their first process did counts for the last"
            )
        ]

    def _read(self) -> dict[str, dict[RawKey, Parts]]:
        totals: dict[str, dict[RawKey, Parts]] = {name: {} for name in self._maps}
        self._dropped = {f"@{name}": 0 for name in self._maps}
        for event in dict.fromkeys(one.event for one in self._model.hists):
            text = self._table(event)
            for one in self._model.hists:
                if one.event == event:
                    section = hist.section_of(text, one)
                    add_rows(totals[one.map], one, self._maps[one.map].store, hist.rows(section, one))
                    self._dropped[f"@{one.map}"] += hist.dropped(section)
        self._read_timings()
        return totals

    def _read_timings(self) -> None:
        for timing in self._model.timings:
            kept, taken = variables(timing)
            full = sum(
                hist.dropped(section)
                for number, variable in ((timing.start, kept), (timing.end, taken))
                for section in hist.sections_with(self._table(number), variable)
            )
            self._dropped[f"@{timing.map}"] = full

    def _table(self, number: int) -> bytes:
        directory = self._instance.text(self._model.events[number].directory)
        return Path(self._instance.tracefs.root, self._instance.path, directory, "hist").read_bytes()

    def _shown_key(self, raw: RawKey, kinds: tuple[CType, ...]) -> tuple[Value, ...]:
        found = (self._identity.pid(part.thread) if isinstance(part, Process) else part for part in raw)
        return tuple(
            convert(part, kind.size, kind.signed) if isinstance(part, int) and isinstance(kind, Int) else part
            for part, kind in zip(found, kinds)
        )


class _KernelMap:
    """One map: what the kernel had at the last look, and what of that the program has cleared."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._totals: dict[RawKey, Parts] = {}
        self._base: dict[RawKey, Parts] = {}
        self._keys: Mapping[RawKey, tuple[Value, ...]] = {}
        self._given: dict[tuple[Value, ...], Any] = {}

    def refresh(self, totals: dict[RawKey, Parts], keys: Mapping[RawKey, tuple[Value, ...]]) -> None:
        entries, before = self.store.entries, set(self.store.entries)
        found: dict[tuple[Value, ...], Parts] = {}
        fresh: set[tuple[Value, ...]] = set()
        for raw, total in totals.items():
            base = self._base.get(raw, {})
            into = found.setdefault(keys[raw], {})
            for part, number in total.items():
                into[part] = into.get(part, 0) + number - base.get(part, 0)
            if raw not in self._base or total != base:
                fresh.add(keys[raw])
        entries.clear()
        for key, parts in found.items():
            if key in fresh or key in before:
                entries[key] = state_of(self.store, parts)
        self._totals, self._keys = totals, keys
        self._given = {key: _copy(state) for key, state in entries.items()}

    def settle(self) -> None:
        taken = {key for key, state in self._given.items() if self.store.entries.get(key) != state}
        for raw, key in self._keys.items():
            if key in taken:
                self._base[raw] = self._totals[raw]


def add_rows(into: dict[RawKey, Parts], table: HistMap, store: Store, rows: Iterable[hist.TableRow]) -> None:
    """Add what a table says of its map."""
    for row in rows:
        raw = tuple(_raw(key, hist.cell_of(key, row.cells)) for key in table.keys)
        parts = into.setdefault(raw, {})
        for part, number in _parts(table, store, row):
            parts[part] = parts.get(part, 0) + number


def _raw(key: HistKey, cell: hist.Cell) -> int | str | StackValue | Process:
    if isinstance(cell, tuple):
        return StackValue((), frames=_from_function(tuple(map(str, cell)), key.start)[: key.depth])
    if isinstance(cell, int) and key.kind is KeyKind.PROCESS:
        return Process(cell)
    return convert(cell, key.size, key.signed) + key.mark if isinstance(cell, int) else cell


def _from_function(frames: tuple[str, ...], function: str) -> tuple[str, ...]:
    """A stack without the tracer's own frames, which end where the probe is."""
    for number, frame in enumerate(frames):
        if function and frame.partition("+")[0] == function:
            return frames[number:]
    return frames


def _parts(table: HistMap, store: Store, row: hist.TableRow) -> list[tuple[int, int]]:
    if table.holds is Holds.BUCKET:
        return [(table.bucket, row.hits)]
    if table.holds is Holds.LOG2:
        exponent = row.cells[f"{table.operand}.log2"]
        assert isinstance(exponent, int)
        return [(log2_bucket(1 << exponent - 1), row.hits)]
    if table.holds is Holds.POWERS:
        value = row.cells[table.operand]
        assert isinstance(value, int)
        counted_below = [(log2_bucket(value >> 1), -row.hits)] if value > 1 else []
        return [(log2_bucket(value), row.hits), *counted_below]
    if isinstance(store.decl.value, (Avg, Stats)):
        return [(0, row.hits), (1, row.total)]
    if isinstance(store.decl.value, Count):
        return [(0, row.hits)]
    return [(0, row.total if table.value else row.hits * table.factor)]


def state_of(store: Store, parts: Parts) -> Any:
    """The numbers as the evaluator keeps a map's value. Tables are read one after the other, so a moved power of 2 can
    be ahead of the count that it is moved from: such a bucket is shown empty until the next look."""
    kind = store.decl.value
    if isinstance(kind, (Hist, LinearHist)):
        return {bucket: number for bucket, number in parts.items() if number > 0}
    if isinstance(kind, (Avg, Stats)):
        return [parts[0], wrap(parts[1])]
    if isinstance(kind, Int) and not isinstance(kind, AGGREGATIONS):
        return convert(parts[0], kind.size, kind.signed)
    return wrap(parts[0])


def _copy(state: Any) -> Any:
    return state.copy() if isinstance(state, (dict, list)) else state
