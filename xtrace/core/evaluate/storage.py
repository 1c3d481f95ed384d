"""The maps of a program while it runs.

`Store.entries` maps key tuples to what generated code updates in place: the value itself for plain maps, `count`,
`sum`, `min` and `max`; a list [count, total] for `avg` and `stats`; a dict from bucket to count for histograms.
"""

from __future__ import annotations

from typing import Any

from xtrace.core.evaluate.values import key_order, mean, missing
from xtrace.core.ir import MapDecl
from xtrace.core.lang.arithmetic import unsigned
from xtrace.core.messages import HistValue, MapDump, MapEntryValue, StatsValue
from xtrace.core.types import Avg, Count, Hist, LinearHist, Max, Min, Stats, Sum

_NUMBERS = (Count, Sum, Min, Max)


class Store:
    """One map. `code` is the name under which generated code finds `entries`, which stays the same dict for good."""

    def __init__(self, decl: MapDecl, number: int) -> None:
        self.decl = decl
        self.code = f"m{number}"
        self.number = number
        self.entries: dict[tuple[Any, ...], Any] = {}
        self.refused = 0
        """Updates that found no room for a new key."""
        self._order = key_order(decl.keys)

    def zero(self) -> None:
        """Every key keeps its place and starts again."""
        for key in self.entries:
            self.entries[key] = self._nothing()

    def _nothing(self) -> Any:
        kind = self.decl.value
        if isinstance(kind, (Hist, LinearHist)):
            return {}
        if isinstance(kind, (Avg, Stats)):
            return [0, 0]
        return 0 if isinstance(kind, _NUMBERS) else missing(kind)

    def in_key_order(self) -> list[tuple[tuple[Any, ...], Any]]:
        """A snapshot of the entries, the least key first."""
        order = self._order
        return sorted(self.entries.items(), key=lambda entry: order(entry[0]))

    def dump(self, site: int = -1) -> MapDump:
        """The contents now, in key order, as a message."""
        entries = tuple((key, self.shown(state)) for key, state in self.in_key_order())
        return MapDump(self.decl.name, entries, site)

    def at(self, key: tuple[Any, ...]) -> MapEntryValue:
        """The value at a key as messages carry it; what nothing was added to where there is none."""
        return self.shown(self.entries[key] if key in self.entries else self._nothing())

    def number_of(self, state: Any) -> Any:
        """What a program computes with where it reads the state: of an average the mean, of others the value."""
        kind = self.decl.value
        if isinstance(kind, (Avg, Stats)):
            return mean(state, kind.signed)
        return self.shown(state) if isinstance(kind, (Hist, LinearHist)) else state

    def shown(self, state: Any) -> MapEntryValue:
        """The state at a key as messages carry it."""
        kind = self.decl.value
        if isinstance(kind, (Hist, LinearHist)):
            return HistValue(tuple(sorted(state.items())))
        if isinstance(kind, (Avg, Stats)):
            count, total = state
            return StatsValue(count, total if kind.signed else unsigned(total))
        if isinstance(kind, (Min, Max)):
            extreme = state if kind.signed else unsigned(state)
            return StatsValue(1, extreme, **{"low" if isinstance(kind, Min) else "high": extreme})
        value: MapEntryValue = state
        return value
