"""Text for people: bpftrace's layout for what its language prints, aligned columns for `emit`."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Optional, TextIO

from xtrace.core.events import (
    Averages,
    Frames,
    Histogram,
    MapOutput,
    MapShown,
    Output,
    Printed,
    Row,
    Shown,
    Table,
    TextOutput,
    ValueOutput,
)
from xtrace.core.histogram import picture
from xtrace.core.session.present import safe_text
from xtrace.core.session.shown import TRAILER
from xtrace.core.session.wording import inert, text_of


class TextSink:
    """Maps, histograms and stacks are set as bpftrace v0.17 sets them. Rows come under one header per table.

    Complaints (`errorf`, losses, notices) are no results and have no place here. On a terminal traced strings cannot
    steer it; in rows their control characters are always made visible, so that a row is a line.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._table: Optional[Table] = None
        self._layout = ""
        self._between = False
        self._words: Callable[[Shown], str] = safe_text if stream.isatty() else text_of

    def begin(self, tables: tuple[Table, ...]) -> None:
        if len(set(tables)) == 1:
            self._header(tables[0])

    def flush(self) -> None:
        self._stream.flush()

    def write(self, output: Output) -> bool:
        if isinstance(output, Row):
            self._row(output)
        elif isinstance(output, Printed):
            if output.to != "printf":
                return False
            self._stream.write(output.text)
        elif isinstance(output, MapOutput):
            self._stream.write(self._map(output))
        elif isinstance(output, ValueOutput):
            self._stream.write(self._words(output.value) + "\n")
        elif isinstance(output, TextOutput):
            self._stream.write(inert(output.text, "\n\t") if self._words is safe_text else output.text)
        else:
            return False
        return True

    def _header(self, table: Table) -> None:
        self._table = table
        self._layout = layout(table)
        self._stream.write(self._layout % tuple(column.name.upper() for column in table.columns))

    def _row(self, row: Row) -> None:
        if row.table is not self._table and row.table != self._table:
            self._header(row.table)
        cells = [value if type(value) is int else cell(value) for value in row.values]
        if row.truncated:
            names = [column.name for column in row.table.columns]
            for name in row.truncated:
                cells[names.index(name)] = f"{cells[names.index(name)]}{TRAILER}"
        self._stream.write(self._layout % tuple(cells))

    def _map(self, output: MapOutput) -> str:
        lead = ""
        if output.final and not self._between:
            self._between, lead = True, "\n\n"
        lines = [self._entry(output, key, value) for key, value in output.entries]
        return lead + "".join(lines) + ("\n" if output.kind == "stats" and lines else "")

    def _entry(self, output: MapOutput, key: tuple[Shown, ...], value: MapShown) -> str:
        name = output.name
        if output.keyed:
            name += "[" + ", ".join(self._key(part) for part in key) + "]"
        if isinstance(value, Histogram):
            return f"{name}:\n{picture(value.rows)}\n"
        if isinstance(value, Averages):
            return f"{name}: count {value.count}, average {value.average}, total {value.total}\n"
        return f"{name}: {self._words(value)}\n"

    def _key(self, part: Shown) -> str:
        if isinstance(part, Frames):
            return text_of(replace(part, names=tuple(map(inert, part.names))))
        return self._words(part)


def layout(table: Table) -> str:
    """The format of a table's lines; the last column is not padded on its right."""
    *first, last = table.columns
    formats = [f"%{column.width if column.right else -column.width}s" for column in first]
    return " ".join([*formats, f"%{last.width}s" if last.right else "%s"]) + "\n"


def cell(value: Shown) -> str:
    """A value as one cell of a row: on one line, a stack as its frames with `;` between, innermost first."""
    if isinstance(value, str):
        return inert(value)
    if isinstance(value, Frames):
        return ";".join(map(inert, value.names))
    return safe_text(value)
