"""Names of system calls, by number and ABI."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtrace.core.facts.syscalls import CallNames, syscall_names, syscall_number
from xtrace.core.session.shown import Showing
from xtrace.core.syscall_abi import COMPAT, NATIVE, SHIFT, UNKNOWN, X32_BIT, split
from xtrace.core.types import Enumerated


def value(number: int, abi: int) -> int:
    return number + (abi << SHIFT)


@given(st.integers(-(1 << 31), (1 << 31) - 1), st.sampled_from((NATIVE, COMPAT, UNKNOWN)))
def test_a_value_has_both_back(number: int, abi: int) -> None:
    assert split(value(number, abi)) == (number, abi)


@pytest.mark.parametrize(
    ("arch", "number", "abi", "name"),
    [
        ("x86_64", 20, NATIVE, "writev"),
        ("x86_64", 20, COMPAT, "i386:getpid"),
        ("x86_64", 20, UNKNOWN, "writev|i386:getpid"),
        ("x86_64", 9999, COMPAT, "i386:9999"),
        ("x86_64", -1, COMPAT, "i386:-1"),
        ("x86_64", 9999, UNKNOWN, "9999|i386:9999"),
        ("x86_64", X32_BIT | 39, NATIVE, "x32:getpid"),
        ("x86_64", X32_BIT | 515, NATIVE, "x32:readv"),
        ("aarch64", 20, COMPAT, "arm:getpid"),
        ("aarch64", 0xF0005, COMPAT, "arm:set_tls"),
        ("s390x", 20, COMPAT, "s390:getpid"),
        ("riscv64", 20, COMPAT, "rv32:20"),
        ("i686", 20, NATIVE, "getpid"),
        ("armv7l", 20, NATIVE, "getpid"),
    ],
)
def test_names(arch: str, number: int, abi: int, name: str) -> None:
    assert CallNames(arch).get(value(number, abi)) == name


def test_numbers_without_a_name_stay_numbers() -> None:
    show = Showing(symbols=None, enum_names=lambda name: CallNames("x86_64")).of(Enumerated("syscall", 8, True))  # type: ignore[arg-type]
    assert [show(number) for number in (-1, 9999, 39)] == [-1, 9999, "getpid"]


def test_printed_as_a_number_it_is_the_one_the_program_used() -> None:
    show = Showing(symbols=None).number(Enumerated("syscall", 8, True))  # type: ignore[arg-type]
    assert [show(value(number, abi)) for number in (20, -1) for abi in (NATIVE, COMPAT, UNKNOWN)] == [20] * 3 + [-1] * 3


@pytest.mark.parametrize(("abi", "number"), [("i386", 5), ("x32", 2), ("arm", 5), ("s390", 5), ("x86_64", 2)])
def test_every_table_has_open(abi: str, number: int) -> None:
    assert syscall_names(abi)[number] == "open"
    assert syscall_number(abi, "open") == number
