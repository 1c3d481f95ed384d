"""Literals, comments, and characters that mean nothing."""

from __future__ import annotations

import pytest

from tests.unit.lang.parsing import complaint, places
from xtrace.core.lang import ast
from xtrace.core.lang.parser import parse_expression
from xtrace.core.lang.source import Source


def value(text: str) -> object:
    node = parse_expression(Source("-e", text))
    assert isinstance(node, (ast.Number, ast.Text))
    return node.value


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("42", 42),
        ("0x1F", 31),
        ("0XfF", 255),
        ("0xff_ff", 0xFFFF),
        ("0755", 0o755),
        ("1e6", 1_000_000),
        ("2E3", 2000),
        ("1_000_123", 1_000_123),
        ("123UL", 123),
        ("7u", 7),
        ("7ll", 7),
        ("0x10ull", 16),
        ("3ns", 3),
        ("3us", 3_000),
        ("5ms", 5_000_000),
        ("1s", 1_000_000_000),
        ("2m", 120_000_000_000),
        ("1h", 3_600_000_000_000),
        ("1d", 86_400_000_000_000),
        ("1e3ms", 1_000_000_000),
        ("18446744073709551615", (1 << 64) - 1),
        ("'a'", 97),
        (r"'\n'", 10),
        (r"'\xff'", 255),
        (r"'\\'", 92),
    ],
)
def test_numbers(text: str, number: int) -> None:
    assert value(text) == number


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("08", "octal"),
        ("0x", "no hexadecimal digits"),
        ("0xfg", "not a hexadecimal number"),
        ("1e99", "64 bits"),
        ("18446744073709551616", "64 bits"),
        ("1e", "no exponent"),
        ("5min", "no unit"),
        ("'ab'", "not one byte"),
        ("'é'", "not one byte"),
    ],
)
def test_numbers_that_are_none(text: str, says: str) -> None:
    found = complaint(f"begin {{ $x = {text}; }}")
    assert found.code == "XT0106"
    assert says in found.message
    assert found.span is not None
    assert found.span.text == text


@pytest.mark.parametrize(
    ("text", "string"),
    [
        (r'"a\n\t\r\"\\b"', 'a\n\t\r"\\b'),
        (r'"\x41\101\0"', "AA\0"),
        (r'"\xc3\xa9"', "é"),
        (r'"\033[31m"', "\x1b[31m"),
        ('"schön"', "schön"),
        ('"// no comment /*"', "// no comment /*"),
        ('""', ""),
    ],
)
def test_strings(text: str, string: str) -> None:
    assert value(text) == string


def test_bytes_that_are_no_utf8_survive() -> None:
    text = value(r'"\xff\x80a"')
    assert isinstance(text, str)
    assert text.encode("utf-8", "surrogateescape") == b"\xff\x80a"


def test_an_unclosed_string_is_the_only_complaint_of_its_line() -> None:
    text = 'begin { printf("hello\\n); exit(); }\nend { $x = ; }'
    assert places(text) == [("XT0102", '"hello\\n); exit(); }')]
    assert "closing quote" in complaint('begin { print("a); }').hints[0]


def test_every_unknown_escape_is_pointed_at() -> None:
    assert places(r'begin { printf("a\qb\%\n"); }') == [("XT0103", r"\q"), ("XT0103", r"\%")]


def test_comments_stand_anywhere() -> None:
    text = "#!/usr/bin/env xtrace\n// one\nbegin /* two */ { // }\n exit(/* x */); /* { */ }\n// end"
    assert expression_statements(text) == 1


def expression_statements(text: str) -> int:
    from tests.unit.lang.parsing import program

    (clause,) = program(text).clauses
    return len(clause.body)


def test_an_unclosed_comment() -> None:
    assert places("begin { exit(); /* } ") == [("XT0105", "/*")]


def test_stray_characters_are_complained_about_once_a_run() -> None:
    assert places("begin { print(“hi”); § exit() ` }") == [
        ("XT0104", "“"),
        ("XT0104", "”"),
        ("XT0104", "§"),
        ("XT0104", "`"),
    ]
    assert "typographic" in complaint("begin { “; }").hints[0]
    assert "no-break" in complaint("begin { exit();\u00a0 }").hints[0]


def test_a_positional_parameter_counts_from_one() -> None:
    assert places("begin { print($0); }") == [("XT0106", "$0")]
