"""`syscall_name()`: which numbers carry the ABI of the calling program."""

from __future__ import annotations

import pytest

from tests.unit.lang.small_kernel import OPENAT, PLACES, expression, typed
from xtrace.core import ir
from xtrace.core.attach import Attach, Tracepoint
from xtrace.core.syscall_abi import UNKNOWN, split
from xtrace.core.types import Enumerated, Int, Member

ENTER = Tracepoint("tracepoint:raw_syscalls:sys_enter", "raw_syscalls", "sys_enter", (Member("id", Int(), 8, 8),))
NAMED = Enumerated("syscall", 8, True)


def named(text: str, attach: Attach = ENTER, possible: bool = True) -> ir.Expr:
    made = expression(f"syscall_name({text})", attach, compat_calls=lambda: possible)
    assert isinstance(made, ir.Address)
    assert made.type == NAMED
    return made.operand


def test_a_number_of_the_task_carries_the_tasks_abi() -> None:
    made = named("args.id")
    assert isinstance(made, ir.Binary)
    assert isinstance(made.left, ir.Field)
    assert made.right == ir.Binary("<<", ir.Builtin("syscall_abi", Int(1, False)), ir.Const(32), True, Int())


def test_where_there_is_one_abi_a_number_is_itself() -> None:
    assert isinstance(named("args.id", possible=False), ir.Field)


def test_the_kernels_own_syscall_events_have_its_own_abi_only() -> None:
    assert isinstance(named("args.dfd", OPENAT), ir.Field)


def test_a_constant_is_the_kernels_own() -> None:
    assert named("59") == ir.Const(59)


@pytest.mark.parametrize("probe", ["interval", "end"])
def test_numbers_that_another_event_left_are_of_no_certain_abi(probe: str) -> None:
    made = named("rand", PLACES[probe])
    assert isinstance(made, ir.Binary)
    assert isinstance(made.right, ir.Const)
    assert split(made.right.value) == (0, UNKNOWN)


def test_a_number_that_is_shown_as_a_name_already_stays_as_it_is() -> None:
    program = typed(
        "kprobe:f { @[syscall_name(arg0)] = count(); } end { for ($kv : @) { print(syscall_name($kv.0)); } }",
        compat_calls=lambda: True,
    )
    (loop,) = program.clauses[1].body
    assert isinstance(loop, ir.ForEach)
    (shown,) = (one.args[0] for one in loop.body if isinstance(one, ir.Output))
    assert not isinstance(shown, ir.Address)
    assert shown.type == NAMED
