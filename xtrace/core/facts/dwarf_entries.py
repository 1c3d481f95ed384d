"""Where an entry begins whose name lies at a known place, told by the abbreviations of its unit (DWARF 5, section 7.5).

A name like `pid` stands at a hundred thousand places of a vmlinux's .debug_info, and only few of them are the name of
an entry of the wanted kind: looking at one byte before it spares decoding the others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Optional

if TYPE_CHECKING:
    from elftools.dwarf.die import DIE

_NAME, _IMPLICIT_CONST = 0x03, 0x21
"""DW_AT_name, DW_FORM_implicit_const (tables 7.5 and 7.6)"""
_SIZES = {
    0x0B: 1, 0x05: 2, 0x06: 4, 0x07: 8,  # DW_FORM_data1, data2, data4, data8
    0x0C: 1, 0x19: 0, _IMPLICIT_CONST: 0,  # flag, flag_present, implicit_const
    0x13: 4, 0x0E: 4, 0x17: 4,  # ref4, strp, sec_offset
}  # fmt: skip
"""Forms of one size in 32-bit DWARF."""
_LONG = 0xFFFFFFFF
"""The length that says that a longer one follows (64-bit DWARF)."""
_LONGEST = 3
"""Bytes of an abbreviation code: two million different ones."""


@dataclass(frozen=True)
class _Kind:
    tag: int
    before: Optional[int]
    """Bytes between the code and the name; None where they vary."""


class Entries:
    """Finds entries by the place of their name."""

    def __init__(self, dwarf: Any, info: bytes, abbreviations: bytes) -> None:
        self._dwarf, self._info, self._abbreviations = dwarf, info, abbreviations
        self._tables: dict[int, Mapping[int, _Kind]] = {}
        self._units = list(_unit_offsets(info, "little" if dwarf.config.little_endian else "big"))

    def named_at(self, place: int, tags: Collection[str]) -> Iterator[DIE]:
        """Entries with one of the tags whose name may be at that place in .debug_info; most places have none."""
        from elftools.dwarf.enums import ENUM_DW_TAG

        unit = self._dwarf.get_CU_at(self._units[bisect_right(self._units, place) - 1])
        for start in self._starts(place, self._kinds(unit), {ENUM_DW_TAG[tag] for tag in tags}):
            die = _decoded(unit, start)
            if die is not None:
                yield die

    def _starts(self, place: int, kinds: Mapping[int, _Kind], tags: Collection[int]) -> Iterator[int]:
        distances = {kind.before for kind in kinds.values() if kind.tag in tags and kind.before is not None}
        for distance in sorted(distances):
            code, end = 0, place - distance
            for length in range(1, _LONGEST + 1):
                byte = self._info[end - length]
                if (length == 1) == bool(byte & 0x80):
                    break
                code = code << 7 | byte & 0x7F
                kind = kinds.get(code)
                if kind is not None and kind.tag in tags and kind.before == distance:
                    yield end - length

    def _kinds(self, unit: Any) -> Mapping[int, _Kind]:
        offset = unit["debug_abbrev_offset"]
        if offset not in self._tables:
            self._tables[offset] = dict(_kinds(self._abbreviations, offset))
        return self._tables[offset]


def _decoded(unit: Any, start: int) -> Optional[DIE]:
    """The entry there; None where what lies there is none."""
    from elftools.common.exceptions import DWARFError, ELFError

    try:
        die: DIE = unit.get_DIE_from_refaddr(start)
    except (DWARFError, ELFError, KeyError, ValueError, IndexError, AttributeError, TypeError):
        return None
    return die


def _unit_offsets(info: bytes, order: Literal["little", "big"]) -> Iterator[int]:
    """Where units begin, by their lengths (section 7.5.1)."""
    at = 0
    while at + 4 <= len(info):
        yield at
        length = int.from_bytes(info[at : at + 4], order)
        at += 12 + int.from_bytes(info[at + 4 : at + 12], order) if length == _LONG else 4 + length


def _kinds(data: bytes, at: int) -> Iterator[tuple[int, _Kind]]:
    """The table of abbreviations at an offset (section 7.5.3). Raises IndexError where it is cut short."""
    while True:
        code, at = _number(data, at)
        if code == 0:
            return
        tag, at = _number(data, at)
        at += 1
        before: Optional[int] = 0
        found: Optional[int] = None
        while True:
            name, at = _number(data, at)
            form, at = _number(data, at)
            if form == _IMPLICIT_CONST:
                _, at = _number(data, at)
            if (name, form) == (0, 0):
                break
            if name == _NAME:
                found = before
            before = before + _SIZES[form] if before is not None and form in _SIZES else None
        yield code, _Kind(tag, found)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length (section 7.6), and where the next begins."""
    byte = data[at]
    if byte < 0x80:
        return byte, at + 1
    result, shift = byte & 0x7F, 7
    while byte >= 0x80:
        at += 1
        byte = data[at]
        result |= (byte & 0x7F) << shift
        shift += 7
    return result, at + 1
