"""The ABI of system calls, read from the task."""

from __future__ import annotations

from typing import Any

import pytest

from xtrace.backends.bcc import lower
from xtrace.backends.bcc.dispatch import scalar
from xtrace.backends.bcc.handler import Handler, Host
from xtrace.backends.bcc.maps import MapTable
from xtrace.backends.bcc.render import worker
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.syscall_abi import COMPAT, NATIVE, SHIFT, UNKNOWN
from xtrace.testing.hosts import FakeTypes

PROGRAM = ir.Program((), (), ())
ABI = ir.Builtin("syscall_abi", t.Int(1, False))
TASK = {"state": "long", "thread_info": "struct thread_info"}


def written(arch: str, types: FakeTypes) -> str:
    place = at.Tracepoint("tracepoint:raw_syscalls:sys_enter", "raw_syscalls", "sys_enter")
    return scalar(ABI, Handler(Host(arch, types), PROGRAM, MapTable(PROGRAM), place))


@pytest.mark.parametrize(
    ("arch", "info", "read"),
    [
        ("x86_64", {"flags": "unsigned long", "status": "unsigned int"}, "x_kernel_u32({task} + 16)) & 2ULL"),
        ("aarch64", {"flags": "unsigned long", "ttbr0": "unsigned long"}, "x_kernel_u64({task} + 8) & 0x400000ULL"),
    ],
)
def test_one_read(arch: str, info: dict[str, str], read: str) -> None:
    text = written(arch, FakeTypes(structs={"thread_info": info, "task_struct": TASK}))
    assert read.format(task="((u64)bpf_get_current_task())") in text


def test_where_the_place_is_not_known_it_is_either() -> None:
    assert written("x86_64", FakeTypes()) == "2ULL"


def test_the_artifact_alone_tells_numbers_of_the_other_abi() -> None:
    program = ir.Program((), (), ())
    alone: dict[str, Any] = {"__name__": "worker"}
    exec(compile(worker(lower.lower(program, Host("x86_64"))), "worker.py", "exec"), alone)
    values = [20 + (abi << SHIFT) for abi in (NATIVE, COMPAT, UNKNOWN)]
    assert [alone["known_number"](["call"], value) for value in values] == ["20", "compat:20", "20|compat:20"]
    assert alone["formatted"]("%s %d", [["call"], ["call"]], values[1:2] * 2, None) == "compat:20 20"
