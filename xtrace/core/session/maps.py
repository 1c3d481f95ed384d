"""Maps as they are shown: sorted, cut to the top entries, divided."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from xtrace.core.evaluate.values import key_order
from xtrace.core.events import Averages, Histogram, MapOutput, MapShown
from xtrace.core.histogram import rows
from xtrace.core.ir import MapDecl
from xtrace.core.lang.arithmetic import divide, unsigned, wrap
from xtrace.core.messages import HistValue, MapEntryValue, StatsValue, Value
from xtrace.core.session.shown import Showing
from xtrace.core.types import Avg, Bool, Count, Enumerated, Hist, Int, LinearHist, Max, Min, Pointer, Stats, String, Sum

Entry = tuple[tuple[Value, ...], MapEntryValue]
_NUMBERS = (Count, Sum, Min, Max, Avg, Int, Bool, Enumerated)
_SIGNED = (Sum, Min, Max, Avg, Stats, Int)


class MapShowing:
    """How one map is shown. bpftrace sorts numbers by value (averages by mean, histograms by how much they hold),
    anything else by key; equal ones by key."""

    def __init__(self, decl: MapDecl, showing: Showing) -> None:
        self.decl = decl
        self._keys = tuple(showing.of(kind) for kind in decl.keys)
        self._order = key_order(decl.keys)
        self._text = showing.of(String(showing.max_strlen))
        self._value: Callable[[Any], Any] | None = None
        if decl.aggregation is None:
            self._value = showing.of(decl.value)  # type: ignore[arg-type]

    def output(self, entries: tuple[Entry, ...], top: int = 0, div: int = 0, final: bool = False) -> MapOutput:
        """The entries as `print(@m, top, div)` shows them; `top` keeps the last. As in bpftrace, `div` divides neither
        linear histograms nor the total of `stats`."""
        ordered = sorted(entries, key=lambda entry: (self._weight(entry[1]), self._order(entry[0])))
        if top:
            ordered = ordered[-top:]
        shown = tuple((self._key(key), self._shown(value, div)) for key, value in ordered)
        return MapOutput(
            f"@{self.decl.name}", bool(self.decl.keys), self.kind, shown, isinstance(self.decl.value, Count), final
        )

    def value(self, value: MapEntryValue) -> Any:
        """One entry's value, as `print(@m[k])` shows it."""
        return self._shown(value, 0)

    @property
    def kind(self) -> Literal["map", "stats", "hist"]:
        if isinstance(self.decl.value, (Hist, LinearHist)):
            return "hist"
        return "stats" if isinstance(self.decl.value, (Avg, Stats)) else "map"

    def _key(self, key: tuple[Value, ...]) -> tuple[Any, ...]:
        return tuple(show(part) for show, part in zip(self._keys, key))

    def _weight(self, value: MapEntryValue) -> int:
        if isinstance(value, HistValue):
            return sum(count for _, count in value.buckets)
        return self._number(value) if isinstance(self.decl.value, (*_NUMBERS, Stats)) else 0

    def _shown(self, value: MapEntryValue, div: int) -> MapShown:
        kind = self.decl.value
        if isinstance(kind, (Hist, LinearHist)) and isinstance(value, HistValue):
            return Histogram(rows(kind, dict(value.buckets), div if isinstance(kind, Hist) else 0))
        if isinstance(kind, Stats) and isinstance(value, StatsValue):
            return Averages(value.count, divide(self._number(value), max(div, 1)), self._sign(value.total))
        if isinstance(value, str) and isinstance(kind, (Int, Pointer)):
            # The engine read the string where the program saved its address (plan.hoist).
            held: MapShown = self._text(value)
            return held
        if self._value and not (div > 1 and isinstance(kind, (Int, Pointer))):
            shown: MapShown = self._value(value)
            return shown
        return divide(self._number(value), max(div, 1))

    def _number(self, value: MapEntryValue) -> int:
        """The one number that stands for an entry."""
        kind = self.decl.value
        if isinstance(value, StatsValue):
            if isinstance(kind, (Min, Max)):
                limit = value.low if isinstance(kind, Min) else value.high
                return self._sign(value.total if limit is None else limit)
            return divide(self._sign(value.total), value.count)
        return self._sign(value) if isinstance(value, int) else 0

    def _sign(self, number: int) -> int:
        kind = self.decl.value
        signed = kind.signed if isinstance(kind, _SIGNED) else not isinstance(kind, Count)
        return wrap(number) if signed else unsigned(number)
