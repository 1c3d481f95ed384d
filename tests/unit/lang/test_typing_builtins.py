"""Builtins, bare names and parameters."""

from __future__ import annotations

import pytest

from tests.unit.lang.small_kernel import complaints, expression, refusals, typed
from xtrace.core import ir
from xtrace.core.attach import Usdt, UsdtArgument, UsdtSite
from xtrace.core.errors import ProgramError
from xtrace.core.types import CType, Int, Pointer, Stack, String, Struct

BUILTINS = [
    ("pid", Int(4, False)),
    ("comm", String(16)),
    ("nsecs", Int(8, False)),
    ("probe", String(64)),
    ("func", String(64)),
    ("kstack", Stack(False)),
    ("ustack", Stack(True)),
    ("curtask", Pointer(Struct("task_struct"))),
]


@pytest.mark.parametrize(("name", "type_"), BUILTINS)
def test_types(name: str, type_: CType) -> None:
    assert expression(name) == ir.Builtin(name, type_)


def test_stacks_have_a_mode_and_a_depth() -> None:
    assert expression("kstack(perf, 5)") == ir.Builtin("kstack", Stack(False, 5, "perf"))
    assert expression("ustack(3)") == ir.Builtin("ustack", Stack(True, 3))


@pytest.mark.parametrize(
    ("probe", "text"),
    [
        ("tracepoint:skb:kfree_skb", "arg0"),
        ("tracepoint:skb:kfree_skb", "retval"),
        ("tracepoint:skb:kfree_skb", "func"),
        ("kretprobe:f", "arg0"),
        ("kprobe:f", "retval"),
        ("begin", "args.x"),
        ("begin", "kstack"),
        ("interval:s:1", "curtask"),
        ("uretprobe:/bin/sh:f", "arg1"),
        ("profile:hz:99", "func"),
    ],
)
def test_builtins_that_mean_nothing_in_a_probe(probe: str, text: str) -> None:
    assert complaints(f"{probe} {{ print({text}); }}") == [("XT0208", text.split(".")[0])]


def test_the_hint_says_what_to_use_instead() -> None:
    with pytest.raises(ProgramError) as caught:
        typed("kretprobe:f { print(arg0); }")
    assert "@arg[tid] = arg0" in caught.value.diagnostics[0].hints[0]


def test_arguments_of_usdt_are_counted() -> None:
    usdt = Usdt("usdt:/bin/p:a:b", "/bin/p", "a", "b", (UsdtSite(64, 0, (UsdtArgument(4, True, "%edi"),)),))
    assert expression("arg0", usdt) == ir.Arg(0)
    assert refusals("kprobe:f { print(arg1); }", usdt) == {"XT0209": "arg1"}


def test_names_of_the_kernel() -> None:
    assert expression("TCP_CLOSE") == ir.Const(7)
    assert refusals("kprobe:f { print(TCP_CLOS); }") == {"XT0201": "TCP_CLOS"}


def test_positional_parameters() -> None:
    assert expression("$1", parameters=("0x10",)) == ir.Const(16)
    assert expression("$1", parameters=("010",)) == ir.Const(8)
    assert expression("$1", parameters=("5ms",)) == ir.Const(5_000_000)
    assert expression("$1", parameters=("-9223372036854775808",)) == ir.Const(-(1 << 63))
    assert expression("$2", parameters=("1",)) == ir.Const(0)
    assert expression("$#", parameters=("a", "b")) == ir.Const(2)
    assert expression("str($1)", parameters=("abc",)) == ir.Text("abc", String(4))
    assert expression("str($1)") == ir.Text("", String(1))
    assert expression("comm == str($1)", parameters=("sh",)).type == ir.Compare("==", ir.Const(0), ir.Const(0)).type
    assert refusals("kprobe:f { print($1); }", parameters=("abc",)) == {"XT0225": "$1"}


def test_addresses_of_symbols_are_looked_up_before_the_run() -> None:
    def known(name: str) -> int | None:
        return {"avenrun": 0xFFFFFFFF81000000}.get(name)

    assert expression('kaddr("avenrun")', kernel_address=known) == ir.Const(
        0xFFFFFFFF81000000 - (1 << 64), Int(8, False)
    )
    assert set(refusals('kprobe:f { print(kaddr("nothing")); }', kernel_address=known)) == {"XT0201"}


def _no_group(path: str) -> int:
    raise OSError(2, "nothing is there", path)


def test_the_number_of_a_control_group_is_a_constant() -> None:
    assert expression('cgroupid("/sys/fs/cgroup/a")', cgroup_id=lambda path: 77) == ir.Const(77, Int(8, False))
    program = 'kprobe:f /cgroup == cgroupid("/a")/ { }'
    assert set(refusals(program, cgroup_id=_no_group)) == {"XT0205"}
    assert set(refusals(program)) == {"XT0201"}


def test_registers() -> None:
    assert expression('reg("ip")') == ir.Register("ip")
    assert refusals('tracepoint:skb:kfree_skb { print(reg("ip")); }') == {"XT0208": 'reg("ip")'}


def test_a_literal_longer_than_strings_are() -> None:
    long = "x" * 64
    assert set(refusals(f'kprobe:f {{ @x = "{long}"; }}')) == {"XT0233"}
    assert refusals(f'kprobe:f {{ printf("{long}"); }}') == {}


def test_has_asks_the_host() -> None:
    assert expression("has(TCP_CLOSE)").value == 1  # type: ignore[union-attr]
    assert expression("has(TCP_NOTHING)").value == 0  # type: ignore[union-attr]
    assert expression("has(curtask->nothing)").value == 0  # type: ignore[union-attr]
    text = "tracepoint:skb:kfree_skb { if (has(args.nothing)) { print(args.nothing); } print(has(args.reason)); }"
    assert refusals(text) == {}


@pytest.mark.parametrize("given", ["x", "99999999999999999999", "-9223372036854775809", "--5", "0b1", " 5", "1.5"])
def test_parameters_that_are_no_numbers(given: str) -> None:
    assert refusals("kprobe:f { print($1); }", parameters=(given,)) == {"XT0225": "$1"}
