"""bpftrace's `-f json`: objects {"type": …, "data": …}, spaced as bpftrace v0.17 spaces them."""

from __future__ import annotations

import json
from typing import Any, Callable, TextIO

from xtrace.core.events import (
    AttachedOutput,
    Averages,
    Frames,
    Hexadecimal,
    Histogram,
    LossOutput,
    MapOutput,
    MapShown,
    Output,
    Printed,
    Row,
    Sequence,
    Shown,
    Table,
    TextOutput,
    ValueOutput,
)
from xtrace.core.session.wording import KEY_INDENT, text_of
from xtrace.sinks.jsonable import bucket_objects, clean, jsonable


class BpftraceJsonSink:
    """For programs that read bpftrace's output. `emit`, which bpftrace does not have, gives type `event`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def begin(self, tables: tuple[Table, ...]) -> None:
        """There is no header."""

    def flush(self) -> None:
        self._stream.flush()

    def write(self, output: Output) -> bool:
        maker = _TYPES.get(type(output))
        if maker is None:
            return False
        if isinstance(output, MapOutput) and not output.entries:
            return True  # bpftrace prints nothing for a map that holds nothing
        kind, data = maker(output)
        self._stream.write(f'{{"type": "{kind}", "data": {data}}}\n')
        return True


def _encode(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _value(value: MapShown, indent: int = 8) -> str:
    if isinstance(value, (tuple, Sequence)):
        items = value.items if isinstance(value, Sequence) else value
        return "[" + ",".join(_value(item) for item in items) + "]"
    if isinstance(value, Histogram):
        return _encode(bucket_objects(value))
    if isinstance(value, (Averages, str)):
        return _encode(jsonable(value))
    if isinstance(value, (Hexadecimal, bool)):
        return str(int(value.value if isinstance(value, Hexadecimal) else value))
    if isinstance(value, Frames):
        return _encode(clean(text_of(value, indent)))
    return _encode(jsonable(value))


def _map(output: MapOutput) -> tuple[str, str]:
    if output.keyed:
        pairs = (f"{_encode(_key(key))}: {_value(value)}" for key, value in output.entries)
        data = "{" + ", ".join(pairs) + "}"
    else:
        data = _value(output.entries[0][1]) if output.entries else "{}"
    return output.kind, f"{{{_encode(output.name)}: {data}}}"


def _key(key: tuple[Shown, ...]) -> str:
    return clean(",".join(text_of(part, KEY_INDENT) for part in key))


def _row(row: Row) -> tuple[str, str]:
    columns = zip(row.table.columns, row.values)
    members = ", ".join(f"{_encode(column.name)}: {_value(value)}" for column, value in columns)
    return "event", f'{{"event": {_encode(row.table.title)}, "columns": {{{members}}}}}'


_TYPES: dict[type, Callable[[Any], tuple[str, str]]] = {
    MapOutput: _map,
    Row: _row,
    ValueOutput: lambda o: ("value", _value(o.value)),
    Printed: lambda o: (o.to, _encode(clean(o.text))),
    TextOutput: lambda o: ("syscall" if o.kind == "system" else o.kind, _encode(clean(o.text))),
    AttachedOutput: lambda o: ("attached_probes", _encode({"probes": o.probes})),
    LossOutput: lambda o: ("lost_events", _encode({"events": o.count})),
}
