"""The script's lines as messages.

    T nsecs                               the script has started
    A                                     every probe is in place
    H site cpu sequence nsecs value...    perform a site
    M site map / E key... value... / Z map    the contents of a map
    F count map    insertions that a full map refused

Every hit carries its CPU's own sequence number, because SystemTap's count of transport failures is wrong by half
(reference: 129,000 lines lost, 58,374 failures reported); gaps are the losses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xtrace.backends.systemtap import maps, wire
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.messages import (
    Exited,
    HistValue,
    Hit,
    Loss,
    MapDump,
    MapEntryValue,
    Message,
    StatsValue,
    Value,
)

Entry = tuple[tuple[Value, ...], MapEntryValue]


class Decoder:
    """Turns lines into messages, in order; keeps the sequence numbers and the map that is being dumped."""

    def __init__(self, program: ir.Program, site_types: Mapping[int, tuple[t.CType, ...]]) -> None:
        self.program = program
        self.site_types = site_types
        self.lost: dict[str, int] = {}
        self.unreadable: list[str] = []
        self._sequence: dict[int, int] = {}
        self._site = -1
        self._rows: list[list[str]] = []
        self.attached = False

    def line(self, text: str) -> Sequence[Message]:
        """The messages of one line, without its newline."""
        mark, *columns = text.split("\t")
        try:
            return _LINES[mark](self, columns)
        except (KeyError, ValueError, StopIteration, IndexError):
            self.unreadable.append(text)
            return ()

    def _started(self, columns: list[str]) -> Sequence[Message]:
        return ()

    def _attached(self, columns: list[str]) -> Sequence[Message]:
        self.attached = True
        return ()

    def _hit(self, columns: list[str]) -> Sequence[Message]:
        site, cpu, sequence, nsecs = (int(column) for column in columns[:4])
        expected = self._sequence.get(cpu, 0)
        if sequence > expected:
            self.lost[f"cpu {cpu}"] = self.lost.get(f"cpu {cpu}", 0) + sequence - expected
        self._sequence[cpu] = sequence + 1
        rest = iter(columns[4:])
        values = tuple(wire.read(kind, rest) for kind in self.site_types[site])
        if isinstance(self.program.sites[site], ir.Exit):
            return (Exited(int(values[0]) if values and isinstance(values[0], int) else 0),)
        return (Hit(site, values, nsecs, cpu),)

    def _map(self, columns: list[str]) -> Sequence[Message]:
        self._site = int(columns[0])
        self._rows = []
        return ()

    def _entry(self, columns: list[str]) -> Sequence[Message]:
        self._rows.append(columns)
        return ()

    def _end(self, columns: list[str]) -> Sequence[Message]:
        decl = self.program.map(columns[0])
        entries = _histograms(decl, self._rows) if maps.is_histogram(decl) else _plain(decl, self._rows)
        if self._site == -1 and not entries:
            return ()
        return (MapDump(decl.name, tuple(entries), self._site),)

    def _full(self, columns: list[str]) -> Sequence[Message]:
        remedy = "raise max_map_keys in the program's config block"
        return (Loss("map-full", int(columns[0]), f"@{columns[1]}", remedy),)

    def losses(self) -> tuple[Loss, ...]:
        """What the sequence numbers and unreadable lines tell."""
        found = [
            Loss("sequence-gap", count, where, "print less, or give stap a larger buffer with -s")
            for where, count in sorted(self.lost.items())
        ]
        if self.unreadable:
            found.append(Loss("unreadable", len(self.unreadable), self.unreadable[0][:60]))
        return tuple(found)


_LINES = {
    "T": Decoder._started,
    "A": Decoder._attached,
    "H": Decoder._hit,
    "M": Decoder._map,
    "E": Decoder._entry,
    "Z": Decoder._end,
    "F": Decoder._full,
}


def _keys(decl: ir.MapDecl, columns: list[str]) -> tuple[tuple[Value, ...], list[str]]:
    rest = iter(columns)
    keys = tuple(wire.read(kind, rest) for kind in decl.keys)
    if not decl.keys:
        next(rest)
    return keys, list(rest)


def _plain(decl: ir.MapDecl, rows: list[list[str]]) -> list[Entry]:
    entries: list[Entry] = []
    for columns in rows:
        keys, rest = _keys(decl, columns)
        entries.append((keys, _value(decl, rest)))
    return entries


def _value(decl: ir.MapDecl, columns: list[str]) -> MapEntryValue:
    kind = decl.value
    if isinstance(kind, (t.Avg, t.Stats)):
        return StatsValue(int(columns[0]), int(columns[1]))
    if isinstance(kind, t.Min):
        return StatsValue(1, int(columns[0]), low=int(columns[0]))
    if isinstance(kind, t.Max):
        return StatsValue(1, int(columns[0]), high=int(columns[0]))
    if isinstance(kind, t.AGGREGATIONS):
        return int(columns[0])
    return wire.read(kind, iter(columns))


def _histograms(decl: ir.MapDecl, rows: list[list[str]]) -> list[Entry]:
    """One histogram per key out of one row per bucket."""
    gathered: dict[tuple[Value, ...], dict[int, int]] = {}
    for columns in rows:
        keys, (bucket, count) = _keys(decl, columns)
        gathered.setdefault(keys, {})[int(bucket)] = int(count)
    return [(keys, HistValue(tuple(sorted(buckets.items())))) for keys, buckets in gathered.items()]
