"""Sub-buffers of a big-endian machine (s390x): the bits of heads lie the other way round, the bytes of numbers too."""

from __future__ import annotations

import importlib
import struct
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Literal

import pytest

from xtrace.core.types import Array, Int, Member, String

KIND, OTHER = 300, 301
MODULES = ("xtrace.backends.ftrace.ring_buffer", "xtrace.backends.ftrace.decode")
STRUCT = struct.Struct
HEADER_PAGE = """\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
\tfield: local_t commit;\toffset:8;\tsize:{0};\tsigned:1;
\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
\tfield: char data;\toffset:{1};\tsize:4080;\tsigned:0;
"""


class View:
    """`memoryview` as it is on such a machine."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def cast(self, code: Literal["I"]) -> Any:
        count = len(self._data) // struct.calcsize(code)
        return memoryview(struct.pack(f"={count}{code}", *struct.unpack(f">{count}{code}", self._data))).cast(code)


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ModuleType, ModuleType]]:
    """The modules as they would be on a big-endian machine."""
    for name in MODULES:
        importlib.import_module(name)
    monkeypatch.setattr(sys, "byteorder", "big")
    monkeypatch.setattr(struct, "Struct", lambda code: STRUCT(code.replace("=", ">")))
    before = {name: sys.modules.pop(name) for name in MODULES}
    try:
        ring_buffer, decode = (importlib.import_module(name) for name in MODULES)
        ring_buffer.memoryview = View  # type: ignore[attr-defined]
        yield ring_buffer, decode
    finally:
        sys.modules.update(before)
        for name, module in before.items():
            setattr(sys.modules["xtrace.backends.ftrace"], name.rpartition(".")[2], module)


def event(delta: int, payload: bytes, kind: int = KIND, tid: int = 7) -> bytes:
    body = struct.pack(">HBBi", kind, 0, 0, tid) + payload
    return struct.pack(">I", len(body) // 4 << 27 | delta) + body


def page(*parts: bytes, flags: int = 0, behind: bytes = b"", commit: str = "Q") -> bytes:
    data = b"".join(parts)
    return (struct.pack(">Q" + commit, 1000, len(data) | flags) + data + behind).ljust(4096, b"\0")


def numbers(*values: int) -> list[bytes]:
    return [event(n + 1, struct.pack(">q", value)) for n, value in enumerate(values)]


def reader(modules: tuple[ModuleType, ModuleType], commit: int = 8) -> Any:
    ring_buffer, decode = modules
    text = (Member("text", String(64), 8, 4, location="data_loc"), Member("near", Array(Int(2, False), 2), 12, 4))
    extractors = {
        KIND: decode.layout_of((Member("value", Int(8, True), 8, 8),)).extractor,
        OTHER: decode.layout_of(text).extractor,
    }
    return ring_buffer.PageReader(3, extractors, ring_buffer.parse_header_page(HEADER_PAGE.format(commit, 8 + commit)))


@pytest.mark.parametrize(("commit", "code"), [(8, "Q"), (4, "I")])
def test_pages_of_one_kind_at_once(modules: tuple[ModuleType, ModuleType], commit: int, code: str) -> None:
    one: Any = reader(modules, commit)
    found: list[Any] = []
    assert one.records(page(*numbers(5, -6, 7), commit=code), found) == 1006
    assert [(time, row[1:]) for time, _, row in found] == [
        (1001, (KIND, 7, 5)),
        (1003, (KIND, 7, -6)),
        (1006, (KIND, 7, 7)),
    ]
    assert one.walked == 0


def test_mixed_pages_event_by_event(modules: tuple[ModuleType, ModuleType]) -> None:
    descriptor = struct.pack(">I", 3 << 16 | 16) + struct.pack(">HH", 8, 9)
    extend = struct.pack(">II", 30 << 27 | 5, 2)
    stamp = struct.pack(">II", 31 << 27 | 9, 1)
    padding = struct.pack(">II", 29 << 27 | 1, 8) + b"\0" * 4
    payload = struct.pack(">HBBiq", KIND, 0, 0, 8, 42) + b"\0" * 200
    large = struct.pack(">II", 4, len(payload) + 4) + payload
    parts = (*numbers(1), extend, event(1, descriptor + b"hi\0\0", OTHER), padding, stamp, large)
    one: Any = reader(modules)
    found: list[Any] = []
    assert one.records(page(*parts), found) == (1 << 27) + 9 + 4
    assert [(time, row[1:]) for time, _, row in found] == [
        (1001, (KIND, 7, 1)),
        (1001 + 5 + (2 << 27) + 1, (OTHER, 7, "hi", struct.pack(">HH", 8, 9))),
        ((1 << 27) + 9 + 4, (KIND, 8, 42)),
    ]
    assert one.walked == 1


def test_losses(modules: tuple[ModuleType, ModuleType]) -> None:
    one = reader(modules)
    ring_buffer, _ = modules
    stored = ring_buffer.MISSED_EVENTS | ring_buffer.MISSED_STORED
    one.records(page(*numbers(1), flags=stored, behind=struct.pack(">Q", 19)), [])
    one.records(page(*numbers(1), flags=ring_buffer.MISSED_EVENTS), [])
    assert (one.missed, one.gaps) == (19, 1)
