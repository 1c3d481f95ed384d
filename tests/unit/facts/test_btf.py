"""BTF is read in both byte orders, from modules too, and damage is a diagnostic, never a hang or another exception."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.facts.btf_builder import BtfBuilder, sample
from xtrace.core.errors import XtraceError
from xtrace.core.facts import btf
from xtrace.core.facts.btf import Btf
from xtrace.core.facts.types import BtfTypes
from xtrace.core.types import Bool, Enumerated, Int, Member, Pointer, Space, String, Struct


@pytest.fixture(params=["<", ">"], ids=["little", "big"])
def types(request: pytest.FixtureRequest) -> BtfTypes:
    return BtfTypes(Btf(sample(request.param).data(), "test"))


def test_struct_has_its_size(types: BtfTypes) -> None:
    assert types.struct("thing") == types.struct("struct thing") == Struct("thing", 40)
    assert types.struct("nothing") is None


def test_members_of_anonymous_members_are_found_through_the_outer_struct(types: BtfTypes) -> None:
    assert types.member("thing", "name") == Member("name", String(16), 0, 16)
    assert types.member("thing", "whole") == Member("whole", Int(4, True), 16, 4)
    assert types.member("thing", "high") == Member("high", Int(1, False), 17, 1)
    assert types.member("thing", "next") == Member("next", Pointer(Struct("thing", 40)), 24, 8)
    assert types.member("thing", "ok") == Member("ok", Bool(), 33, 1)
    assert [member.name for member in types.members("thing")] == ["name", "whole", "low", "high", "next", "flag", "ok"]


def test_bit_offset_counts_from_the_least_significant_bit(types: BtfTypes) -> None:
    within = 4 if types.kernel.little else 1
    assert types.member("thing", "flag") == Member("flag", Int(1, False), 32, 1, within, 3)


def test_typedef_names_a_nameless_struct(types: BtfTypes) -> None:
    assert types.typedef("atomic_t") == Struct("atomic_t", 4)
    assert types.member("atomic_t", "counter") == Member("counter", Int(4, True), 0, 4)


def test_enums(types: BtfTypes) -> None:
    assert types.typedef("enum color") == types.typedef("color") == Enumerated("color", 4, True)
    assert types.enum_values("color") == {0: "RED", -1: "BLUE"}
    assert types.enumerator("BLUE") == -1
    assert types.enumerator("HUGE") == 1 << 40
    assert types.enumerator("color") is None


def test_prototype_tells_user_pointers_and_drops_the_ellipsis(types: BtfTypes) -> None:
    found = types.prototype("paint")
    assert found is not None
    assert found.parameters == (
        ("what", Pointer(Struct("thing", 40))),
        ("with", Pointer(Int(1, True), Space.USER)),
    )
    assert types.prototype("thing") is None


def test_enum_values_are_signed_where_no_enum_says_so() -> None:
    old = BtfBuilder()
    old.enum("code", {"BAD": -1})
    assert BtfTypes(Btf(old.data())).enumerator("BAD") == -1
    new = BtfBuilder()
    new.enum("code", {"BIG": 0xFFFFFFFF})
    new.enum("other", {"MINUS": -1}, signed=True)
    assert BtfTypes(Btf(new.data())).enumerator("BIG") == 0xFFFFFFFF


def test_old_bit_fields_are_integers_of_few_bits() -> None:
    made = BtfBuilder()
    narrow = made.integer("unsigned int", 4, bits=5)
    made.composite(4, "old", 4, ("field", narrow, 3))
    assert BtfTypes(Btf(made.data())).member("old", "field") == Member("field", Int(4, False), 0, 4, 3, 5)


def test_module_types_go_on_from_the_kernels() -> None:
    kernel = Btf(sample().data(), "vmlinux")
    module = BtfBuilder(first_string=kernel.end_string)
    module.composite(4, "driver", 8, ("count", 1, 0), ("own", kernel.end_id, 32))
    image = Btf(module.data(), "driver", kernel)
    asked: list[str] = []

    def holding(name: str) -> list[Btf]:
        asked.append(name)
        return [image]

    types = BtfTypes(kernel, holding)
    assert types.struct("thing") == Struct("thing", 40)
    assert asked == []
    assert types.member("driver", "count") == Member("count", Int(4, True), 0, 4)
    assert asked == ["driver"]


def test_a_type_that_refers_to_itself_is_damage(types: BtfTypes) -> None:
    with pytest.raises(XtraceError) as caught:
        types.typedef("loop")
    assert caught.value.diagnostics[0].code == "XT0403"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "shorter than a header"),
        (b"\x7fELF" + bytes(60), "magic number"),
        (sample().data()[:-1], "sections do not fit"),
        (sample().data().replace(b"\x9f\xeb\x01", b"\x9f\xeb\x02"), "version is 2"),
    ],
)
def test_damage_is_named(data: bytes, why: str) -> None:
    with pytest.raises(XtraceError, match=why):
        Btf(data)


def test_unknown_kind_is_named() -> None:
    made = BtfBuilder()
    made.add(25, "future", 0)
    with pytest.raises(XtraceError, match="unknown kind 25"):
        Btf(made.data())


def ask_everything(data: bytes) -> None:
    types = BtfTypes(Btf(data, "damaged"))
    for name in ("thing", "atomic_t", "loop", "color", "wide", "paint", "", "int"):
        types.struct(name)
        types.members(name)
        types.typedef(name)
        types.enum_values(name)
        types.enumerator(name)
        types.prototype(name)
    for type_id in range(1, types.kernel.end_id):
        types.kernel.record(type_id)


@settings(max_examples=300, deadline=2000)
@given(st.lists(st.tuples(st.integers(0, len(sample().data()) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_damaged_bytes_never_raise_anything_else(changes: list[tuple[int, int]]) -> None:
    data = bytearray(sample().data())
    for place, value in changes:
        data[place] = value
    try:
        ask_everything(bytes(data))
    except XtraceError as error:
        assert error.diagnostics[0].code == "XT0403"


@settings(max_examples=100, deadline=2000)
@given(st.binary(max_size=200))
def test_random_types_never_raise_anything_else(types: bytes) -> None:
    strings = b"\0thing\0int\0loop\0"
    header = b"\x9f\xeb\x01\0" + b"".join(
        n.to_bytes(4, "little") for n in (24, 0, len(types), len(types), len(strings))
    )
    try:
        ask_everything(header + types + strings)
    except XtraceError as error:
        assert error.diagnostics[0].code == "XT0403"


def test_functions_are_listed() -> None:
    assert list(Btf(sample().data()).functions()) == ["paint"]


def test_find_prefers_the_first_kind() -> None:
    made = BtfBuilder()
    made.add(8, "twice", 2)
    made.composite(4, "twice", 4, ("a", 1, 0))
    image = Btf(made.data())
    assert image.find("twice", btf.STRUCT, btf.TYPEDEF) == 2
    assert image.find("twice", btf.TYPEDEF, btf.STRUCT) == 1
