"""The C preamble: defines, structs of the program's own, enums."""

from __future__ import annotations

import pytest

from tests.unit.lang.small_kernel import MALLOC, complaints, typed
from xtrace.core import ir
from xtrace.core.lang.source import Source, Span
from xtrace.core.lang.typing.c_declarations import Layouts, read_declarations
from xtrace.core.lang.typing.definitions import read_definitions
from xtrace.core.types import Array, Int, Pointer, Space, String, Struct


def layouts(text: str) -> Layouts:
    found = Layouts()
    read_declarations(text, found, {})
    return found


def places(text: str) -> list[tuple[str, int, int]]:
    """Name, offset and size of the members of struct x."""
    return [(member.name, member.offset, member.size) for member in layouts(text).structs["x"].members]


@pytest.mark.parametrize(
    ("body", "expected", "size"),
    [
        ("char a; int b; char c;", [("a", 0, 1), ("b", 4, 4), ("c", 8, 1)], 12),
        ("unsigned long a; short b[3];", [("a", 0, 8), ("b", 8, 6)], 16),
        ("char *p, q; const struct y *const r;", [("p", 0, 8), ("q", 8, 1), ("r", 16, 8)], 24),
        ("int (*fn)(void *, int); uint16_t n;", [("fn", 0, 8), ("n", 8, 2)], 16),
        ("int a; union { char b; long c; }; int d;", [("a", 0, 4), ("b", 8, 1), ("c", 8, 8), ("d", 16, 4)], 24),
        ("struct { char a; int b; } in; char c;", [("in", 0, 8), ("c", 8, 1)], 12),
    ],
)
def test_layout(body: str, expected: list[tuple[str, int, int]], size: int) -> None:
    text = f"struct x {{ {body} }};"
    assert places(text) == expected
    assert layouts(text).structs["x"].type == Struct("x", size)


def test_packed_and_bit_fields() -> None:
    packed = layouts("struct x { char a; int b; } __attribute__((packed));").structs["x"]
    assert (packed.members[1].offset, packed.type.size) == (1, 5)
    bits = layouts("struct x { unsigned a : 3; unsigned b : 30; char c; };").structs["x"]
    a, b, c = bits.members
    assert (a.offset, a.bit_offset, a.bit_size) == (0, 0, 3)
    assert (b.offset, b.bit_offset, b.bit_size) == (4, 0, 30)
    assert (c.offset, bits.type.size) == (8, 12)


def test_types_by_name() -> None:
    found = layouts("enum color { RED, BLUE = 1 << 4, GREEN }; typedef struct x { enum color c; int *p[2]; } x_t;")
    assert found.enumerators == {"RED": 0, "BLUE": 16, "GREEN": 17}
    assert found.typedefs["x_t"] == Struct("x", 24)
    assert found.structs["x"].members[1].type == Array(Pointer(Int(4, True)), 2)


def test_a_program_uses_its_own_structs() -> None:
    text = "#define LIMIT (2 + 3)\nstruct req { int id; char name[8]; };\n"
    program = typed(
        text + "uprobe:/bin/x:f /LIMIT < arg1/ { $r = (struct req *)arg0; print($r->id); print($r->name); }", MALLOC
    )
    base = ir.Var("r", Pointer(Struct("req", 12), Space.USER))
    _, first, second = program.clauses[0].body
    assert isinstance(first, ir.Output)
    assert isinstance(second, ir.Output)
    assert first.args == (ir.Load(base, 0, Int(4, True), Space.USER),)
    assert second.args[0].type == String(8)
    assert isinstance(program.clauses[0].predicate, ir.Binary)
    assert program.clauses[0].predicate.left == ir.Const(5)


def test_own_structs_are_checked_without_a_host() -> None:
    text = "struct req { int id; };\nuprobe:/bin/x:f { print(((struct req *)arg0)->idd); }"
    assert complaints(text) == [("XT0210", "((struct req *)arg0)->idd")]


def defined(text: str) -> set[str]:
    source = Source("t", text)
    return set(read_definitions((Span(source, 0, len(text)),)).macros)


def test_conditionals_take_the_branch_that_has_btf() -> None:
    text = (
        "#ifdef BPFTRACE_HAVE_BTF\n#define A 1\n#else\n#define B 1\n#endif\n#ifndef A\n#define C 1\n#endif\n#define D"
    )
    assert defined(text) == {"A", "D"}


def test_what_cannot_be_read_is_complained_about() -> None:
    text = 'struct x { nonsense_t a; };\n#define MAX(a, b) a\n#include "mine.h"\nbegin { }'
    assert [code for code, _ in complaints(text)] == ["XT0229"] * 3


@pytest.mark.parametrize(
    ("condition", "taken"),
    [
        ("#if 0", False),
        ("#if 1 == 2", False),
        ("#if N > 2 && !defined(M)", True),
        ("#if defined M || defined(BPFTRACE_HAVE_BTF)", True),
        ("#if UNHEARD_OF", False),
        ("#if 0\n#elif N == 3", True),
        ("#if 0\n#if 1", False),
        ("#if 1\n#elif 1", False),
    ],
)
def test_conditions_are_computed(condition: str, taken: bool) -> None:
    assert ("A" in defined(f"#define N 3\n{condition}\n#define A 1\n#endif")) is taken


def test_a_condition_that_cannot_be_computed_is_told() -> None:
    text = "#if KERNEL_VERSION(5, 8, 0) > 3\n#define A 1\n#endif\nbegin { print(A); }"
    assert [code for code, _ in complaints(text)] == ["XT0229"]


def test_a_define_with_parameters_is_told() -> None:
    """`#define TWICE(a) (a * 2)` looks like a cast behind its name."""
    assert [code for code, _ in complaints("#define TWICE(a) (a * 2)\nbegin { print(TWICE(3)); }")] == [
        "XT0229",
        "XT0203",
    ]
