"""C declarations as probe files and format files write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtrace.core.errors import XtraceError
from xtrace.core.facts.ctypes_text import parse_declaration, parse_parameters, parse_type
from xtrace.core.types import Array, Bool, CType, Enumerated, Int, Pointer, Space, String, Struct, Unknown, Void


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("int", Int(4, True)),
        ("unsigned", Int(4, False)),
        ("long unsigned int", Int(8, False)),
        ("const volatile short", Int(2, True)),
        ("unsigned char", Int(1, False)),
        ("u8", Int(1, False)),
        ("__be16", Int(2, False)),
        ("bool", Bool()),
        ("void", Void()),
        ("struct sock *", Pointer(Struct("sock"))),
        ("const struct sock * const *", Pointer(Pointer(Struct("sock")))),
        ("union bpf_attr", Struct("bpf_attr", 0, True)),
        ("enum hrtimer_mode", Enumerated("hrtimer_mode")),
        ("const char __user *", Pointer(Int(1, True), Space.USER)),
        ("char[16]", String(16)),
        ("s8[16]", Array(Int(1, True), 16)),
        ("u8[4][0x2]", Array(Array(Int(1, False), 2), 4)),
        ("cap_user_header_t", Unknown()),
    ],
)
def test_types(text: str, kind: CType) -> None:
    assert parse_type(text) == kind


def test_typedefs_are_asked_of_the_host() -> None:
    known: dict[str, CType] = {"atomic_t": Struct("atomic_t", 4), "struct sock": Struct("sock", 776)}
    assert parse_type("atomic_t *", known.get) == Pointer(Struct("atomic_t", 4))
    assert parse_type("struct sock *", known.get) == Pointer(Struct("sock", 776))


def test_declarations_have_names() -> None:
    assert parse_declaration("char comm[16]") == ("comm", String(16))
    assert parse_declaration("int (*fn)(void *, int)") == ("fn", Pointer(Void()))
    assert parse_declaration("const void *const") == ("", Pointer(Void()))


def test_parameters() -> None:
    assert parse_parameters("struct sock *sk, int state") == (("sk", Pointer(Struct("sock"))), ("state", Int(4, True)))
    assert parse_parameters("void") == parse_parameters("") == ()
    assert parse_parameters("int, char buf[8], ...") == (("arg0", Int(4, True)), ("buf", Pointer(Int(1, True))))
    assert parse_parameters("void (*done)(int, int), int n")[1] == ("n", Int(4, True))


@pytest.mark.parametrize(
    "text",
    ["int a b", "struct", "struct *x", "int a, int a", "int;", "void v", "int a,,int b", "...", "int (a)", "3", "*x"],
)
def test_what_is_no_parameter_list_is_refused(text: str) -> None:
    with pytest.raises(XtraceError) as caught:
        parse_parameters(text)
    assert caught.value.diagnostics[0].code == "XT0401"
    assert caught.value.diagnostics[0].hints


@given(st.text(alphabet="intchar *[]()0x9,._struct\n\0é", max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        parse_parameters(text)
    except XtraceError as error:
        assert error.diagnostics[0].code == "XT0401"
