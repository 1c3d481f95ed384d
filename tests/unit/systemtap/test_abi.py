"""The script's function that tells the ABI of system calls."""

from __future__ import annotations

import pytest

from xtrace.backends.systemtap import maps
from xtrace.backends.systemtap.abi import syscall_abi
from xtrace.backends.systemtap.points import point
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.testing.hosts import FakeHost, FakeTypes

TYPES = FakeTypes(
    structs={
        "thread_info": {"flags": "unsigned long", "status": "unsigned int"},
        "task_struct": {"thread_info": "struct thread_info"},
    }
)


def test_by_an_offset_that_the_host_tells() -> None:
    assert "xt_kernel_int((task_current() + 8))" in syscall_abi(FakeHost(types=TYPES))


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_by_the_headers_where_it_does_not(arch: str) -> None:
    text = syscall_abi(FakeHost(arch=arch))
    assert '@defined(@cast(task_current(), "task_struct", "kernel<linux/sched.h>")->thread_info->' in text


def test_nowhere() -> None:
    assert syscall_abi(FakeHost(arch="s390x")) == "2"


def test_where_there_is_one_abi() -> None:
    assert syscall_abi(FakeHost(facts={"kernel.compat": False})) == "0"


def test_arguments_of_either_abi() -> None:
    where = at.Tracepoint("tracepoint:raw_syscalls:sys_enter", "raw_syscalls", "sys_enter")
    assert point(where, "x86_64").fields["args[1]"] == "(xt_syscall_abi() ? $regs->cx & 0xffffffff : $regs->si)"
    assert point(where, "aarch64").fields["args[1]"] == "$regs->regs[1]"


def test_alone_the_script_writes_numbers_of_the_other_abi_as_such() -> None:
    named = t.Enumerated("syscall", 8, True)
    entry = maps.script_map(ir.MapDecl("m", (named, t.Int()), t.Count()), "m_m", 8, zeroed=False)
    assert (entry.human_shown.split(", ")[:2], entry.shown.split(", ")[:2]) == (["xt_call(k0)", "k1"], ["k0", "k1"])
    assert (entry.human_format, entry.machine_format) == ('"@m[%s, %d]: %d\\n"', '"E\\t%d\\t%d\\t%d\\n"')
