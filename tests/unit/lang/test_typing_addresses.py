"""Internet addresses compared with text."""

from __future__ import annotations

import pytest

from tests.unit.lang.small_kernel import KFREE_SKB, expression, refusals
from xtrace.core import ir
from xtrace.core.types import Bool, Int

NUMBER = 'ntop(((struct sock *)arg0)->__sk_common.skc_daddr) == "10.0.0.1"'
BYTES = 'ntop(((struct sock *)arg0)->__sk_common.skc_v6_daddr) == "fe80::1"'


@pytest.mark.parametrize(("little_endian", "value"), [(True, 0x0100000A), (False, 0x0A000001)])
def test_a_number_is_compared_in_the_byte_order_of_the_host(little_endian: bool, value: int) -> None:
    node = expression(NUMBER, little_endian=little_endian)
    assert isinstance(node, ir.Binary)
    assert isinstance(node.left, ir.Load)
    assert node.right == ir.Const(value, Int(4, False))


def test_sixteen_bytes_are_two_numbers() -> None:
    node = expression(BYTES)
    assert isinstance(node, ir.Logical)
    first, second = node.left, node.right
    assert isinstance(first, ir.Binary)
    assert isinstance(second, ir.Binary)
    assert isinstance(second.left, ir.Load)
    assert (first.right, second.left.offset) == (ir.Const(0x80FE, Int(8, False)), 8)
    assert second.right == ir.Const(1 << 56, Int(8, False))


def test_bytes_of_a_record() -> None:
    node = expression('args.saddr == pton("1.2.3.4")', KFREE_SKB)
    assert isinstance(node, ir.Binary)
    assert isinstance(node.left, ir.Field)
    assert (node.left.member.offset, node.left.member.size) == (32, 4)
    negated = expression('ntop(args.saddr) != "1.2.3.4"', KFREE_SKB)
    assert isinstance(negated, ir.Unary)


def test_another_family_is_another_address() -> None:
    assert expression(NUMBER.replace("10.0.0.1", "::1")) == ir.Const(0, Bool())
    assert expression(BYTES.replace("fe80::1", "1.1.1.1").replace("==", "!=")) == ir.Const(1, Bool())


def test_either_family_is_asked_by_its_own_bytes() -> None:
    text = "(arg1 ? ntop(arg2) : ntop(((struct sock *)arg0)->__sk_common.skc_v6_daddr)) == str($1)"
    node = expression(text, parameters=("10.0.0.1",))
    assert isinstance(node, ir.Ternary)
    assert node.otherwise == ir.Const(0, Bool())


def test_what_cannot_be_compared() -> None:
    assert refusals('kprobe:f { print(ntop(arg0) == "x"); }') == {"XT0205": '"x"'}
    assert set(refusals('kprobe:f { $a = ntop(arg0); print($a == "1.2.3.4"); }')) == {"XT0220"}
