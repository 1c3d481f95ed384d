"""Calls of another ABI: what programs miss of them, and where tasks keep whose call they are in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.resolve.named import Events
from xtrace.core import ir
from xtrace.core.plan.traverse import within
from xtrace.core.resolve.compat_calls import current_abi, untold
from xtrace.testing.hosts import FakeHost, FakeTypes

OWN, RAW = "tracepoint:syscalls:sys_enter_kill", "tracepoint:raw_syscalls:sys_enter"
EVENTS = {"syscalls:sys_enter_kill": {"pid": "int"}, "raw_syscalls:sys_enter": {"id": "long"}}


def host(compat: object, arch: str = "x86_64") -> FakeHost:
    facts = {"kernel.kallsyms": True} if compat is None else {"kernel.kallsyms": True, "kernel.compat": compat}
    return FakeHost(events=EVENTS, facts=facts, arch=arch)


@pytest.mark.parametrize(
    ("probe", "compat", "arch", "told"),
    [
        (OWN, ["i386"], "x86_64", "32-bit programs (i386): "),
        (OWN, ["arm"], "aarch64", "32-bit programs (arm): "),
        (OWN, None, "x86_64", "32-bit programs (i386), if this kernel serves any: "),
        (OWN, False, "x86_64", ""),
        (OWN, None, "i686", ""),
        (RAW, ["i386"], "x86_64", ""),
    ],
)
def test_what_the_kernels_own_events_leave_out(
    probe: str, compat: object, arch: str, told: str, events: Events
) -> None:
    found = events.resolve(f"{probe} {{ @ = count(); }}", host(compat, arch)).degradations
    assert [one.message.split("the kernel's")[0] for one in found] == ([f"system calls of {told}"] if told else [])
    assert all(one.minor for one in found)


@pytest.mark.parametrize(("compat", "asked"), [(["i386"], True), (None, True), (False, False)])
def test_the_abi_is_asked_for_where_there_may_be_two(compat: object, asked: bool, events: Events) -> None:
    facts = host(compat)
    program = events.resolve(f"{RAW} {{ @[syscall_name(args.id)] = count(); }}", facts).program
    assert program is not None
    assert bool(untold(program, facts.arch, lambda: False)) == asked
    assert not untold(program, facts.arch, lambda: True)


STATUS = {"flags": "unsigned long", "status": "unsigned int"}
LAYOUTS: dict[str, dict[str, dict[str, Any]]] = {
    "in the task, v4.16": {"task_struct": {"thread_info": "struct thread_info"}, "thread_info": STATUS},
    "in its thread, v4.9": {
        "thread_info": {"flags": "unsigned long"},
        "thread_struct": {"sp": "unsigned long", "status": "unsigned int"},
        "task_struct": {"thread_info": ("struct thread_info", 0), "thread": ("struct thread_struct", 64)},
    },
    "on its stack, v3.10": {
        "thread_info": {"task": "void *", "flags": "unsigned int", "status": "unsigned int"},
        "task_struct": {"state": "long", "stack": "void *"},
    },
}


@pytest.mark.parametrize(
    ("layout", "loads"),
    [("in the task, v4.16", [8]), ("in its thread, v4.9", [72]), ("on its stack, v3.10", [12, 8])],
)
def test_where_x86_keeps_it(layout: str, loads: list[int]) -> None:
    # The structs of a member must be known before it.
    known = dict(sorted(LAYOUTS[layout].items(), key=lambda item: item[0] == "task_struct"))
    made = current_abi("x86_64", FakeTypes(structs=known))
    assert made is not None
    found = [one for one in within(made) if isinstance(one, ir.Load)]
    assert [one.offset for one in found] == loads
    assert ir.Const(2) in within(made)


def test_where_it_is_not_known() -> None:
    assert current_abi("x86_64", FakeTypes()) is None
    assert current_abi("x86_64", None) is None
    assert current_abi("s390x", FakeTypes(structs=LAYOUTS["on its stack, v3.10"])) is None
