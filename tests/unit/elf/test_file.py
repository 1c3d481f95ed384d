"""Our own ELF reader: functions, versions, USDT notes, and files that lie."""

from __future__ import annotations

import lzma
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.elf.elf_builder import BASE, TEXT, Part, Shape, Sym, elf, note, usdt_note
from xtrace.core.attach import UsdtArgument, UsdtSite
from xtrace.core.elf.file import Elf, section
from xtrace.core.elf.functions import ByAddress, tables
from xtrace.core.elf.usdt import usdt_arguments

SMALL = elf([Sym("main", 0), Sym("run", 32)], Part(".note.stapsdt", 7, usdt_note("app", "go", 4, "-4@%edi 8@%rsi")))


def test_functions_are_at_offsets_of_the_file() -> None:
    assert Elf.of(SMALL).functions == {"main": TEXT, "run": TEXT + 32}


@pytest.mark.parametrize("shape", [Shape(wide, order) for wide in (True, False) for order in "<>"])
def test_every_class_and_byte_order(shape: Shape) -> None:
    given = usdt_note("app", "go", 4, "4@%eax", shape=shape)
    build = note(b"GNU\0", 3, b"\x01\x02\x03\x04", shape.order)
    symbols = [Sym("main", 0), Sym("old", 32, version=0x8002)]
    file = Elf.of(elf(symbols, Part(".note.stapsdt", 7, given), Part(".note.gnu.build-id", 7, build), shape=shape))
    assert file.functions == {"main": TEXT, "old": TEXT + 32}
    assert [(one.probe, one.site.offset) for one in file.usdt] == [("go", TEXT + 4)]
    assert file.build_id == "01020304"
    assert ByAddress(file).at(TEXT + 40) == ("old", 8)


def test_sections_that_are_too_many_for_the_header_are_counted_in_the_first() -> None:
    file = Elf.of(elf([Sym("main", 0)], Part(".BTF", 1, b"types"), counted_in_header=False))
    assert file.functions == {"main": TEXT}
    assert file.content(file.section(".BTF")) == b"types"


def test_of_two_versions_the_one_for_new_programs_is_taken() -> None:
    both = Elf.of(
        elf([Sym("memcpy", 0, version=0x8002), Sym("memcpy", 64, version=3), Sym("gone", 96, version=0x8002)])
    )
    assert both.functions == {"memcpy": TEXT + 64, "gone": TEXT + 96}


def test_indirect_functions_are_known_as_such() -> None:
    assert Elf.of(elf([Sym("strlen", 0, kind=10), Sym("puts", 32)])).indirect == {"strlen"}


def test_functions_of_minidebuginfo() -> None:
    hidden = lzma.compress(elf([Sym("static_one", 128)]))
    assert Elf.of(elf([Sym("main", 0)], Part(".gnu_debugdata", 1, hidden))).functions == {
        "main": TEXT,
        "static_one": TEXT + 128,
    }


def test_damaged_minidebuginfo_is_no_obstacle() -> None:
    assert Elf.of(elf([Sym("main", 0)], Part(".gnu_debugdata", 1, b"\xfd7zXZ\0garbage"))).functions == {"main": TEXT}


def test_usdt_probes() -> None:
    (note,) = Elf.of(SMALL).usdt
    arguments = (UsdtArgument(4, True, "%edi"), UsdtArgument(8, False, "%rsi"))
    assert (note.provider, note.probe, note.site) == ("app", "go", UsdtSite(TEXT + 4, 0, arguments))


def test_usdt_sites_move_with_their_base() -> None:
    note = usdt_note("app", "go", 0, "", base=0x5000, semaphore=BASE + 0x100)
    (found,) = Elf.of(elf([], Part(".note.stapsdt", 7, note), Part(".stapsdt.base", 1, b"x", address=0x5010))).usdt
    assert (found.site.offset, found.site.semaphore) == (TEXT + 0x10, 0x110)


@pytest.mark.parametrize(
    ("text", "operands"),
    [
        ("", []),
        ("-4@%edi 8@-16(%rbp) 8@(%rax,%rbx,8)", ["%edi", "-16(%rbp)", "(%rax,%rbx,8)"]),
        ("4@[sp, 12] -8@x0", ["[sp, 12]", "x0"]),
        ("8@$5 -8@table+4(%rip)", ["$5", "table+4(%rip)"]),
    ],
)
def test_usdt_operands(text: str, operands: list[str]) -> None:
    assert [one.operand for one in usdt_arguments(text)] == operands


@pytest.mark.parametrize(
    "data", [b"", b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF\x03\x01" + bytes(60), b"\x7fELF\x02\x03" + bytes(60)]
)
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not an ELF file"):
        Elf.of(data)


def test_tables_outside_the_file_are_damage() -> None:
    with pytest.raises(ValueError, match="damaged ELF file"):
        Elf.of(b"\x7fELF\x02\x01" + b"\xff" * 100)


@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), min_size=1, max_size=12))
def test_damage_is_a_value_error_or_harmless(changes: list[tuple[int, int]]) -> None:
    data = bytearray(SMALL)
    for place, value in changes:
        data[place] = value
    with suppress(ValueError):
        found = Elf.of(bytes(data))
        assert isinstance(found.functions, dict)
        assert isinstance(found.usdt, tuple)


@given(st.integers(0x20, 0x3F), st.binary(min_size=1, max_size=16))
def test_a_wild_header_is_a_value_error_or_harmless(place: int, values: bytes) -> None:
    data = bytearray(SMALL)
    data[place : place + len(values)] = values
    with suppress(ValueError):
        assert isinstance(Elf.of(bytes(data)).functions, dict)


def test_many_sections_over_the_same_bytes_are_no_trap() -> None:
    trap = elf([Sym(f"f{index}", 0) for index in range(100)])
    rows = Elf.of(trap).sections
    symbols = next(section for section in rows if section.name == ".dynsym")
    again = Part(".dynsym", 11, b"", link=2, entry=24)
    data = bytearray(elf([Sym(f"f{index}", 0) for index in range(100)], *[again] * 2000))
    table = int.from_bytes(data[40:48], "little")
    for index in range(4, 2004):
        data[table + 64 * index + 24 : table + 64 * index + 40] = symbols.offset.to_bytes(8, "little") + len(
            data
        ).to_bytes(8, "little")
    assert sum(len(table.rows()) for table in tables(Elf.of(bytes(data)))) < 20_000


def test_a_place_between_functions_belongs_to_none() -> None:
    found = ByAddress(Elf.of(elf([Sym("main", 0), Sym("run@@V2", 32)])))
    assert [found.at(TEXT + at) for at in (-1, 0, 15, 16, 33)] == [None, ("main", 0), ("main", 15), None, ("run", 1)]


def test_functions_of_minidebuginfo_have_addresses_too() -> None:
    hidden = lzma.compress(elf([Sym("static_one", 128)]))
    found = ByAddress(Elf.of(elf([Sym("main", 0)], Part(".gnu_debugdata", 1, hidden))))
    assert found.at(TEXT + 130) == ("static_one", 2)


def test_a_section_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "object"
    path.write_bytes(elf([], Part(".BTF", 1, b"types"), Part(".empty", 8, b"")))
    assert (section(path, ".BTF"), section(path, ".empty"), section(path, ".none")) == (b"types", b"", b"")
    path.write_bytes(b"text")
    assert section(path, ".BTF") == b""
