"""Equal events counted before they are looked at, for clauses to which the order of events is all one.

A busy probe gives page after page of the same event with much the same values. Making rows of them one by one costs
more than all else; here a page becomes a few rows with a number each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from struct import Struct
from typing import Optional

from xtrace.backends.ftrace.ring_buffer import Extractor, Row, Run
from xtrace.core.records import dataclass

_HEAD = 6
"""Bytes of a record before its values: the head word and the event's id."""


@dataclass(frozen=True)
class Tally:
    """How records of one kind are counted. `values` is the `struct` format of a payload after the event's id, `places`
    the bytes of a record that hold values; `finish` makes a row of what is unpacked."""

    values: str
    places: tuple[int, ...]
    finish: Optional[Callable[[Row], Row]]

    def rows(self, run: Run) -> Iterator[tuple[Row, int]]:
        """Each different row of a run, with the number of its records that are like it. The first value of the rows,
        the record's head, is 0."""
        spare = run.size - _HEAD - Struct("=" + self.values).size
        layout = Struct(f"={_HEAD}x{self.values}{spare}x")
        if self._uniform(run):
            yield self._row(run, layout.unpack_from(run.data)), len(run.data) // run.size
            return
        for values, count in Counter(layout.iter_unpack(run.data)).items():
            yield self._row(run, values), count

    def _uniform(self, run: Run) -> bool:
        """Do all records have the same values?"""
        data, size = run.data, run.size
        last = len(data) - size
        if any(data[place] != data[last + place] for place in self.places):
            return False
        count = len(data) // size
        return all(data[place::size] == data[place : place + 1] * count for place in self.places)

    def _row(self, run: Run, values: Row) -> Row:
        row = (0, run.kind, *values)
        return row if self.finish is None else self.finish(row)


def tally_of(extractor: Extractor) -> Optional[Tally]:
    """None where values have no fixed places."""
    if extractor.bulk is None:
        return None
    layout = Struct("=" + extractor.bulk)
    zeros = layout.unpack(bytes(layout.size))
    # A byte that is padding changes nothing.
    values = [n for n in range(layout.size) if layout.unpack(_one_at(n, layout.size)) != zeros]
    return Tally(extractor.bulk, tuple(_HEAD + n for n in values), extractor.finish)


def _one_at(place: int, size: int) -> bytes:
    return bytes(place) + b"\1" + bytes(size - place - 1)
