"""Statements, and going on after what is wrong in one."""

from __future__ import annotations

import pytest

from tests.unit.lang.parsing import body, complaint, complaints, places, program


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("$x = 1", "$x = 1;"),
        ("@x[1] += 2;", "@x[1] += 2;"),
        ("@ = count();", "@ = count();"),
        ("@x++; ++@x; $x--", "(@x++); (++@x); ($x--);"),
        ("exit();", "exit();"),
        (";;", ""),
        ("_ = has_key(@m, 1);", "has_key(@m, 1);"),
        ("if (pid) { exit() }", "if (pid) { exit(); }"),
        ("if pid { exit() };", "if (pid) { exit(); }"),
        ("if (a) == b { }", "if ((a == b)) { }"),
        ("if (a) { } else if (b) { } else { c() }", "if (a) { } else { if (b) { } else { c(); } }"),
        ("unroll (5) { $x++ }", "unroll (5) { ($x++); }"),
        ("unroll ($1) { }", "unroll ($1) { }"),
        ("while ($i <= 100) { $i++; break; }", "while (($i <= 100)) { ($i++); break; }"),
        ("for ($kv : @m) { print($kv.0); continue }", "for ($kv : @m) { print($kv.0); continue; }"),
        ("for ($i : 0..5) { }", "for ($i : 0..5) { }"),
        ("for $i : $a+1..ncpus { }", "for ($i : ($a + 1)..ncpus) { }"),
        ("let $x;", "let $x;"),
        ("let $x: uint64 = 1;", "let $x: uint64 = 1;"),
        ("let $s : struct sock * = (struct sock *)arg0", "let $s: struct sock * = ((struct sock *)arg0);"),
        ("let $s: string[16];", "let $s: string[16];"),
        ("{ $x = 1; { } }", "{ $x = 1; { } }"),
        ("return; return 1;", "return; return;"),
    ],
)
def test_statements(text: str, tree: str) -> None:
    assert body(text) == tree


@pytest.mark.parametrize("sign", ["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"])
def test_compound_assignments(sign: str) -> None:
    assert body(f"$x {sign}= 2;") == f"$x {sign}= 2;"


@pytest.mark.parametrize(
    ("text", "code", "underlined", "hint"),
    [
        ("pid = 3;", "XT0112", "pid", "== compares"),
        ("total = 3;", "XT0112", "total", "$total"),
        ("$1 = 3;", "XT0112", "$1", "== compares"),
        ("$t.0 = 3;", "XT0112", "$t.0", "tuples cannot be changed"),
        ("if (x = 1) { }", "XT0101", "=", "= assigns"),
        ("if x = 1 { }", "XT0101", "=", "= assigns"),
        ("if (x) exit();", "XT0101", "exit", "braces"),
        ("else { }", "XT0119", "else", "follows the }"),
        ("for (i = 0; i < 5; i++) { print(i); }", "XT0101", "i", "0..5"),
        ("for ($x : 5) { }", "XT0101", "5", "0..5"),
        ("for ($x in @m) { }", "XT0101", "in", "@map"),
        ("let @m;", "XT0101", "@m", "no declaration"),
        ("let $x: typeof($y) = 1;", "XT0116", "typeof", "the type itself"),
        ("# define", "XT0117", "#", "first probe"),
    ],
)
def test_what_is_wrong_is_underlined_and_explained(text: str, code: str, underlined: str, hint: str) -> None:
    found = complaint(f"begin {{ {text} }}")
    assert found.span is not None
    assert (found.code, found.span.text) == (code, underlined)
    assert any(hint in one for one in found.hints)


def test_a_missing_semicolon_is_one_complaint_and_nothing_is_skipped() -> None:
    text = "begin {\n  $x = 1\n  $y = ;\n  print($x)\n  exit() }"
    found = complaints(text)
    assert [(one.code, one.span.location() if one.span else "") for one in found] == [
        ("XT0101", "-e:2:9"),
        ("XT0101", "-e:3:8"),
        ("XT0101", "-e:4:12"),
    ]
    assert "expected ;" in found[0].message


def test_several_errors_come_in_one_run_and_in_order() -> None:
    text = "kprobe:f /pid = 1/ { print(; @x[ = 1; }\nfoo:bar { $x = ; }\nconfig = { a b; }\nkprobe:g { 1 = 2 }"
    assert [one.code for one in complaints(text)] == [
        "XT0101",
        "XT0101",
        "XT0101",
        "XT0109",
        "XT0101",
        "XT0101",
        "XT0112",
    ]


def test_a_missing_parenthesis_before_a_block_does_not_hide_the_block() -> None:
    assert places("begin { if (x { $y = ; } }") == [("XT0101", "{"), ("XT0101", ";")]


def test_a_missing_brace_is_found_where_the_next_probe_begins() -> None:
    text = "kprobe:f {\n  if (x) {\n    exit();\n}\n\nkprobe:g { print(; }\n"
    first, second = complaints(text)
    assert first.code == "XT0107"
    assert first.hints == ("the { of line 1 is still open",)
    assert second.message == "expected an expression, found ;"


def test_the_innermost_open_brace_is_named_once() -> None:
    assert [one.span.location() for one in complaints("begin {\n {\n {\n") if one.span] == ["-e:3:2"]


def test_a_brace_too_many() -> None:
    assert places("begin { exit(); } }") == [("XT0101", "}")]


def test_blocks_may_be_nested_but_not_endlessly() -> None:
    program("begin " + "{" * 40 + "}" * 40)
    assert "XT0108" in [one.code for one in complaints("begin " + "{" * 400 + "}" * 400)]


def test_complaints_are_cut_off_at_a_hundred() -> None:
    found = complaints("begin { " + "1 = 2; " * 500 + "}")
    assert len(found) == 101
    assert (found[-1].code, found[-1].message) == ("XT0122", "400 more complaints follow these")


def test_an_else_belongs_to_its_wrong_if() -> None:
    assert [code for code, _ in places("BEGIN { if ($x = 1) { a; } else if (b) { c; } else { d; } $y = ; }")] == [
        "XT0101",
        "XT0101",
    ]
