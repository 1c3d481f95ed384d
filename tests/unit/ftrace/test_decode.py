"""Fields of records by their format: integers, text, dynamic arrays, overlaps, bit fields."""

from __future__ import annotations

import struct

from xtrace.backends.ftrace.decode import layout_of
from xtrace.core.types import Array, Buffer, Int, Member, Pointer, String

HEAD = b"\0\0\0\0"


def decoded(members: tuple[Member, ...], payload: bytes) -> list[object]:
    layout = layout_of(members)
    row = layout.extractor.extract(HEAD + struct.pack("=HBBi", 300, 1, 2, 77) + payload, 0)
    assert row[1] == 300 and row[2] == 77
    return [row[place] for place in layout.columns]


def test_integers_of_all_sizes_come_out_signed_64_bit() -> None:
    members = (
        Member("a", Int(1, True), 8, 1),
        Member("b", Int(2, False), 10, 2),
        Member("c", Int(4, False), 12, 4),
        Member("d", Int(8, False), 16, 8),
        Member("e", Pointer(Int()), 24, 8),
    )
    payload = struct.pack("=bxHIQQ", -3, 65535, 1 << 31, (1 << 64) - 1, 1 << 63)
    assert decoded(members, payload) == [-3, 65535, 1 << 31, -1, -(1 << 63)]


def test_members_in_any_order_and_over_each_other() -> None:
    members = (Member("late", Int(4, True), 12, 4), Member("whole", Int(8, True), 8, 8), Member("early", Int(4), 8, 4))
    assert decoded(members, struct.pack("=ii", 5, 6)) == [6, 6 << 32 | 5, 5]


def test_text_ends_at_nul_and_at_its_size() -> None:
    members = (Member("fixed", String(16), 8, 16), Member("cut", String(4), 24, 16))
    assert decoded(members, b"sh\0junk".ljust(16, b"x") + b"abcdefgh".ljust(16, b"\0")) == ["sh", "abc"]


def test_undecodable_bytes_are_kept() -> None:
    assert decoded((Member("name", String(16), 8, 16),), b"a\xff".ljust(16, b"\0")) == ["a\udcff"]


def test_dynamic_arrays_by_both_kinds_of_descriptor() -> None:
    members = (
        Member("absolute", String(64), 8, 4, location="data_loc"),
        Member("relative", String(64), 12, 4, location="rel_loc"),
        Member("numbers", Array(Int(2, False), 0), 16, 4, location="data_loc"),
    )
    payload = struct.pack("=III", 6 << 16 | 20, 3 << 16 | (26 - 16), 4 << 16 | 29) + b"hello\0" + b"hi\0" + b"\1\0\2\0"
    assert decoded(members, payload) == ["hello", "hi", b"\1\0\2\0"]


def test_an_unreadable_string_is_empty() -> None:
    assert decoded((Member("s", String(64), 8, 4, location="data_loc"),), struct.pack("=I", 12)) == [""]


def test_bit_fields_are_extended_by_their_sign() -> None:
    members = tuple(Member("b", Int(4, signed), 8, 4, bit_offset=4, bit_size=3) for signed in (True, False))
    for member, expected in zip(members, (-1, 7)):
        assert decoded((member,), struct.pack("=I", 0x7F)) == [expected]


def test_raw_bytes() -> None:
    assert decoded((Member("mac", Buffer(6), 8, 6),), b"\1\2\3\4\5\6") == [b"\1\2\3\4\5\6"]
