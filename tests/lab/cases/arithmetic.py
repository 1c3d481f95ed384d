"""Arithmetic means the same on each backend as in the evaluator: wrap, truncation, signs, division by zero, shifts."""

from __future__ import annotations

from tests.lab import random_programs, random_shapes
from tests.lab.case import case
from tests.lab.inside import equal, equal_counts, lines, xtrace

OPERATORS = ("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "<", "<=", ">", ">=", "==", "!=")
PAIRS = ((7, 2), (-7, 2), (7, -2), (-7, -2), (7, 0), (0, 7), (-1, 1), (1, 63), (-1, 65),
         (9223372036854775807, 2), (-9223372036854775807, 3), (4294967296, 4294967295))  # fmt: skip
CASTS = ("int8", "uint8", "int16", "uint16", "int32", "uint32")


def program() -> str:
    """One line of output for each operator and signedness, and for each cast: a checksum over all pairs. Operands go
    through maps, so that nothing is folded before the program runs."""
    body = ""
    for left, right in PAIRS:
        body += f"@a = {left}; @b = {right}; $a = @a; $b = @b; $c = (uint64)@a; $d = (uint64)@b;\n"
        for number, operator in enumerate(OPERATORS):
            body += f"@s[{number}] = @s[{number}] * 31 + ($a {operator} $b);"
            body += f"@u[{number}] = @u[{number}] * 31 + (int64)($c {operator} $d);\n"
        for number, cast in enumerate(CASTS):
            body += f"@c[{number}] = @c[{number}] * 31 + (int64)({cast})$a;\n"
    return f"BEGIN {{ {body} clear(@a); clear(@b); exit(); }}"


PROGRAM = program()
RANDOM = [random_programs.program(seed) for seed in (1, 2, 3)]
SHAPES = [random_shapes.program(seed) for seed in (1, 2)]
"""Each is a module that takes half a minute to compile."""


@case(backends=("systemtap",), probes=["timer"], stap=[("-e", PROGRAM)], timeout=300)
def as_the_evaluator(backend: str) -> None:
    """The ftrace backend runs BEGIN in the evaluator, SystemTap compiles it. BCC's clang is too slow for this program
    in a guest; tests/live compares it."""
    expected = lines(xtrace("trace", "--backend", "ftrace", "-e", PROGRAM).stdout)
    equal(len(expected), 2 * len(OPERATORS) + len(CASTS), "lines")
    found = lines(xtrace("trace", "--backend", backend, "-e", PROGRAM, timeout=240).stdout)
    equal(sorted(found), sorted(expected), "checksums")


@case(backends=("systemtap",), probes=["timer"], stap=[("-e", text) for text in RANDOM], timeout=300, long=True)
def random_programs_as_the_evaluator(backend: str) -> None:
    """All operators, casts, functions of text, loops, maps and aggregations, put together at random."""
    _agree(backend, RANDOM)


@case(backends=("systemtap",), probes=["timer"], stap=[("-e", text) for text in SHAPES], timeout=300, long=True)
def random_shapes_as_the_evaluator(backend: str) -> None:
    """Effects inside expressions, branches, loops in loops, narrow variables and tuples, put together at random."""
    _agree(backend, SHAPES)


def _agree(backend: str, programs: list[str]) -> None:
    for number, text in enumerate(programs):
        expected = lines(xtrace("trace", "--backend", "ftrace", "-e", text).stdout)
        assert len(expected) > 100, expected
        found = lines(xtrace("trace", "--backend", backend, "-e", text, timeout=240).stdout)
        equal_counts(found, expected, f"lines of program {number}")
