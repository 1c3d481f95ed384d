"""bpftrace's `-f json`: objects {"type": …, "data": …}, spaced as bpftrace v0.17 spaces them."""

from __future__ import annotations

import json
from collections.abc import Mapping
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
from xtrace.core.session.wording import text_of
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
        if isinstance(output, Printed) and output.place:
            self._stream.write(_complaint(output.to, output.text, output.place))
            return True
        kind, data = maker(output)
        self._stream.write(f'{{"type": "{kind}", "data": {data}}}\n')
        return True


def _encode(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _number(value: int) -> str:
    """As a string where a reader that takes numbers for doubles would get another one, as since v0.27."""
    return str(value) if value == int(float(value)) else f'"{value}"'


def _value(value: MapShown) -> str:
    if isinstance(value, bool):
        return _encode(value)
    if isinstance(value, (int, Hexadecimal)):
        return _number(value if isinstance(value, int) else value.value)
    if isinstance(value, (tuple, Sequence)):
        items = value.items if isinstance(value, Sequence) else value
        return "[" + ",".join(_value(item) for item in items) + "]"
    if isinstance(value, Histogram):
        return "[" + ", ".join(map(_members, bucket_objects(value))) + "]"
    if isinstance(value, Averages):
        return _members(jsonable(value))
    if isinstance(value, Frames):
        return _encode(clean(text_of(value)))
    return _encode(jsonable(value))


def _members(numbers: Mapping[str, int]) -> str:
    return "{" + ", ".join(f'"{name}": {_number(value)}' for name, value in numbers.items()) + "}"


def _map(output: MapOutput) -> tuple[str, str]:
    if output.keyed:
        pairs = (f"{_encode(_key(key))}: {_value(value)}" for key, value in output.entries)
        data = "{" + ", ".join(pairs) + "}"
    else:
        data = _value(output.entries[0][1]) if output.entries else "{}"
    return output.kind, f"{{{_encode(output.name)}: {data}}}"


def _key(key: tuple[Shown, ...]) -> str:
    return clean(",".join(map(_key_part, key)))


def _key_part(part: Shown) -> str:
    if isinstance(part, tuple):
        return f"({','.join(map(_key_part, part))})"
    return text_of(part)


def _text(output: TextOutput) -> tuple[str, str]:
    if output.kind == "join":
        return "join", _encode(clean(output.text.rstrip("\n")))
    return "syscall" if output.kind == "system" else output.kind, _encode(clean(output.text))


def _complaint(kind: str, text: str, place: tuple[str, int, int]) -> str:
    members = {"type": kind, "msg": clean(text), **dict(zip(("filename", "line", "col"), place))}
    return _encode(members) + "\n"


def _row(row: Row) -> tuple[str, str]:
    columns = zip(row.table.columns, row.values)
    members = ", ".join(f"{_encode(column.name)}: {_value(value)}" for column, value in columns)
    return "event", f'{{"event": {_encode(row.table.title)}, "columns": {{{members}}}}}'


_TYPES: dict[type, Callable[[Any], tuple[str, str]]] = {
    MapOutput: _map,
    Row: _row,
    ValueOutput: lambda o: ("value", _value(o.value)),
    Printed: lambda o: (o.to, _encode(clean(o.text))),
    TextOutput: _text,
    AttachedOutput: lambda o: ("attached_probes", _encode({"probes": o.probes})),
    LossOutput: lambda o: ("lost_events", _encode({"events": o.count})),
}
