"""What stands between clauses: C, config, and sections of bpftrace's that are refused."""

from __future__ import annotations

import pytest

from tests.unit.lang.parsing import complaint, places, program


def test_c_definitions_are_kept_as_written() -> None:
    text = """#!/usr/bin/env xtrace
#ifndef BPFTRACE_HAVE_BTF
#include <linux/sched.h>
struct cfs_rq { int x; struct { int y; } z; };
#endif
#define LONG(a) \\
  (a + 1) /* over
  lines */
#define RED "\\033[31m // no comment"
enum color { RED = 1, GREEN };
typedef struct { int x; } foo_t;
struct packed { char c; } __attribute__((packed, aligned(1)));
union u { int a; long b; }
BEGIN { }"""
    assert [span.text for span in program(text).definitions] == [
        "#ifndef BPFTRACE_HAVE_BTF",
        "#include <linux/sched.h>",
        "struct cfs_rq { int x; struct { int y; } z; }",
        "#endif",
        "#define LONG(a) \\\n  (a + 1) /* over\n  lines */",
        '#define RED "\\033[31m // no comment"',
        "enum color { RED = 1, GREEN }",
        "typedef struct { int x; } foo_t;",
        "struct packed { char c; } __attribute__((packed, aligned(1)))",
        "union u { int a; long b; }",
    ]


def test_config_has_one_spelling() -> None:
    text = """config = {
    BPFTRACE_MAX_STRLEN = 200; STRLEN = 1; stack_mode = perf;
    missing_probes = "warn"; lazy_symbolication = true; max_map_keys = 2
}
BEGIN { }"""
    assert program(text).config == (
        ("max_strlen", 200),
        ("max_strlen", 1),
        ("stack_mode", "perf"),
        ("missing_probes", "warn"),
        ("lazy_symbolication", 1),
        ("max_map_keys", 2),
    )


def test_each_wrong_setting_is_complained_about() -> None:
    text = "config = { a = 1; b; c = ; d = 2 e = 3; } BEGIN { }"
    assert places(text) == [("XT0101", ";"), ("XT0114", ";"), ("XT0101", "e")]


def test_config_without_braces() -> None:
    assert places("config = 5 BEGIN { }") == [("XT0101", "5")]
    assert places("config { a = 1 } BEGIN { }") == [("XT0101", "{")]


@pytest.mark.parametrize(
    ("text", "feature"),
    [
        ("fn f($x: uint64): uint64 { return $x }", "functions"),
        ("subprog f($x: uint64): uint64 { return $x }", "functions"),
        ('import "stdlib";', "imports"),
    ],
)
def test_what_only_bpftrace_has_is_named(text: str, feature: str) -> None:
    found = complaint(f"{text}\nBEGIN {{ exit(); }}")
    assert (found.code, found.message) == ("XT0116", f"{feature} are not supported")


def test_map_declarations() -> None:
    found = program("let @a = lruhash(100);\nlet @b = hash(0x10); let @ = percpuarray(1); BEGIN { }").maps
    assert [(one.name, one.lru, one.size) for one in found] == [
        ("a", True, 100),
        ("b", False, 16),
        ("", False, 1),
    ]
    assert found[0].span.text == "let @a = lruhash(100);"


def test_wrong_map_declarations() -> None:
    text = "let @a = tree(1); let @b = hash(0); let @c = hash; let @d hash(3); BEGIN { }"
    assert places(text) == [("XT0116", "tree"), ("XT0101", "0"), ("XT0101", ";"), ("XT0101", "hash")]


def test_a_definition_that_never_ends() -> None:
    assert places("struct foo { int x;\nBEGIN { }") == [("XT0107", "{")]


def test_a_directive_that_is_none() -> None:
    found = complaint("# just a note\nBEGIN { }")
    assert found.code == "XT0117"
    assert found.hints == ("comments begin with //",)


@pytest.mark.parametrize("text", ["", "  // nothing\n", "#include <linux/fs.h>", "config = { max_strlen = 5 }"])
def test_a_program_without_a_probe(text: str) -> None:
    assert complaint(text).code == "XT0115"
