"""Our own ELF reader: functions, versions, USDT notes, and files that lie."""

from __future__ import annotations

import lzma
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.resolve.elf_builder import BASE, TEXT, Part, Sym, elf, usdt_note
from xtrace.core.attach import UsdtArgument, UsdtSite
from xtrace.core.resolve.elf import Elf, usdt_arguments

SMALL = elf([Sym("main", 0), Sym("run", 32)], Part(".note.stapsdt", 7, usdt_note("app", "go", 4, "-4@%edi 8@%rsi")))


def test_functions_are_at_offsets_of_the_file() -> None:
    assert Elf(SMALL).functions == {"main": TEXT, "run": TEXT + 32}


def test_of_two_versions_the_one_for_new_programs_is_taken() -> None:
    both = Elf(elf([Sym("memcpy", 0, version=0x8002), Sym("memcpy", 64, version=3), Sym("gone", 96, version=0x8002)]))
    assert both.functions == {"memcpy": TEXT + 64, "gone": TEXT + 96}


def test_indirect_functions_are_known_as_such() -> None:
    assert Elf(elf([Sym("strlen", 0, kind=10), Sym("puts", 32)])).indirect == {"strlen"}


def test_functions_of_minidebuginfo() -> None:
    hidden = lzma.compress(elf([Sym("static_one", 128)]))
    assert Elf(elf([Sym("main", 0)], Part(".gnu_debugdata", 1, hidden))).functions == {
        "main": TEXT,
        "static_one": TEXT + 128,
    }


def test_damaged_minidebuginfo_is_no_obstacle() -> None:
    assert Elf(elf([Sym("main", 0)], Part(".gnu_debugdata", 1, b"\xfd7zXZ\0garbage"))).functions == {"main": TEXT}


def test_usdt_probes() -> None:
    (note,) = Elf(SMALL).usdt
    arguments = (UsdtArgument(4, True, "%edi"), UsdtArgument(8, False, "%rsi"))
    assert (note.provider, note.probe, note.site) == ("app", "go", UsdtSite(TEXT + 4, 0, arguments))


def test_usdt_sites_move_with_their_base() -> None:
    note = usdt_note("app", "go", 0, "", base=0x5000, semaphore=BASE + 0x100)
    (found,) = Elf(elf([], Part(".note.stapsdt", 7, note), Part(".stapsdt.base", 1, b"x", address=0x5010))).usdt
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


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF\x03\x01" + bytes(60)])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not an ELF file"):
        Elf(data)


@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), min_size=1, max_size=12))
def test_damage_is_a_value_error_or_harmless(changes: list[tuple[int, int]]) -> None:
    data = bytearray(SMALL)
    for place, value in changes:
        data[place] = value
    with suppress(ValueError):
        found = Elf(bytes(data))
        assert isinstance(found.functions, dict)
        assert isinstance(found.usdt, tuple)


@given(st.integers(0x20, 0x3F), st.binary(min_size=1, max_size=16))
def test_a_wild_header_is_a_value_error_or_harmless(place: int, values: bytes) -> None:
    data = bytearray(SMALL)
    data[place : place + len(values)] = values
    with suppress(ValueError):
        assert isinstance(Elf(bytes(data)).functions, dict)


def test_many_sections_over_the_same_bytes_are_no_trap() -> None:
    trap = elf([Sym(f"f{index}", 0) for index in range(100)])
    rows = Elf(trap).sections
    symbols = next(section for section in rows if section.name == ".dynsym")
    again = Part(".dynsym", 11, b"", link=2, entry=24)
    data = bytearray(elf([Sym(f"f{index}", 0) for index in range(100)], *[again] * 2000))
    table = int.from_bytes(data[40:48], "little")
    for index in range(4, 2004):
        data[table + 64 * index + 24 : table + 64 * index + 40] = symbols.offset.to_bytes(8, "little") + len(
            data
        ).to_bytes(8, "little")
    assert len(Elf(bytes(data))._symbols) < 20_000
