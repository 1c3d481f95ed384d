"""Fields, struct members, elements and pointees become reads by number."""

from __future__ import annotations

import pytest

from tests.unit.lang.small_kernel import (
    CHAR,
    I32,
    KFREE_SKB,
    MALLOC,
    OPENAT,
    U8,
    U16,
    U32,
    U64,
    VFS_READ,
    VFS_READ_RETURN,
    body,
    expression,
    refusals,
)
from xtrace.core import ir
from xtrace.core.types import Array, Buffer, Enumerated, Inet, Int, Pointer, Space, String, Struct, Void

SOCK = ir.Arg(0, Pointer(Struct("sock", 760), Space.KERNEL))
TASK = ir.Builtin("curtask", Pointer(Struct("task_struct")))


def test_nested_structs_add_their_offsets() -> None:
    node = expression("((struct sock *)arg0)->__sk_common.skc_dport")
    assert node == ir.Load(SOCK, 12, U16, Space.KERNEL)


def test_bit_fields_say_where_their_bits_are() -> None:
    assert expression("((struct sock *)arg0)->sk_flags") == ir.Load(SOCK, 200, U8, Space.KERNEL, 3, 2)


def test_pointers_are_followed() -> None:
    text = "((struct path *)arg0)->dentry->d_name.name"
    outer = ir.Load(ir.Arg(0, Pointer(Struct("path", 16))), 8, Pointer(Struct("dentry", 192)), Space.KERNEL)
    assert expression(text) == ir.Load(outer, 40, Pointer(U8), Space.KERNEL)
    assert expression(f"str({text})") == ir.ReadString(ir.Load(outer, 40, Pointer(U8), Space.KERNEL), Space.KERNEL)


def test_char_arrays_are_strings() -> None:
    parent = ir.Load(TASK, 2500, Pointer(Struct("task_struct", 9000)), Space.KERNEL)
    address = ir.Binary("+", parent, ir.Const(3000), False, U64)
    assert expression("curtask->real_parent->comm") == ir.ReadString(address, Space.KERNEL, String(16))


def test_elements_of_arrays() -> None:
    assert expression("curtask->cpus[2]") == ir.Load(TASK, 108, U32, Space.KERNEL)
    node = expression("curtask->cpus[cpu]")
    assert isinstance(node, ir.Load)
    assert (node.offset, node.type) == (0, U32)
    assert refusals("kprobe:f { print(curtask->cpus[4]); }") == {"XT0212": "4"}


def test_pointees() -> None:
    assert expression("*(uint32 *)arg1") == ir.Load(ir.Arg(1, Pointer(U32)), 0, U32, Space.KERNEL)
    assert expression("*arg1") == ir.Load(ir.Arg(1), 0, U64, Space.KERNEL)
    assert expression("*(uint8 *)arg1", MALLOC) == ir.Load(ir.Arg(1, Pointer(U8, Space.USER)), 0, U8, Space.USER)


def test_user_memory_points_to_user_memory() -> None:
    node = expression("str(((struct path *)arg0)->dentry->d_name.name)", MALLOC)
    assert isinstance(node, ir.ReadString)
    assert node.space is Space.USER


def test_fields_of_a_tracepoint() -> None:
    fields = {field.name: field for field in KFREE_SKB.fields}
    assert expression("args.protocol", KFREE_SKB) == ir.Field(fields["protocol"], U16)
    assert expression("args->reason", KFREE_SKB) == ir.Field(fields["reason"], Enumerated("skb_drop_reason"))
    assert expression("args.name", KFREE_SKB) == ir.Field(fields["name"], String(64))
    assert expression("args.task", KFREE_SKB) == ir.Field(fields["task"], String(16))
    assert expression("ntop(args.saddr)", KFREE_SKB) == ir.Field(fields["saddr"], Inet())
    element = expression("args.args[2]", KFREE_SKB)
    assert isinstance(element, ir.Field)
    assert (element.member.offset, element.member.size, element.type) == (56, 8, U64)


def test_pointers_of_system_calls_point_to_user_memory() -> None:
    pointer = Pointer(CHAR, Space.USER)
    assert expression("args.filename", OPENAT) == ir.Field(OPENAT.fields[1], pointer)
    assert expression("str(args.filename)", OPENAT) == ir.ReadString(ir.Field(OPENAT.fields[1], pointer), Space.USER)


@pytest.mark.parametrize(
    ("attach", "space"), [(None, Space.AUTO), (MALLOC, Space.USER), (OPENAT, Space.USER), (KFREE_SKB, Space.AUTO)]
)
def test_where_str_reads_when_it_is_given_a_number(attach: object, space: Space) -> None:
    node = expression("str(nsecs)", attach) if attach else expression("str(nsecs)")  # type: ignore[arg-type]
    assert isinstance(node, ir.ReadString)
    assert node.space is space
    assert expression("kstr(arg0)", MALLOC) == ir.ReadString(ir.Arg(0), Space.KERNEL)
    assert expression("uptr(arg0)") == ir.Arg(0, Pointer(Void(), Space.USER))


def test_named_arguments_of_a_kernel_function() -> None:
    assert expression("args.count", VFS_READ) == ir.Convert(ir.Arg(2), U32)
    assert expression("args.buf", VFS_READ) == ir.Arg(1, Pointer(CHAR, Space.USER))
    assert refusals("kprobe:f { print(args.fil); }", VFS_READ) == {"XT0209": "args.fil"}
    assert refusals("kprobe:f { print(args.count); }", VFS_READ_RETURN) == {"XT0208": "args"}


def test_sizes_and_offsets() -> None:
    assert expression("sizeof(struct sock)") == ir.Const(760)
    assert expression("offsetof(struct sock, __sk_common.skc_dport)") == ir.Const(12)


def test_bytes() -> None:
    address = ir.Binary("+", SOCK, ir.Const(56), False, U64)
    whole = "((struct sock *)arg0)->__sk_common.skc_v6_daddr"
    assert expression(whole) == ir.ReadBytes(address, ir.Const(16), Space.KERNEL, Array(U8, 16))
    assert expression(f"ntop(AF_INET6, {whole})") == ir.ReadBytes(address, ir.Const(16), Space.KERNEL, Inet())
    assert expression("buf(arg0, 8)") == ir.ReadBytes(ir.Arg(0), ir.Const(8), Space.AUTO, Buffer(8))
    assert refusals(f"kprobe:f {{ print(ntop(AF_INET, {whole})); }}") == {"XT0205": whole}


def test_the_length_of_str_counts_no_end() -> None:
    assert expression("str(arg0, 4)").type == String(5)
    assert expression("str(arg0, 400)").type == String(64)


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("curtask->com", "XT0210", "curtask->com"),
        ("arg0->x", "XT0212", "arg0->x"),
        ("((struct nothing *)arg0)->x", "XT0211", "((struct nothing *)arg0)->x"),
        ("((struct sock *)arg0)->__sk_common", "XT0232", "((struct sock *)arg0)->__sk_common"),
        ("comm[pid]", "XT0223", "pid"),
        ("comm[-1]", "XT0205", "-1"),
        ("pid[0]", "XT0212", "pid[0]"),
        ("args", "XT0212", "args"),
    ],
)
def test_what_has_no_members(text: str, code: str, place: str) -> None:
    assert refusals(f"kprobe:f {{ print({text}); }}") == {code: place}


def test_signed_reads() -> None:
    assert expression("curtask->tgid") == ir.Load(TASK, 2404, I32, Space.KERNEL)
    assert expression("(uint64)curtask->tgid") == ir.Convert(ir.Load(TASK, 2404, I32, Space.KERNEL), Int(8, False))


def test_a_walk_along_a_list_keeps_its_type() -> None:
    """`curtask` names its struct without a size, a member of the host has one."""
    *_, shown = body("$t = curtask; unroll(2) { $t = $t->real_parent; } print($t->tgid);")
    assert isinstance(shown, ir.Output)
    assert isinstance(shown.args[0], ir.Load)
