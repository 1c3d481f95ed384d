"""Format files: sizes and signs are the file's own, `char` arrays are text, print formats give value names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtrace.core.errors import XtraceError
from xtrace.core.facts.event_format import constant, named_values, parse_event_format
from xtrace.core.types import Array, Bool, Enumerated, Int, Member, Pointer, Space, String, Void

FORMAT = """name: demo
ID: 77
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

	field:char prev_comm[16];	offset:8;	size:16;	signed:0;
	field:pid_t prev_pid;	offset:24;	size:4;	signed:1;
	field:const char * filename;	offset:32;	size:8;	signed:0;
	field:int flags;	offset:40;	size:8;	signed:0;
	field:__data_loc char[] path;	offset:48;	size:4;	signed:0;
	field:__rel_loc u64[] addrs;	offset:52;	size:4;	signed:0;
	field:__data_loc cpumask_t mask;	offset:56;	size:4;	signed:0;
	field:enum skb_drop_reason reason;	offset:60;	size:4;	signed:0;
	field:u8 saddr[4];	offset:64;	size:4;	signed:0;
	field:bool ok;	offset:68;	size:1;	signed:0;
	field:unsigned long args[6];	offset:72;	size:48;	signed:0;
	field:bool (*)(void *) fn;	offset:120;	size:8;	signed:0;
	field:fl_owner_t owner;	offset:128;	size:8;	signed:0;

print fmt: "reason: %s (%s)", __print_symbolic(REC->reason, { 2, "NOT, {SPECIFIED}" }, { 0x3UL, "B)" }), REC->ok
"""


def fields(system: str = "demo") -> dict[str, Member]:
    return {member.name: member for member in parse_event_format(FORMAT, system).fields}


def test_heads() -> None:
    found = parse_event_format(FORMAT, "demo")
    assert (found.system, found.name, found.id) == ("demo", "demo", 77)
    assert [member.name for member in found.common] == ["common_type", "common_pid"]


def test_fields_have_the_files_sizes_and_signs() -> None:
    found = fields()
    assert found["prev_comm"] == Member("prev_comm", String(16), 8, 16)
    assert found["prev_pid"].type == Int(4, True)
    assert found["flags"] == Member("flags", Int(8, False), 40, 8)
    assert found["reason"].type == Enumerated("skb_drop_reason", 4, False)
    assert found["saddr"].type == Array(Int(1, False), 4)
    assert found["ok"].type == Bool()
    assert found["args"].type == Array(Int(8, False), 6)
    assert found["owner"].type == Int(8, False)


def test_a_field_of_any_c_type_keeps_its_name_and_place() -> None:
    assert fields()["fn"].offset == 120
    assert fields()["fn"].size == 8


def test_dynamic_fields() -> None:
    found = fields()
    assert found["path"] == Member("path", String(), 48, 4, location="data_loc")
    assert found["addrs"] == Member("addrs", Array(Int(8, False), 0), 52, 4, location="rel_loc")
    assert found["mask"].location == "data_loc"


def test_pointers_of_system_calls_are_the_users() -> None:
    assert fields("syscalls")["filename"].type == Pointer(Int(1, True), Space.USER)
    assert fields("sched")["filename"].type == Pointer(Int(1, True), Space.KERNEL)


def test_value_names() -> None:
    assert parse_event_format(FORMAT, "demo").enums == {"reason": {2: "NOT, {SPECIFIED}", 3: "B)"}}


def test_flags_of_an_expression_belong_to_its_field() -> None:
    text = '"%s", (REC->state & 0xff) ? __print_flags(REC->state & ((1)), "|", { 0x1, "S" }, { UNKNOWN, "U" }) : "R"'
    assert named_values(text) == {"state": {1: "S"}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("0x10UL", 16),
        ("(1UL << 3) | 1", 9),
        ("(( gfp_t)0x400u)|(( gfp_t)0x800u)", 0xC00),
        ("-1", -1),
        ("~0", -1),
        ("(unsigned long)(4)", 4),
        ("010", 8),
        ("HI_SOFTIRQ", None),
        ("1 << 99", None),
        ("2**9**9**9", None),
        ("", None),
    ],
)
def test_constants(text: str, value: int | None) -> None:
    assert constant(text) == value


@pytest.mark.parametrize("text", ["", "name: x\n", "ID: 3\n"])
def test_what_is_no_format_is_refused(text: str) -> None:
    with pytest.raises(XtraceError) as caught:
        parse_event_format(text, "demo")
    assert caught.value.diagnostics[0].code == "XT0402"


@given(st.text(alphabet='\tfield:;ofset=09 "{}(),REC->__print_symbolic\n', max_size=200))
def test_any_print_format_is_read(text: str) -> None:
    parse_event_format("name: x\nID: 1\n" + text, "demo")
    named_values("__print_symbolic(REC->a, " + text)


def test_no_pointer_is_read_from_void() -> None:
    text = "name: x\nID: 1\n\tfield:void * p;\toffset:8;\tsize:8;\tsigned:0;\n"
    assert parse_event_format(text, "net").fields[0].type == Pointer(Void())
