"""Text: lengths in bytes, single bytes, cutting by a length that the run knows."""

from __future__ import annotations

import pytest

from tests.unit.evaluate.programs import printed


@pytest.mark.parametrize(
    ("text", "length", "first", "fourth", "cut"),
    [
        ("abcdef", 3, 97, 100, "abc"),
        ("abcdef", 0, 97, 100, ""),
        ("abcdef", -1, 97, 100, "abcdef"),
        ("ab", 7, 97, 0, "ab"),
        ("zür", 2, 122, 114, "z\udcc3"),
        ("", 1, 0, 0, ""),
    ],
)
def test_text_is_bytes(text: str, length: int, first: int, fourth: int, cut: str) -> None:
    program = (
        f'BEGIN {{ @s = "{text}"; $s = @s; @n = {length}; $n = @n; '
        'printf("%d %d %d %s", strlen(@s), $s[0], $s[3], str($s, $n)); }'
    )
    assert printed(program) == [(len(text.encode()), first, fourth, cut)]


def test_a_cut_text_fits_the_longest_string() -> None:
    assert printed('BEGIN { @s = "abcdef"; $s = @s; $n = nsecs; printf("%s", str($s, $n)); }', max_strlen=7) == [
        ("abcdef",)
    ]
