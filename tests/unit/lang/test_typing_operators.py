"""Arithmetic, comparison and logic in the IR: signedness, folding, dead sides, order of evaluation."""

from __future__ import annotations

import pytest

from tests.unit.lang.small_kernel import KFREE_SKB, U8, U64, VFS_READ_RETURN, body, expression, refusals
from xtrace.core import ir
from xtrace.core.types import Bool, Enumerated, Int, Pointer, Space, Struct


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("5 / 0", 0),
        ("-7 / 2", -3),
        ("1 << 65", 2),
        ("9223372036854775807 + 1", -(1 << 63)),
        ("-1 > 0", 0),
        ("(uint8)300", 44),
        ("(int8)200", -56),
        ("!5", 0),
        ("~0", -1),
        ('"a" == "a"', 1),
        ('"a" != "a"', 0),
        ("1 ? 2 : 3", 2),
        ("(1, 2).1", 2),
        ("sizeof(uint32)", 4),
        ("AF_INET6", 10),
        ("true && false", 0),
    ],
)
def test_constants_are_folded(text: str, value: int) -> None:
    folded = expression(text)
    assert isinstance(folded, ir.Const)
    assert folded.value == value


@pytest.mark.parametrize(
    ("text", "signed"),
    [("arg0 / 2", True), ("nsecs / 2", False), ("2 / nsecs", False), ("pid - 5", True), ("arg0 >> (uint64)1", False)],
)
def test_one_unsigned_side_of_64_bits_makes_the_node_unsigned(text: str, signed: bool) -> None:
    node = expression(text)
    assert isinstance(node, ir.Binary)
    assert node.signed is signed
    assert node.type == Int(8, signed)


def test_comparisons_follow_signedness_and_give_a_bool() -> None:
    assert expression("arg0 < -1") == ir.Binary("<", ir.Arg(0), ir.Const(-1), True, Bool())
    nsecs = ir.Builtin("nsecs", U64)
    assert expression("nsecs < 5") == ir.Binary("<", nsecs, ir.Const(5), False, Bool())


def test_strings_are_compared_as_such() -> None:
    node = expression('comm == "sh"')
    assert isinstance(node, ir.Compare)
    assert (node.op, node.length, node.right) == ("==", 0, ir.Text("sh", node.right.type))


def test_dead_sides_are_not_typed() -> None:
    assert expression("0 && args.nonsense") == ir.Const(0, Bool())
    assert expression("1 || nonsense") == ir.Const(1, Bool())
    assert expression("0 ? nonsense : 7") == ir.Const(7)
    assert body("if (0) { nonsense(); } else { @x = 1; }") == (ir.SetMap("x", (), ir.Const(1)),)


def test_a_constant_side_leaves_the_other_as_a_truth_value() -> None:
    assert expression("1 && arg0") == ir.Binary("!=", ir.Arg(0), ir.Const(0), True, Bool())
    assert expression("arg0 && 0") == ir.Const(0, Bool())


def test_casts_convert_integers_and_retype_words() -> None:
    assert expression("(uint8)arg0") == ir.Convert(ir.Arg(0), U8)
    assert expression("(uint64)arg0") == ir.Arg(0, U64)
    assert expression("(struct sock *)arg0") == ir.Arg(0, Pointer(Struct("sock", 760), Space.KERNEL))
    assert expression("(enum skb_drop_reason)arg0") == ir.Convert(ir.Arg(0), Enumerated("skb_drop_reason"))


def test_pointers_are_moved_by_elements() -> None:
    moved = expression("(uint32 *)arg0 + 3")
    assert isinstance(moved, ir.Binary)
    assert (moved.right, moved.signed) == (ir.Const(12), False)


def test_a_step_inside_an_expression_comes_before_the_statement() -> None:
    first, second, _ = body("$x = 1; $y = $x++ + 2;")[1:]
    assert first == ir.SetVar("kept", ir.Var("x", Int()))
    assert isinstance(second, ir.SetVar)
    assert second.name == "x"


def test_an_operand_that_a_later_step_changes_is_kept() -> None:
    """`@x + @x++` has the old value on both sides, as when it is evaluated from the left."""
    kept_left, kept_step, add, last = body("@x = 1; $y = @x + @x++;")[1:]
    assert isinstance(kept_left, ir.SetVar)
    assert isinstance(kept_step, ir.SetVar)
    assert isinstance(add, ir.AddMap)
    assert isinstance(last, ir.SetVar)
    assert isinstance(last.value, ir.Binary)
    assert {kept_left.name, kept_step.name} == {last.value.left.name, last.value.right.name}  # type: ignore[union-attr]


def test_a_step_right_of_and_happens_only_if_it_is_evaluated() -> None:
    result, branch, last = body("$y = arg0 && @x++;")
    assert isinstance(result, ir.SetVar)
    assert isinstance(branch, ir.If)
    assert branch.condition == ir.Var(result.name, Bool())
    assert any(isinstance(one, ir.AddMap) for one in branch.then)
    assert branch.otherwise == ()
    assert last == ir.SetVar("y", ir.Var(result.name, Bool()))


def test_a_step_in_one_arm_of_a_ternary_becomes_a_branch() -> None:
    branch, last = body("$y = arg0 ? @x++ : 5;")
    assert isinstance(branch, ir.If)
    assert branch.otherwise == (ir.SetVar("chosen", ir.Const(5)),)
    assert isinstance(last, ir.SetVar)
    assert isinstance(last.value, ir.Var)


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("comm + 1", "XT0206", "comm"),
        ('comm < "a"', "XT0206", "comm"),
        ('arg0 == "a"', "XT0206", 'arg0 == "a"'),
        ("arg0 ? comm : 1", "XT0206", "arg0 ? comm : 1"),
        ("comm ? 1 : 2", "XT0207", "comm"),
        ("!comm", "XT0207", "comm"),
        ("&arg0", "XT0220", "&arg0"),
        ("(nonsense_t)arg0", "XT0211", "nonsense_t"),
    ],
)
def test_operands_that_do_not_go_together(text: str, code: str, place: str) -> None:
    assert refusals(f"kprobe:f {{ print({text}); }}") == {code: place}


def test_a_known_result_type_is_cut_from_the_register() -> None:
    assert expression("retval", VFS_READ_RETURN) == ir.Convert(ir.Retval(), Int(4, True))


def test_bswap_goes_by_the_size_of_its_argument() -> None:
    swapped = expression("bswap((uint16)arg0)")
    assert swapped.type == Int(2, False)
    assert expression("bswap((uint16)0x1234)") == ir.Const(0x3412, Int(2, False))
    assert expression("bswap((uint32)0x12345678)") == ir.Const(0x78563412, Int(4, False))
    assert expression("bswap(args.protocol)", KFREE_SKB).type == Int(2, False)


def test_tuples_of_different_types_compare_by_their_items() -> None:
    made = expression('(pid, "a") != (1, comm)')
    assert isinstance(made, ir.Unary)
    both = made.operand
    assert isinstance(both, ir.Logical) and isinstance(both.left, ir.Binary) and isinstance(both.right, ir.Compare)
