"""What sinks write."""

from __future__ import annotations

import io
from typing import Callable, TextIO

from xtrace.core.events import Column, Output, Row, Shown, Table
from xtrace.sinks.model import Sink

TABLE = Table("opensnoop", (Column("pid", 7, True), Column("comm", 16, False), Column("path", 24, False)))
TIME = 1_700_000_000_123_456_789


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def row(*values: Shown, truncated: tuple[str, ...] = ()) -> Row:
    return Row(TABLE, values, TIME, truncated)


def written(make: Callable[[TextIO], Sink], *outputs: Output, tables: tuple[Table, ...] = (), tty: bool = False) -> str:
    stream = Terminal() if tty else io.StringIO()
    sink = make(stream)
    sink.begin(tables)
    for output in outputs:
        sink.write(output)
    sink.flush()
    return stream.getvalue()
