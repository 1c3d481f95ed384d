"""Expressions: precedence, casts, and spellings that are one."""

from __future__ import annotations

import pytest

from tests.unit.lang.parsing import complaint, expression, places


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1 + 2 * 3", "(1 + (2 * 3))"),
        ("1 - 2 - 3", "((1 - 2) - 3)"),
        ("8 / 4 / 2", "((8 / 4) / 2)"),
        ("1 << 2 + 3", "(1 << (2 + 3))"),
        ("a & b == c", "(a & (b == c))"),
        ("a | b ^ c & d", "(a | (b ^ (c & d)))"),
        ("a || b && c", "(a || (b && c))"),
        ("a < b == c >= d", "((a < b) == (c >= d))"),
        ("!a == b", "((! a) == b)"),
        ("-1 - -1", "((- 1) - (- 1))"),
        ("~!x", "(~ (! x))"),
        ("*$p + 8", "((* $p) + 8)"),
        ("**(int64 **)x", "(* (* ((int64 **)x)))"),
        ("&$x", "(& $x)"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("a ? b ? 1 : 2 : 3", "(a ? (b ? 1 : 2) : 3)"),
        ("a == 1 ? b : c", "((a == 1) ? b : c)"),
        ("((a))", "a"),
        ("$x++ + ++$x", "(($x++) + (++$x))"),
        ("@m[1]-- - --@", "((@m[1]--) - (--@))"),
        ("$1 + $#", "($1 + $#)"),
        ("true || false", "(true || false)"),
    ],
)
def test_precedence(text: str, tree: str) -> None:
    assert expression(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("(uint64)x + 1", "(((uint64)x) + 1)"),
        ("(uint64) x->y", "((uint64)x->y)"),
        ("(struct sock *)arg0", "((struct sock *)arg0)"),
        ("((struct sock *)arg0)->sk", "((struct sock *)arg0)->sk"),
        ("(struct a *)(struct b **)x", "((struct a *)((struct b **)x))"),
        ("(const char *)x", "((char *)x)"),
        ("(unsigned long long)x", "((unsigned long long)x)"),
        ("(uint8[4])x", "((uint8[4])x)"),
        ("(uint8[])x", "((uint8[])x)"),
        ("(sockaddr *)arg0", "((sockaddr *)arg0)"),
        ("(size_t)x", "((size_t)x)"),
        ("(name)(x)", "((name)x)"),
        ("(enum zone_type)args.zone", "((enum zone_type)args.zone)"),
        ("-(int32)x", "(- ((int32)x))"),
        ("(x) - 1", "(x - 1)"),
        ("(x) * y", "(x * y)"),
        ("(x) & 1", "(x & 1)"),
        ("(x * y)", "(x * y)"),
        ("(x)", "x"),
        ("(a[1])", "a[1]"),
    ],
)
def test_casts_are_told_from_parentheses(text: str, tree: str) -> None:
    assert expression(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("args->filename", "args->filename"),
        ("args.filename", "args.filename"),
        ("$t.0.1", "$t.0.1"),
        ("(1, 2).0", "(1, 2).0"),
        ("$a[1][2].x", "$a[1][2].x"),
        ("curtask->for.if", "curtask->for.if"),
        ("()", "()"),
        ("(1,)", "(1,)"),
        ("(1, (2, 3), )", "(1, (2, 3))"),
        ("@", "@"),
        ("@[pid, comm]", "@[pid, comm]"),
        ("@m[(pid, comm)]", "@m[pid, comm]"),
        ("@m[(1, 2), 3]", "@m[(1, 2), 3]"),
        ("@m[1][2]", "(@m[1])[2]"),
        ("(@m)[1]", "(@m)[1]"),
    ],
)
def test_members_tuples_and_maps(text: str, tree: str) -> None:
    assert expression(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("count()", "count()"),
        ("lhist(retval, 0, 2000, 200,)", "lhist(retval, 0, 2000, 200)"),
        ("delete(@m[1])", "delete(@m[1])"),
        ("delete(@m, 1)", "delete(@m[1])"),
        ("delete(@m, (1, 2))", "delete(@m[1, 2])"),
        ("has_key(@m, 1)", "has_key(@m, 1)"),
        ("stack", "kstack"),
        ("stack(5)", "kstack(5)"),
        ("__builtin_cpu + __builtin_uid()", "(cpu + uid)"),
        ("sym(arg0)", "ksym(arg0)"),
        ("pid()", "pid"),
        ("kstack()", "kstack"),
        ("kstack(perf, 3)", "kstack(perf, 3)"),
        ("nsecs(monotonic)", "nsecs(monotonic)"),
        ("emit(pid, latency_us = d / 1000)", "emit(pid, latency_us = (d / 1000))"),
        ("has(args.reason) && args.reason", "(has(args.reason) && args.reason)"),
        ("str($1)", "str($1)"),
        ("sizeof(struct x *)", "sizeof(struct x *)"),
        ("sizeof(uint64)", "sizeof(uint64)"),
        ("sizeof(u32)", "sizeof(u32)"),
        ("sizeof($x)", "sizeof($x)"),
        ("sizeof(x * y)", "sizeof((x * y))"),
        ("offsetof(struct task_struct, se.cfs_rq)", "offsetof(struct task_struct, se.cfs_rq)"),
    ],
)
def test_calls(text: str, tree: str) -> None:
    assert expression(text) == tree


def test_a_span_holds_the_parentheses_of_its_operands() -> None:
    found = complaint("begin { (1 + 2) * (3) = 4; }")
    assert found.span is not None
    assert found.span.text == "(1 + 2) * (3)"


@pytest.mark.parametrize(
    ("text", "code", "underlined"),
    [
        ("$x = 1.5", "XT0121", "1.5"),
        ("$x = if", "XT0116", "if"),
        ("$x = { 1 }", "XT0116", "{"),
        ("$x = has(kprobe:f)", "XT0116", "has(kprobe"),
        ("$x = has(struct sock", "XT0101", "}"),
        ("$x = $y = 1", "XT0101", "="),
        ("$x = while", "XT0119", "while"),
        ("$x = uint64", "XT0101", "uint64"),
        ("$x = 1 +", "XT0101", "}"),
        ("$x = a ? b", "XT0101", "}"),
        ("$x = @m[]", "XT0101", "]"),
        ("$x = $y.+", "XT0101", "+"),
        ("$x = sizeof(struct)", "XT0101", ")"),
        ("$x = offsetof(*curtask, pid)", "XT0116", "*"),
        ("$x = (uint8[4][2])y", "XT0120", "["),
        ("$x = (uint8[0])y", "XT0120", "0"),
        ("pid++", "XT0113", "pid++"),
        ("++1", "XT0113", "++1"),
        ("print(1 2)", "XT0101", "2"),
        ("printf(a = 1)", "XT0118", "a"),
    ],
)
def test_what_is_wrong_is_underlined(text: str, code: str, underlined: str) -> None:
    assert places(f"begin {{ {text} }}") == [(code, underlined)]


def test_an_expression_may_be_long_but_not_endless() -> None:
    many = " + ".join(["1"] * 100)
    assert expression(many).count("+") == 99
    for text in (
        "1" + "+1" * 5000,
        "(" * 500 + "1" + ")" * 500,
        "!" * 5000 + "x",
        "x" + ".y" * 5000,
        "1?2:" * 900 + "3",
    ):
        assert {code for code, _ in places(f"begin {{ $x = {text}; }}")} == {"XT0108"}
