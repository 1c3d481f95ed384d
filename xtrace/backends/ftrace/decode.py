"""How the records of one event are read: from its format to a compiled extractor.

Record layouts come from `events/<system>/<event>/format` (Documentation/trace/events.rst). Fixed fields are unpacked by
one compiled `struct.Struct`; dynamic ones (`__data_loc`, `__rel_loc`) are cut out of the record by their descriptors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from struct import Struct
from typing import Any, Optional

from xtrace.backends.ftrace.ring_buffer import Extractor, Row
from xtrace.core.evaluate.values import cut
from xtrace.core.messages import UNREAD
from xtrace.core.records import dataclass
from xtrace.core.types import Array, Bool, Buffer, CType, Enumerated, Inet, Int, Member, Pointer, String

TID = 2
"""Where every row holds common_pid, which is the id of the thread, not of the process."""
COMMON_PID = Member("common_pid", Int(4, True), 4, 4)
HEAD = 4
"""Bytes between a record's head and its payload, where field offsets count from."""

_INTEGERS = {(1, True): "b", (1, False): "B", (2, True): "h", (2, False): "H", (4, True): "i", (4, False): "I"}
_CACHE_LIMIT = 4096

Finisher = Callable[[bytes, int, list[Any]], None]
"""Replaces one value of a row in place; it may look into the page around the record's head."""


@dataclass(frozen=True)
class Layout:
    """`columns[i]` is where a row holds the i-th wanted member; `texts` read its dynamic strings."""

    extractor: Extractor
    columns: tuple[int, ...]
    texts: tuple[TextCache, ...] = ()


def layout_of(members: Sequence[Member], common_pid: Member = COMMON_PID) -> Layout:
    """The compiled way to read these members of an event's record. Integers come out as signed 64-bit numbers."""
    first = (common_pid.offset, _code(common_pid))
    wanted = sorted({(m.offset, _code(m)) for m in members} - {first})
    layers = _disjoint([first, *wanted])
    code, base = _struct_code(layers[0])
    columns: dict[tuple[int, str], int] = {part: TID + i for i, part in enumerate(layers[0])}
    overlays = [(offset, code_) for layer in layers[1:] for offset, code_ in layer]
    for part in overlays:
        columns[part] = TID + len(columns)
    places = tuple(columns[(m.offset, _code(m))] for m in members)
    finishers = [_overlay(offset, code_) for offset, code_ in overlays]
    texts = {m: TextCache(_limit(m)) for m in members if _is_dynamic_text(m)}
    finishers += _value_finishers(members, places, texts)
    bulk = not overlays and all(m.location == "inline" for m in members)
    return Layout(_extractor(base, code, finishers, bulk), places, tuple(texts.values()))


def _code(member: Member) -> str:
    if member.location != "inline":
        return "I"
    if isinstance(member.type, (Int, Bool, Enumerated, Pointer)) and member.size in (1, 2, 4, 8):
        return "q" if member.size == 8 else _INTEGERS[(member.size, _signed(member.type))]
    return f"{member.size}s"


def _signed(kind: CType) -> bool:
    return isinstance(kind, (Int, Enumerated)) and kind.signed


def _disjoint(parts: list[tuple[int, str]]) -> list[list[tuple[int, str]]]:
    """Parts as lists in which each lies behind the one before it; nearly always one list. The first begins one."""
    layers: list[list[tuple[int, str]]] = []
    ends: list[int] = []
    for offset, code in parts:
        size = Struct("=" + code).size
        for i, end in enumerate(ends):
            if end <= offset:
                layers[i].append((offset, code))
                ends[i] = offset + size
                break
        else:
            layers.append([(offset, code)])
            ends.append(offset + size)
    return layers


def _struct_code(parts: list[tuple[int, str]]) -> tuple[str, Struct]:
    """The format after the event's id, and the whole from the head on."""
    position, code = 2, ""
    for offset, part in parts:
        code += f"{offset - position}x{part}" if offset > position else part
        position = offset + Struct("=" + part).size
    return code, Struct("=IH" + code)


def _overlay(offset: int, code: str) -> Finisher:
    unpack = Struct("=" + code).unpack_from

    def finish(page: bytes, position: int, row: list[Any]) -> None:
        row.append(unpack(page, position + HEAD + offset)[0])

    return finish


def _is_dynamic_text(member: Member) -> bool:
    return member.location != "inline" and not isinstance(member.type, (Array, Buffer, Inet))


def _value_finishers(
    members: Sequence[Member], places: Sequence[int], texts: Mapping[Member, TextCache]
) -> list[Finisher]:
    made: dict[int, Finisher] = {}
    for member, place in zip(members, places):
        if member.location != "inline":
            made[place] = _dynamic(member, place, texts.get(member))
        elif member.bit_size:
            made[place] = _bits(member, place)
        elif isinstance(member.type, String):
            made[place] = _fixed_text(place, _limit(member))
    return list(made.values())


def _dynamic(member: Member, place: int, text: Optional[TextCache]) -> Finisher:
    """A dynamic array: the low half of its descriptor is where it lies, the high half its length in bytes. A string
    whose memory could not be read has length 0, an empty one length 1 (Linux 797311bce5c2, v6.5, and before v6.2)."""
    base = HEAD + (member.offset + 4 if member.location == "rel_loc" else 0)
    convert: Callable[[bytes], Any] = bytes if text is None else text

    def finish(page: bytes, position: int, row: list[Any]) -> None:
        descriptor = row[place]
        start = position + base + (descriptor & 0xFFFF)
        row[place] = convert(page[start : start + (descriptor >> 16)])
        if text is not None and descriptor < 0x10000:
            text.faults += 1
            row[place] = UNREAD

    return finish


def _bits(member: Member, place: int) -> Finisher:
    shift, mask = member.bit_offset, (1 << member.bit_size) - 1
    sign = 1 << (member.bit_size - 1) if _signed(member.type) else 0

    def finish(page: bytes, position: int, row: list[Any]) -> None:
        value = row[place] >> shift & mask
        row[place] = (value ^ sign) - sign

    return finish


def _fixed_text(place: int, limit: int) -> Finisher:
    convert = TextCache(limit)

    def finish(page: bytes, position: int, row: list[Any]) -> None:
        row[place] = convert(row[place])

    return finish


def _limit(member: Member) -> int:
    return member.type.size if isinstance(member.type, String) else 1 << 16


class TextCache(dict[bytes, str]):
    """Bytes up to NUL as text of at most `size` bytes with its NUL, remembered, because traces repeat few names.
    Undecodable bytes are kept (`surrogateescape`). `faults` counts strings that the kernel could not read."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self.faults = 0

    def __missing__(self, raw: bytes) -> str:
        text = cut(raw.split(b"\0", 1)[0].decode("utf-8", "surrogateescape"), self._size)
        if len(self) < _CACHE_LIMIT:
            self[raw] = text
        return text

    __call__ = dict.__getitem__


def _extractor(base: Struct, code: str, finishers: list[Finisher], bulk: bool) -> Extractor:
    unpack = base.unpack_from
    if not finishers:
        return Extractor(unpack, code)

    def extract(page: bytes, position: int) -> Row:
        row = list(unpack(page, position))
        for finish in finishers:
            finish(page, position, row)
        return tuple(row)

    def finish_row(raw: Row) -> Row:
        row = list(raw)
        for finish in finishers:
            finish(b"", 0, row)
        return tuple(row)

    return Extractor(extract, code, finish_row) if bulk else Extractor(extract)
