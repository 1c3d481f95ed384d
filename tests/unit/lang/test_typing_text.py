"""Functions of text and of names: lengths, single characters, hardware addresses, numbers shown by name."""

from __future__ import annotations

import pytest

from tests.unit.lang.small_kernel import KFREE_SKB, PLACES, complaints, expression, refusals, typed
from xtrace.core import ir
from xtrace.core.types import Buffer, Enumerated, Int, Space, String


def test_a_length_that_only_the_run_knows_cuts_what_was_read() -> None:
    read = ir.ReadString(ir.Arg(0), Space.AUTO, String(64))
    assert expression("str(arg0, arg1)") == ir.Cut(read, ir.Arg(1), String(64))


def test_a_constant_length_bounds_the_read() -> None:
    assert expression("str(arg0, 3)") == ir.ReadString(ir.Arg(0), Space.AUTO, String(4))
    assert expression("str(arg0, 1000)") == ir.ReadString(ir.Arg(0), Space.AUTO, String(64))


def test_lengths_of_text() -> None:
    assert expression("strlen(comm)") == ir.TextLength(ir.Builtin("comm", String(16)))
    assert expression('strlen("zür")') == ir.Const(4)
    assert refusals("kprobe:f { print(strlen(arg0)); }") == {"XT0205": "arg0"}


def test_characters_of_text() -> None:
    assert expression("comm[3]") == ir.TextByte(ir.Builtin("comm", String(16)), 3)
    assert expression('"/x"[0]') == ir.Const(47, Int(1, True))
    assert expression('"/x"[9]') == ir.Const(0, Int(1, True))


def test_hardware_addresses() -> None:
    mac = Buffer(6, mac=True)
    assert expression("macaddr(arg0)") == ir.ReadBytes(ir.Arg(0), ir.Const(6), Space.AUTO, mac)
    assert refusals("tracepoint:skb:kfree_skb { print(macaddr(args.saddr)); }", KFREE_SKB) == {"XT0205": "args.saddr"}
    assert refusals('kprobe:f { printf("%r", macaddr(arg0)); }') == {"XT0217": "macaddr(arg0)"}
    assert refusals('kprobe:f { printf("%s", macaddr(arg0)); }') == {}


@pytest.mark.parametrize(
    ("text", "enum"),
    [("strerror(arg0)", "errno"), ("cgroup_path(cgroup)", "cgroup"), ("username", "user")],
)
def test_numbers_shown_by_name(text: str, enum: str) -> None:
    shown = expression(text)
    assert isinstance(shown, ir.Address)
    assert isinstance(shown.type, Enumerated) and shown.type.name == enum


def test_the_parents_name_is_read_through_the_task() -> None:
    parent = expression("pcomm")
    assert isinstance(parent, ir.ReadString)
    assert parent == expression("curtask->real_parent->comm")


def test_no_symbol_lies_at_zero() -> None:
    program = typed("BEGIN { @n = ksym(0); } kprobe:f { @n = func; }")
    assert program.map("n").value == String(64)


def test_a_deletion_tells_whether_the_entry_was_there() -> None:
    kept, delete, branch = typed("kprobe:f { @m[1] = 2; if (delete(@m, 1)) { @n++; } }").clauses[0].body[1:]
    assert isinstance(kept, ir.SetVar) and kept.value == ir.MapHasKey("m", (ir.Const(1),))
    assert delete == ir.DeleteKey("m", (ir.Const(1),))
    assert isinstance(branch, ir.If)
    assert refusals("kprobe:f { @m[1] = 2; $x = delete(@m[1], @m[2]); }") == {"XT0204": "@m[2]"}


def test_a_declared_map_has_its_own_size() -> None:
    program = typed("let @m = lruhash(10); kprobe:f { @m[pid] = 1; @n[pid] = 1; }")
    m, n = program.map("m"), program.map("n")
    assert (m.capacity, m.lru, program.room(m)) == (10, True, 10)
    assert (n.capacity, n.lru, program.room(n)) == (0, False, 4096)


def test_begin_needs_no_host_for_named_parameters() -> None:
    assert expression('getopt("depth", 3)', PLACES["begin"]) == ir.Const(3)


def test_a_literal_ends_at_its_nul() -> None:
    assert expression(r'"a\0b"') == ir.Text("a", String(2))
    assert complaints(r'begin { print("a\0b"); print("c"); }') == [("XT0237", r'"a\0b"')]


def test_str_takes_fewer_bytes_of_what_is_a_string_already() -> None:
    assert expression("str(comm, 2)") == ir.Cut(ir.Builtin("comm", String(16)), ir.Const(2), String(3))
    assert expression("str(comm, 40)") == ir.Builtin("comm", String(16))
    assert expression('str("hello", 2)') == ir.Text("he", String(3))
    assert expression("str($1)", parameters=("\u00e9" * 600,)).type == String(64)


def test_literals_compare_by_bytes() -> None:
    assert expression('strncmp("\u65e5\u672c", "\u65e5x", 4)') == ir.Const(1)
    assert expression('strncmp("\u65e5\u672c", "\u65e5x", 3)') == ir.Const(0)
