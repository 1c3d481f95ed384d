"""A reader of BTF, the kernel's type information, in plain Python (Documentation/bpf/btf.rst).

A `Btf` walks its records once for their positions (some 30 ms for a vmlinux) and decodes only those that are asked for.
Anything that is out of place raises XtraceError XT0403: the file may come from a stranger's bundle.
"""

from __future__ import annotations

import struct
import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Optional

from xtrace.core.errors import XtraceError

(INT, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, TYPEDEF, VOLATILE, CONST, RESTRICT, FUNC, FUNC_PROTO, VAR, DATASEC, FLOAT,
 DECL_TAG, TYPE_TAG, ENUM64) = range(1, 20)  # fmt: skip

_FIXED = (3, 4, 3, 6, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 3, 3, 4, 3, 3)
"""32-bit words of a record before what repeats, by kind."""
_EACH = (0, 0, 0, 0, 3, 3, 2, 0, 0, 0, 0, 0, 0, 2, 0, 3, 0, 0, 0, 3)
"""32-bit words of one member, parameter or enumerator, by kind."""

_MAGIC = 0xEB9F
_MODIFIERS = frozenset((VOLATILE, CONST, RESTRICT, TYPE_TAG))
_MAX_CHAIN = 64
INT_SIGNED, INT_CHAR, INT_BOOL = 1, 2, 4


@dataclass(frozen=True)
class Record:
    """One type. `extra` is its size in bytes, or the id of the type that it refers to; `flag` is kind_flag."""

    id: int
    kind: int
    name: str
    count: int
    flag: bool
    extra: int


@dataclass(frozen=True)
class RawMember:
    """A member as BTF has it; `bit_size` is 0 for an ordinary one."""

    name: str
    type: int
    bit_offset: int
    bit_size: int


class Btf:
    """The types of a kernel or, with `base`, of one of its modules (split BTF: ids and strings go on from the base's).

    `source` is named in complaints. Raises XtraceError XT0403 for data that is damaged or of an unknown kind.
    """

    def __init__(self, data: bytes, source: str = "BTF", base: Optional[Btf] = None) -> None:
        self.source, self.base = source, base
        self.first_id: int = base.end_id if base else 1
        self.first_string: int = base.end_string if base else 0
        types, self.strings, self.little = self._sections(data)
        self.end_string: int = self.first_string + len(self.strings)
        self.words = array("I")
        self.words.frombytes(types)
        if self.little != (sys.byteorder == "little"):
            self.words.byteswap()
        self._positions, self._kinds, self._names = self._walk()
        self.end_id: int = self.first_id + len(self._kinds)

    def damaged(self, why: str) -> XtraceError:
        return XtraceError.of("XT0403", f"{self.source} cannot be read: {why}")

    def _sections(self, data: bytes) -> tuple[bytes, bytes, bool]:
        if len(data) < 24:
            raise self.damaged("it is shorter than a header")
        little = data[:2] == _MAGIC.to_bytes(2, "little")
        if not little and data[:2] != _MAGIC.to_bytes(2, "big"):
            raise self.damaged("it does not begin with the magic number 0xeb9f")
        header = struct.unpack(("<" if little else ">") + "HBBIIIII", data[:24])
        version, length = header[1], header[3]
        if version != 1:
            raise self.damaged(f"its version is {version}, not 1")
        type_at, type_length, string_at, string_length = (header[i] for i in (4, 5, 6, 7))
        types = data[length + type_at : length + type_at + type_length]
        strings = data[length + string_at : length + string_at + string_length]
        if len(types) != type_length or len(strings) != string_length or type_length % 4 or length < 24:
            raise self.damaged("its sections do not fit the file")
        if string_length and (strings[-1] or (not self.base and strings[0])):
            raise self.damaged("its strings are not terminated")
        return types, strings, little

    def _walk(self) -> tuple[array[int], bytearray, bytes]:
        words, end = self.words, len(self.words)
        positions, kinds, names = array("I"), bytearray(), array("I")
        at = 0
        while at < end:
            if at + 3 > end:
                raise self.damaged("its last type is cut off")
            info = words[at + 1]
            kind = info >> 24 & 31
            if not 0 < kind <= ENUM64:
                raise self.damaged(f"type {self.first_id + len(kinds)} is of the unknown kind {kind}")
            positions.append(at)
            kinds.append(kind)
            names.append(words[at])
            at += _FIXED[kind] + (info & 0xFFFF) * _EACH[kind]
        if at != end:
            raise self.damaged("its last type is cut off")
        return positions, kinds, names.tobytes()

    # --- records ----------------------------------------------------------------------------------------------------

    def string(self, offset: int) -> str:
        if offset < self.first_string and self.base:
            return self.base.string(offset)
        start = offset - self.first_string
        if not 0 <= start < max(1, len(self.strings)):
            raise self.damaged(f"a name lies at {offset}, outside its strings")
        return self.strings[start : self.strings.find(b"\0", start)].decode("utf-8", "replace")

    def record(self, type_id: int) -> Record:
        """The type with this id; 0 is void."""
        if type_id == 0:
            return Record(0, 0, "void", 0, False, 0)
        if type_id < self.first_id and self.base:
            return self.base.record(type_id)
        if not self.first_id <= type_id < self.end_id:
            raise self.damaged(f"it refers to type {type_id}, which does not exist")
        at = self._positions[type_id - self.first_id]
        info = self.words[at + 1]
        return Record(
            type_id,
            info >> 24 & 31,
            self.string(self.words[at]),
            info & 0xFFFF,
            bool(info >> 31),
            self.words[at + 2],
        )

    def _rows(self, type_id: int, width: int) -> Iterator[tuple[int, ...]]:
        """What repeats in a record, `width` words each."""
        if type_id < self.first_id and self.base:
            yield from self.base._rows(type_id, width)
            return
        index = type_id - self.first_id
        at = self._positions[index] + _FIXED[self._kinds[index]]
        for _ in range(self.words[self._positions[index] + 1] & 0xFFFF):
            yield tuple(self.words[at : at + width])
            at += width

    def _tail(self, type_id: int, width: int) -> tuple[int, ...]:
        """The words that follow a record's first three."""
        if type_id < self.first_id and self.base:
            return self.base._tail(type_id, width)
        at = self._positions[type_id - self.first_id] + 3
        return tuple(self.words[at : at + width])

    def members(self, record: Record) -> tuple[RawMember, ...]:
        """Members of a struct or union in declaration order; bit offsets count as the file's byte order does."""
        made = []
        for name, type_id, offset in self._rows(record.id, 3):
            bits, bit_size = (offset & 0xFFFFFF, offset >> 24) if record.flag else (offset, 0)
            made.append(RawMember(self.string(name), type_id, bits, bit_size))
        return tuple(made)

    def parameters(self, record: Record) -> tuple[tuple[str, int], ...]:
        """Names and type ids of a function prototype's parameters, without a trailing `...`."""
        rows = list(self._rows(record.id, 2))
        if rows and rows[-1] == (0, 0):
            rows.pop()
        return tuple((self.string(name), type_id) for name, type_id in rows)

    def enumerators(self, record: Record) -> tuple[tuple[str, int], ...]:
        """Names and values of an enum."""
        if record.kind == ENUM64:
            wide = [(name, low | high << 32) for name, low, high in self._rows(record.id, 3)]
            return tuple((self.string(n), v - (1 << 64) if record.flag and v >> 63 else v) for n, v in wide)
        signed = record.flag or not self.tells_enum_sign
        rows = self._rows(record.id, 2)
        return tuple((self.string(n), v - (1 << 32) if signed and v >> 31 else v) for n, v in rows)

    def array(self, record: Record) -> tuple[int, int]:
        """Element type id and count of an array."""
        element, _, count = self._tail(record.id, 3)
        return element, count

    def integer(self, record: Record) -> tuple[int, int, int]:
        """Encoding, bit offset and bit count of an integer."""
        (data,) = self._tail(record.id, 1)
        return data >> 24 & 15, data >> 16 & 255, data & 255

    # --- search -----------------------------------------------------------------------------------------------------

    def find(self, name: str, *kinds: int) -> Optional[int]:
        """The id of the first complete type of that name and one of these kinds; kinds in order of preference."""
        found = self.find_all(name)
        for kind in kinds:
            for type_id in found:
                record = self.record(type_id)
                if record.kind == kind and (record.count or record.extra or kind not in (STRUCT, UNION, ENUM)):
                    return type_id
        return None

    def find_all(self, name: str) -> list[int]:
        """Ids of this file's own types with that name."""
        return [
            self.first_id + at // 4 for offset in self._offsets(name) for at in _aligned(self._names, _word(offset))
        ]

    def _offsets(self, name: str) -> list[int]:
        """Where a name lies among the strings, the base's included."""
        found = self.base._offsets(name) if self.base else []
        wanted = b"\0" + name.encode("utf-8", "surrogateescape") + b"\0"
        if self.first_string and self.strings.startswith(wanted[1:]):
            found.append(self.first_string)
        at = self.strings.find(wanted) if name else -1
        while at >= 0:
            found.append(self.first_string + at + 1)
            at = self.strings.find(wanted, at + 1)
        return found

    def enumerator(self, name: str) -> Optional[int]:
        """The value of an enumerator of any enum of this file."""
        for offset in self._offsets(name):
            for at in _aligned(self._bytes, _word(offset)):
                index = bisect_right(self._positions, at // 4) - 1
                record = self.record(self.first_id + index)
                inside = at // 4 - self._positions[index] - 3
                if record.kind in (ENUM, ENUM64) and inside >= 0 and inside % _EACH[record.kind] == 0:
                    return self.enumerators(record)[inside // _EACH[record.kind]][1]
        return None

    def functions(self) -> Iterator[str]:
        """Names of all functions of this file."""
        for index, kind in enumerate(self._kinds):
            if kind == FUNC:
                yield self.string(self.words[self._positions[index]])

    def plain(self, type_id: int, through_typedefs: bool = False) -> Record:
        """The type without const, volatile, restrict and tags; typedefs are followed when asked."""
        for _ in range(_MAX_CHAIN):
            record = self.record(type_id)
            if record.kind not in _MODIFIERS and not (through_typedefs and record.kind == TYPEDEF):
                return record
            type_id = record.extra
        raise self.damaged(f"type {type_id} refers to itself")

    @cached_property
    def tells_enum_sign(self) -> bool:
        """Enums say whether they are signed (Linux 6089fb325cf7, v6.0); before, every value was taken as signed."""
        return any(
            kind == ENUM64 or (kind == ENUM and self.words[at + 1] >> 31)
            for kind, at in zip(self._kinds, self._positions)
        )

    @cached_property
    def _bytes(self) -> bytes:
        return self.words.tobytes()


def _word(value: int) -> bytes:
    return value.to_bytes(4, sys.byteorder)


def _aligned(data: bytes, word: bytes) -> Iterator[int]:
    """Offsets, multiples of 4, where `word` lies."""
    at = data.find(word)
    while at >= 0:
        if at % 4 == 0:
            yield at
        at = data.find(word, at + 1)
