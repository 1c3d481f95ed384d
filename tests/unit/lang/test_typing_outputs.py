"""Output sites: printf and its formats, emit and its columns, print and whole maps."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.lang.small_kernel import OPENAT, refusals, typed
from xtrace.core import ir
from xtrace.core.attach import Attach
from xtrace.core.types import Inet, Int, Pointer, Space, Stack, String, Symbol, Timestamp, Void


def sites(text: str, *attach: Attach, **settings: Any) -> tuple[ir.Site, ...]:
    return typed(f"kprobe:f {{ {text} }}", *attach, **settings).sites


def test_printf_knows_the_types_of_its_values() -> None:
    assert sites('printf("%d %s %p\\n", pid, comm, arg0);') == (
        ir.Printf("%d %s %p\n", (Int(4, False), String(16), Int())),
    )
    assert sites('errorf("x");') == (ir.Printf("x", (), "errorf", ("test.bt", 1, 12)),)


def test_what_a_string_conversion_shows() -> None:
    types = sites('printf("%s %s %s %s", ntop(arg0), ksym(arg0), kstack(3), strftime("%H", nsecs));')[0].types  # type: ignore[union-attr]
    assert types == (Inet(), Symbol(False), Stack(False, 3), Timestamp("%H"))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('printf("%d", comm);', "comm"),
        ('printf("%s", (char *)arg0);', "(char *)arg0"),
        ('printf("%d %d", pid);', '"%d %d"'),
        ('printf("%d", pid, tid);', "tid"),
        ('printf("%y", pid);', "%y"),
        ('printf("%d %*d", pid);', "%*d"),
        ('printf("%r", comm);', "comm"),
        ('printf("%d", ntop(arg0));', "ntop(arg0)"),
        ('printf("100%");', "%"),
    ],
)
def test_formats_and_values_that_do_not_agree(text: str, place: str) -> None:
    assert refusals(f"kprobe:f {{ {text} }}") == {"XT0217": place}


def test_percent_signs_and_widths() -> None:
    assert refusals('kprobe:f { printf("%% %-10s %6d %08llx %c %5.2s", comm, pid, arg0, 65, comm); }') == {}


def test_columns_have_labels_or_names_of_their_own() -> None:
    site = sites("emit(pid, args.dfd, file = str(args.filename), d = nsecs / 1000);", OPENAT)[0]
    assert isinstance(site, ir.Emit)
    assert [name for name, _ in site.columns] == ["pid", "dfd", "file", "d"]
    named = sites("$fd = 1; @x = 1; emit($fd, @x, str(args.filename), kstack);", OPENAT)
    assert isinstance(named[0], ir.Emit)
    assert [name for name, _ in named[0].columns] == ["fd", "x", "filename", "kstack"]


def test_columns_are_named_and_distinct() -> None:
    assert refusals("kprobe:f { emit(pid, pid); }") == {"XT0218": "pid"}
    assert refusals("kprobe:f { emit(pid + 1); }") == {"XT0218": "pid + 1"}


def test_print() -> None:
    assert sites('@x[pid] = 1; print(@x); print(@x, 5, 10); print(@x[pid]); print("a");') == (
        ir.PrintMap("x"),
        ir.PrintMap("x", 5, 10),
        ir.PrintValue(Int(), "x", (Int(4, False),)),
        ir.PrintValue(String(2)),
    )


def test_equal_sites_are_one() -> None:
    program = typed('kprobe:f { printf("a"); printf("b"); printf("a"); }')
    assert [one.site for one in program.clauses[0].body if isinstance(one, ir.Output)] == [0, 1, 0]


def test_whole_maps_and_the_clock() -> None:
    assert sites('@x = 1; clear(@x); zero(@x); time(); time("%S"); exit(3);') == (
        ir.Clear("x"),
        ir.Zero("x"),
        ir.Time("%H:%M:%S\n"),
        ir.Time("%S"),
        ir.Exit(),
    )


def test_join_stops_reading_at_the_null() -> None:
    program = typed('kprobe:f { join(uptr(arg1), ","); }')
    assert program.sites == (ir.Join(","),)
    output = program.clauses[0].body[-1]
    assert isinstance(output, ir.Output)
    assert len(output.args) == 16
    second = output.args[1]
    assert isinstance(second, ir.Ternary)
    pointer = Pointer(Int(1, True), Space.USER)
    assert second.then == ir.ReadString(
        ir.Load(ir.Arg(1, Pointer(Void(), Space.USER)), 8, pointer, Space.USER), Space.USER, String(64)
    )


def test_commands_need_unsafe() -> None:
    assert refusals('kprobe:f { system("ls"); }') == {"XT0222": 'system("ls")'}
    assert sites('system("ls %d", pid);', unsafe=True) == (ir.System("ls %d", (Int(4, False),)),)


def test_cat() -> None:
    assert sites('cat("/proc/%d/maps", pid);') == (ir.Cat("/proc/%d/maps", (Int(4, False),)),)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("$x = print(1);", "XT0231"),
        ("signal(9);", "XT0221"),
        ("override(1);", "XT0221"),
        ('pton("1.2.3");', "XT0205"),
        ("prinft(1);", "XT0203"),
        ("count();", "XT0215"),
        ("clear(1);", "XT0205"),
        ("exit(1, 2);", "XT0204"),
        ("printf();", "XT0204"),
        ("printf(comm);", "XT0223"),
        ("print(1, 2);", "XT0204"),
        ("nsecs(tai);", "XT0220"),
        ("$x = kstack(1000);", "XT0205"),
        ("$x = str(arg0, comm);", "XT0205"),
        ("$x = str(arg0, -1);", "XT0205"),
        ("$x = strncmp(comm, 5, 1);", "XT0205"),
    ],
)
def test_refusals(text: str, code: str) -> None:
    assert set(refusals(f"kprobe:f {{ {text} }}")) == {code}
