"""Whole programs and what they print: the words are those of bpftrace 0.27, which was asked."""

from __future__ import annotations

import io

import pytest

from tests.unit.session.hosts import shown
from xtrace.sinks.text import TextSink


def printed(body: str) -> list[str]:
    stream = io.StringIO()
    sink = TextSink(stream)
    for output in shown(f"BEGIN {{ {body} }}"):
        sink.write(output)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("print(-(uint32)1); print(~(uint8)1); print(-(int8)5);", ["4294967295", "254", "-5"]),
        ('print(str("abcdef", 3)); printf("[%s]\\n", "p\\0q");', ["abc", "[p]"]),
        ("print(1 == 1); print(!5); print((true, 1));", ["true", "false", "(true, 1)"]),
        ('printf("%d %s %s\\n", 3 > 2, 3 > 2, (5, "x", false));', ["1 true (5, x, false)"]),
        ("@a |= 6; @b <<= 2; @c[1] ^= 5; print(@a); print(@c[1]); clear(@a); clear(@b); clear(@c);", ["@a: 6", "5"]),
        ("print(ksym(0)); print(usym(0)); print((void *)0); print((void *)16);", ["0", "0", "0x0", "0x10"]),
    ],
)
def test_printed_as_by_bpftrace(body: str, lines: list[str]) -> None:
    assert printed(body) == lines
