"""printf's conversions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtrace.core.events import Blob, Frames, Hexadecimal, Shown
from xtrace.core.session.printf import Formatter


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("%d", -1, "-1"),
        ("%u", -1, "18446744073709551615"),
        ("%x", -1, "ffffffffffffffff"),
        ("%X", 255, "FF"),
        ("%o", 42, "52"),
        ("%#o", 42, "052"),
        ("%#x", 255, "0xff"),
        ("%5d|", 42, "   42|"),
        ("%-5d|", 42, "42   |"),
        ("%05d", 42, "00042"),
        ("%.3d", 42, "042"),
        ("%+d", 42, "+42"),
        ("%hhd", 511, "-1"),
        ("%hu", 65537, "1"),
        ("%lld", 1 << 40, "1099511627776"),
        ("%c", 65, "A"),
        ("%5c", 42, "    *"),
        ("%p", 255, "0xff"),
        ("%p", 0, "0"),
        ("%s", 5, "5"),
        ("%5s|", True, " true|"),
        ("%10p", Hexadecimal(255), "      0xff"),
        ("%x", Hexadecimal(255), "ff"),
        ("%s", "abc", "abc"),
        ("%-6s|", "abc", "abc   |"),
        ("%.2s", "abc", "ab"),
        ("%s", (1, "a", (2,)), "(1, a, (2))"),
        ("%d", True, "1"),
        ("%s", None, "-"),
        ("%r", Blob(b"a\x01\xff\\"), "a\\x01\\xff\\"),
        ("%rx", Blob(b"a\x01"), "\\x61\\x01"),
        ("%rh", Blob(b"a\x01"), "61 01"),
        ("%s", Frames(("f+1", "g+2")), "\n        f+1\n        g+2\n"),
        ("100%% of %d", 3, "100% of 3"),
        ("%y %d", 3, "%y 3"),
    ],
)
def test_conversion(text: str, value: Shown, expected: str) -> None:
    assert Formatter(text)([value]) == expected


def test_width_and_precision_may_be_values() -> None:
    assert Formatter("[%*d][%-*s][%.*s]")([5, 42, 4, "ab", 1, "xyz"]) == "[   42][ab  ][x]"


def test_missing_values_show_as_nothing() -> None:
    assert Formatter("%d %d")([1]) == "1 0"


@given(st.text(), st.lists(st.one_of(st.integers(-(1 << 63), (1 << 63) - 1), st.text())))
def test_no_format_raises(text: str, values: list[Shown]) -> None:
    assert isinstance(Formatter(text[:200])(values), str)
