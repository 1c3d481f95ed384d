"""Excerpts: the line of a span and what underlines it."""

from __future__ import annotations

import pytest

from xtrace.core.lang.source import Source, Span


def excerpt(text: str, part: str) -> list[str]:
    start = text.index(part)
    return Span(Source("t", text), start, start + len(part)).excerpt()


@pytest.mark.parametrize(
    ("text", "part", "shown", "underline"),
    [
        ("a = b;", "b", "  a = b;", "      ~"),
        ("\t a\tbc", "bc", "  \t a\tbc", "  \t  \t~~"),
        ("one\r\ntwo x\r\n", "x", "  two x", "      ~"),
        ("\u65e5\u672c x", "x", "  \u65e5\u672c x", "       ~"),
        ("\u65e5\u672c x", "\u672c", "  \u65e5\u672c x", "    ~~"),
        ("\x1b[31m x", "x", "  \ufffd[31m x", "        ~"),
        ("a { b\nc }", "{ b\nc }", "  a { b", "    ~~~"),
    ],
)
def test_the_underline_stands_under_the_span(text: str, part: str, shown: str, underline: str) -> None:
    assert excerpt(text, part) == [shown, underline]


def test_of_a_long_line_the_part_around_the_span_is_shown() -> None:
    shown, underline = excerpt("a" * 5000 + "X" + "b" * 5000, "X")
    assert len(shown) < 300
    assert shown[underline.index("~")] == "X"
    assert shown[2] == shown[-1] == "…"


def test_the_end_of_a_long_line_can_be_marked() -> None:
    shown, underline = Span(Source("t", "a" * 5000), 5000, 5000).excerpt()
    assert len(shown) < 300 and underline.endswith("~")
