"""xtrace's own JSON: one object per line, each with its schema."""

from __future__ import annotations

import json
import time
from json.encoder import encode_basestring as encode_string
from typing import Any, Callable, TextIO

from xtrace.core.events import (
    AttachedOutput,
    LossOutput,
    MapOutput,
    NoticeOutput,
    Output,
    Printed,
    Row,
    Shown,
    Table,
    TextOutput,
    ValueOutput,
)
from xtrace.core.session.clocks import timestamp
from xtrace.sinks.jsonable import clean, jsonable

_RESERVED = frozenset(("schema", "time", "event", "truncated"))
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode


class NdjsonSink:
    """Schemas `xtrace.event/1`, `map/1`, `value/1`, `text/1`, `attached/1`, `loss/1` and `notice/1`.

    Each object has the wall time in UTC. The columns of an event are members beside `event`; one that is called like a
    member of ours gets a trailing `_`. `truncated` names columns whose text was cut.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._members: dict[Table, tuple[str, tuple[str, ...]]] = {}

    def begin(self, tables: tuple[Table, ...]) -> None:
        for table in tables:
            self._prepared(table)

    def flush(self) -> None:
        self._stream.flush()

    def write(self, output: Output) -> bool:
        if isinstance(output, Row):
            self._row(output)
        else:
            name, members = _OTHERS[type(output)](output)
            head = {"schema": f"xtrace.{name}/1", "time": timestamp(time.time_ns())}
            self._stream.write(_encode({**head, **members}) + "\n")
        return True

    def _row(self, row: Row) -> None:
        head, names = self._members.get(row.table) or self._prepared(row.table)
        parts = [f'{head}"{timestamp(row.time)}"']
        parts += [name + encoded(value) for name, value in zip(names, row.values)]
        if row.truncated:
            parts.append(f'"truncated": {_encode(list(row.truncated))}')
        self._stream.write(", ".join(parts) + "}\n")

    def _prepared(self, table: Table) -> tuple[str, tuple[str, ...]]:
        """What every row of a table has in common, encoded once: the start, and the name of each member."""
        head = f'{{"schema": "xtrace.event/1", "event": {_encode(table.title)}, "time": '
        names = tuple(f"{_encode(name)}: " for name in member_names(table))
        return self._members.setdefault(table, (head, names))


def encoded(value: Shown) -> str:
    """A shown value as JSON text."""
    if type(value) is int:
        return str(value)
    return encode_string(clean(value)) if isinstance(value, str) else _encode(jsonable(value))


def member_names(table: Table) -> tuple[str, ...]:
    """What the columns are called in an object."""
    return tuple(f"{c.name}_" if c.name in _RESERVED else c.name for c in table.columns)


def _map(output: MapOutput) -> tuple[str, dict[str, Any]]:
    entries = [{"key": [jsonable(part) for part in key], "value": jsonable(value)} for key, value in output.entries]
    return "map", {"map": output.name, "kind": output.kind, "final": output.final, "entries": entries}


_OTHERS: dict[type, Callable[[Any], tuple[str, dict[str, Any]]]] = {
    MapOutput: _map,
    ValueOutput: lambda o: ("value", {"value": jsonable(o.value)}),
    Printed: lambda o: ("text", {"from": o.to, "text": clean(o.text)}),
    TextOutput: lambda o: ("text", {"from": o.kind, "text": clean(o.text)}),
    AttachedOutput: lambda o: ("attached", {"probes": o.probes, "missing": list(o.missing)}),
    LossOutput: lambda o: ("loss", {"kind": o.kind, "count": o.count, "where": o.where, "remedy": o.remedy}),
    NoticeOutput: lambda o: ("notice", {"text": clean(o.text)}),
}
