"""Whose system calls a program makes, by the start of its file."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.lab.compat_program import GETPID, build
from xtrace.core.elf.abi import HEADER_BYTES, abi_of
from xtrace.core.syscall_abi import COMPAT, NATIVE


def header(bits: int, machine: int, big_endian: bool = False) -> bytes:
    start = b"\x7fELF" + bytes((bits // 32, 1 + big_endian, 1)) + bytes(9)
    return start + struct.pack(">HH" if big_endian else "<HH", 2, machine)


@pytest.mark.parametrize(
    ("arch", "bits", "machine", "abi"),
    [
        ("x86_64", 64, 62, NATIVE),
        ("x86_64", 32, 62, NATIVE),
        ("x86_64", 32, 3, COMPAT),
        ("x86_64", 32, 40, None),
        ("aarch64", 64, 183, NATIVE),
        ("aarch64", 32, 40, COMPAT),
        ("riscv64", 32, 243, COMPAT),
        ("sparc64", 64, 43, None),
    ],
)
def test_by_machine_and_class(arch: str, bits: int, machine: int, abi: int | None) -> None:
    assert abi_of(header(bits, machine), arch) == abi


@pytest.mark.parametrize(("bits", "abi"), [(64, NATIVE), (32, COMPAT)])
def test_big_endian_files(bits: int, abi: int) -> None:
    assert abi_of(header(bits, 22, big_endian=True), "s390x") == abi


@pytest.mark.parametrize("start", [b"", b"#!/bin/sh\n" + bytes(20), header(32, 3)[: HEADER_BYTES - 1]])
def test_what_is_no_program(start: bytes) -> None:
    assert abi_of(start, "x86_64") is None


@pytest.mark.parametrize(("bits", "abi"), [(64, NATIVE), (32, COMPAT)])
def test_the_programs_that_tests_make(bits: int, abi: int, tmp_path: Path) -> None:
    path = build(str(tmp_path / "made"), bits, [(GETPID, 1)])
    assert abi_of(Path(path).read_bytes(), "x86_64") == abi
