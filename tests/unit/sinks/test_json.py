"""xtrace's NDJSON and bpftrace's JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sinks.outputs import TABLE, row, written
from xtrace.core.events import (
    AttachedOutput,
    Averages,
    Blob,
    Column,
    Frames,
    Hexadecimal,
    Histogram,
    LossOutput,
    MapOutput,
    NoticeOutput,
    Output,
    Printed,
    Row,
    Sequence,
    Table,
    TextOutput,
    ValueOutput,
)
from xtrace.core.histogram import rows
from xtrace.core.types import Hist, LinearHist
from xtrace.sinks.bpftrace_json import BpftraceJsonSink
from xtrace.sinks.ndjson import NdjsonSink


def objects(*outputs: Output) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written(NdjsonSink, *outputs, tables=(TABLE,)).splitlines()]


def bpftrace(*outputs: Output) -> str:
    return written(BpftraceJsonSink, *outputs)


def test_an_event_has_its_columns_beside_the_schema() -> None:
    (event,) = objects(row(12, "ba\nsh", None, truncated=("path",)))
    assert event == {
        "schema": "xtrace.event/1",
        "event": "opensnoop",
        "time": "2023-11-14T22:13:20.123456Z",
        "pid": 12,
        "comm": "ba\nsh",
        "path": None,
        "truncated": ["path"],
    }


def test_columns_do_not_hide_our_members() -> None:
    table = Table("t", (Column("time", 4, True), Column("event", 4, True)))
    (event,) = objects(Row(table, (1, 2), 0))
    assert (event["time_"], event["event_"], event["event"]) == (1, 2, "t")


def test_maps() -> None:
    histogram = Histogram(rows(Hist(), {0: 1, 1: 1}))
    one, two = objects(
        MapOutput("@x", True, "map", (((1, "a"), (2, "b")),), final=True),
        MapOutput("@h", False, "hist", (((), histogram),)),
    )
    assert one["schema"] == "xtrace.map/1"
    assert (one["map"], one["kind"], one["final"]) == ("@x", "map", True)
    assert one["entries"] == [{"key": [1, "a"], "value": [2, "b"]}]
    assert two["entries"][0]["value"] == [{"max": -1, "count": 1}, {"min": 0, "max": 0, "count": 1}]


def test_other_schemas() -> None:
    outputs = (
        Printed("a"),
        TextOutput("cat", "b"),
        AttachedOutput(2, ("p",)),
        LossOutput("overrun", 3, "cpu 0", "more"),
        NoticeOutput("n"),
        ValueOutput(Hexadecimal(255)),
    )
    found = [{k: v for k, v in o.items() if k != "time"} for o in objects(*outputs)]
    assert found == [
        {"schema": "xtrace.text/1", "from": "printf", "text": "a"},
        {"schema": "xtrace.text/1", "from": "cat", "text": "b"},
        {"schema": "xtrace.attached/1", "probes": 2, "missing": ["p"]},
        {"schema": "xtrace.loss/1", "kind": "overrun", "count": 3, "where": "cpu 0", "remedy": "more"},
        {"schema": "xtrace.notice/1", "text": "n"},
        {"schema": "xtrace.value/1", "value": "0xff"},
    ]


@given(st.binary(max_size=40))
def test_any_bytes_make_one_valid_line(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    line = written(NdjsonSink, row(1, text, Frames((text,))))
    assert line.count("\n") == 1
    assert isinstance(json.loads(line.encode("utf-8"))["comm"], str)


@pytest.mark.parametrize(
    ("output", "line"),
    [
        (AttachedOutput(2), '{"type": "attached_probes", "data": {"probes": 2}}'),
        (LossOutput("overrun", 3), '{"type": "lost_events", "data": {"events": 3}}'),
        (Printed("a\tb\x01\n"), '{"type": "printf", "data": "a\\tb\\u0001\\n"}'),
        (TextOutput("time", "10:00\n"), '{"type": "time", "data": "10:00\\n"}'),
        (TextOutput("join", "ls -l\n"), '{"type": "join", "data": "ls -l"}'),
        (TextOutput("system", "x"), '{"type": "syscall", "data": "x"}'),
        (ValueOutput((1, "a", (-3,))), '{"type": "value", "data": [1,"a",[-3]]}'),
        (ValueOutput(True), '{"type": "value", "data": true}'),
        (ValueOutput((1 << 53) + 1), '{"type": "value", "data": "9007199254740993"}'),
        (ValueOutput(1 << 62), '{"type": "value", "data": 4611686018427387904}'),
        (
            Printed("bad\n", "errorf", ("x.bt", 2, 5)),
            '{"type": "errorf", "msg": "bad\\n", "filename": "x.bt", "line": 2, "col": 5}',
        ),
        (ValueOutput(Sequence((1, 2))), '{"type": "value", "data": [1,2]}'),
        (ValueOutput(Blob(b'a\x01"')), '{"type": "value", "data": "a\\\\x01\\""}'),
        (MapOutput("@a", False, "map", (((), 1),)), '{"type": "map", "data": {"@a": 1}}'),
        (
            MapOutput("@b", True, "map", (((2, "y"), 1), ((1, "x"), 3))),
            '{"type": "map", "data": {"@b": {"2,y": 1, "1,x": 3}}}',
        ),
        (MapOutput("@c", True, "map", (((1, (2, "x")), 1),)), '{"type": "map", "data": {"@c": {"1,(2,x)": 1}}}'),
        (MapOutput("@d", False, "stats", (((), 3),)), '{"type": "stats", "data": {"@d": 3}}'),
        (
            MapOutput("@f", True, "stats", ((("k",), Averages(1, 2, 2)),)),
            '{"type": "stats", "data": {"@f": {"k": {"count": 1, "average": 2, "total": 2}}}}',
        ),
        (
            MapOutput("@l", False, "hist", (((), Histogram(rows(LinearHist(0, 2, 1), {0: 1, 3: 2}))),)),
            '{"type": "hist", "data": {"@l": [{"max": -1, "count": 1}, {"min": 0, "max": 0, "count": 0}, '
            '{"min": 1, "max": 1, "count": 0}, {"min": 2, "count": 2}]}}',
        ),
        (
            MapOutput("@k", True, "map", (((Frames(("f+1",)), "sh"), 1),)),
            '{"type": "map", "data": {"@k": {"\\n        f+1\\n,sh": 1}}}',
        ),
    ],
)
def test_bpftraces_schema(output: Output, line: str) -> None:
    assert bpftrace(output) == line + "\n"


def test_bpftrace_is_silent_about_an_empty_map() -> None:
    assert bpftrace(MapOutput("@x", True, "map", ())) == ""
