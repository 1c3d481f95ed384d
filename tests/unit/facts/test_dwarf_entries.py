"""Entries found by the place of their name, though codes of two bytes end in what is another code."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from xtrace.core.facts.dwarf_entries import Entries

STRUCT, TYPEDEF, MEMBER = "DW_TAG_structure_type", "DW_TAG_typedef", "DW_TAG_member"
STRP, DATA1, UDATA = 0x0E, 0x0B, 0x0F
NAME, SIZE = 0x03, 0x0B


def abbreviation(code: bytes, tag: int, *attributes: int) -> bytes:
    return code + bytes([tag, 1, *attributes, 0, 0])


TABLE = (
    abbreviation(b"\x01", 0x13, NAME, STRP)
    + abbreviation(b"\x81\x01", 0x16, NAME, STRP)
    + abbreviation(b"\x02", 0x13, SIZE, DATA1, NAME, STRP)
    + abbreviation(b"\x03", 0x13, SIZE, UDATA, NAME, STRP)
    + b"\0"
)


class Unit(dict[str, int]):
    """A unit whose entries are their offsets."""

    cu_die_offset = 11

    def get_DIE_from_refaddr(self, offset: int) -> int:
        if offset == 12:
            raise KeyError(offset)
        return offset


def found(body: bytes, place: int, *tags: str) -> list[object]:
    head = (7 + len(body)).to_bytes(4, "little") + bytes(7)
    dwarf = SimpleNamespace(config=SimpleNamespace(little_endian=True), get_CU_at=lambda _: Unit(debug_abbrev_offset=0))
    return list(Entries(dwarf, head + body, TABLE).named_at(11 + place, tags))


@pytest.mark.parametrize(
    ("body", "place", "tags", "entries"),
    [
        (b"\x01NAME", 1, (STRUCT,), [11]),
        (b"\x01NAME", 1, (TYPEDEF,), []),
        (b"\x02\x07NAME", 2, (STRUCT,), [11]),
        # Where a number of any length stands before the name nobody can tell.
        (b"\x03\x07NAME", 2, (STRUCT,), []),
        # The code 0x81 0x01 ends in the code 0x01; the entry that would begin there cannot be decoded.
        (b"\x81\x01NAME", 2, (STRUCT, TYPEDEF), [11]),
        (b"\x09NAME", 1, (STRUCT,), []),
    ],
)
def test_entries(body: bytes, place: int, tags: tuple[str, ...], entries: list[int]) -> None:
    assert found(body, place, *tags) == entries
