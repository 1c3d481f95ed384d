"""The worker's lines become messages with the values that the types say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from xtrace.backends.bcc.decode import Decoder, Finished, WorkerError, entry, value
from xtrace.backends.bcc.layout import code
from xtrace.core import types as t
from xtrace.core.messages import (
    Attached,
    Exited,
    HistValue,
    Hit,
    Loss,
    MapDump,
    Notice,
    StackValue,
    StatsValue,
    SymbolValue,
)

TABLES: dict[str, Any] = {
    "sites": [
        {"do": "printf", "values": [code(t.String(16)), code(t.Int())]},
        {"do": "print-value", "map": "n", "lookup": 1, "values": [code(t.Int(4, False))]},
    ],
    "maps": [{"name": "n", "kind": "avg", "signed": 1, "keys": [code(t.Int(4, False))]}],
}


def decoded(*words: Any) -> Any:
    return Decoder(TABLES).message(json.dumps(words))


def test_messages() -> None:
    assert decoded("attached", 3, ["kprobe:x"]) == Attached(3, ("kprobe:x",))
    assert decoded("hit", 0, ["a\u00ff", -1], 55, 1) == Hit(0, ("a\udcff", -1), 55, 1)
    assert decoded("hit", 1, [7, [2, 9]], 55, 1) == Hit(1, (7, StatsValue(2, 9)), 55, 1)  # type: ignore[arg-type]
    assert decoded("map", "n", -1, [[[7], [2, 9]]]) == MapDump("n", (((7,), StatsValue(2, 9)),))
    assert decoded("loss", "dropped", 3, "cpu 0", "less") == Loss("dropped", 3, "cpu 0", "less")
    assert decoded("notice", "x") == Notice("x")
    assert decoded("exited", 4) == Exited(4)
    assert decoded("finished") == Finished()
    with pytest.raises(WorkerError, match="no such probe") as caught:
        decoded("failed", "run", "no such probe")
    assert caught.value.stage == "run"


@pytest.mark.parametrize(
    ("kind", "sent", "expected"),
    [
        (t.Int(), -5, -5),
        (t.String(8), "caf\u00c3\u00a9", "café"),
        (t.Buffer(8), "00ff", b"\x00\xff"),
        (t.Inet(), "7f000001", b"\x7f\x00\x00\x01"),
        (t.Array(t.Int(1), 2), "0102", b"\x01\x02"),
        (t.Tuple((t.Int(), t.String(8))), [1, "a"], (1, "a")),
        (t.Stack(True), [9, [16, 32], ["main+1", "0x20"]], StackValue((16, 32), 9, ("main+1", "0x20"))),
        (t.Symbol(True), [16, 9], SymbolValue(16, 9)),
        (t.Symbol(False), [16, 0], SymbolValue(16)),
        (t.Void(), 0, 0),
    ],
)
def test_values(kind: t.CType, sent: Any, expected: Any) -> None:
    assert value(code(kind), sent) == expected


@pytest.mark.parametrize(
    ("about", "state", "expected"),
    [
        ({"kind": "count"}, [5], 5),
        ({"kind": "hist"}, [[1, 2], [3, 0], [4, 1]], HistValue(((1, 2), (4, 1)))),
        ({"kind": "avg", "signed": 1}, [2, -6], StatsValue(2, -6)),
        ({"kind": "stats", "signed": 0}, [2, -1], StatsValue(2, 2**64 - 1)),
        ({"kind": "min", "signed": 1}, [4, -6], StatsValue(1, -6, low=-6)),
        ({"kind": "max", "signed": 1}, [4, 6], StatsValue(1, 6, high=6)),
        ({"kind": "value", "value": ["string", 8]}, "ab", "ab"),
    ],
)
def test_map_entries(about: dict[str, Any], state: Any, expected: Any) -> None:
    assert entry(about, state) == expected
