"""What is wrong on any host is said before a host is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.lang.small_kernel import KFREE_SKB, PLACES, SmallKernel, complaints
from xtrace.core.errors import ProgramError
from xtrace.core.lang.parser import parse
from xtrace.core.lang.source import Source, Span
from xtrace.core.lang.typing import Settings, Typer, check
from xtrace.core.types import CType, Inet, String, Unknown

FINE = [
    'tracepoint:a:b { @x[args.y] = args.z; printf("%d %s", args.a, str(args.b)); }',
    "kprobe:f { @x = ((struct foo *)arg0)->a->b.c[3]; print(*@x); }",
    "kprobe:f /comm == str($1) && $2 > 3 && SOME_ENUMERATOR == 5/ { @[kstack] = count(); }",
    "kprobe:f { if (has(args.reason)) { print(args.reason); } else { print(sizeof(struct foo)); } }",
    "kprobe:f { $x = (enum foo)arg0; $y = (some_t)arg0; print($x + $y); }",
    "file.open { emit(path, ret, nonsense); }",
    'kprobe:f { print(kaddr("x")); @m[1, 2] = hist(args.x); for ($kv : @n) { print($kv.1); } @n[1] = args.y; }',
    "usdt:/bin/x:a { print(arg0); } uretprobe:/bin/x:f { print(retval); } profile:hz:99 { @[ustack] = count(); }",
]


@pytest.mark.parametrize("text", FINE)
def test_what_only_a_host_knows_is_agreed_with(text: str) -> None:
    assert complaints(text) == []


def test_all_that_is_wrong_is_said_in_the_order_of_the_text() -> None:
    text = "begin { print($x); } tracepoint:a:b /comm/ { @x = 1; arg0; } end { @x = comm; nonsense(args.y); }"
    assert [code for code, _ in complaints(text)] == ["XT0202", "XT0207", "XT0208", "XT0213", "XT0203"]


def test_both_sides_of_has_are_typed_without_a_host() -> None:
    assert complaints("kprobe:f { if (has(args.x)) { print($a); } else { print($b); } }") == [
        ("XT0202", "$a"),
        ("XT0202", "$b"),
    ]


def test_a_named_event_tells_its_fields() -> None:
    def fields(event: str) -> dict[str, CType] | None:
        return {"path": String(64), "peer": Inet()} if event == "file.open" else None

    program = parse(Source("t", 'file.open /peer == "::1"/ { printf("%d", path); }'))
    found = check(program, Settings(parameters=None, event_fields=fields))
    assert [(one.code, one.span.text) for one in found if one.span] == [("XT0217", "path")]


def test_the_config_block() -> None:
    program = "config = {{ {} }} begin {{ }}"
    assert complaints(program.format("max_map_keys = 5; print_maps_on_exit = false")) == []
    assert complaints(program.format("max_map_kys = 5")) == [("XT0227", "max_map_kys")]
    assert complaints(program.format("max_strlen = 1000000")) == [("XT0227", "max_strlen")]
    assert complaints(program.format('aggregate = "kernel"; buffer_kb = 512')) == []
    assert complaints(program.format('aggregate = "there"')) == [("XT0227", "aggregate")]
    assert complaints(program.format("log_size = 5")) == [("XT0227", "log_size")]


WORDS = """
begin kprobe:f tracepoint:a:b { } ( ) / , ; = += ++ -- $x $y @x @y [ ] 1 -5 comm pid args . -> arg0 retval count hist
sum str printf "%d" "%s" print emit delete clear if else while for : .. && || ? + - * & ! == < has sizeof (uint8)
(struct sock *) let unroll exit nsecs kstack
"""
words = st.sampled_from(WORDS.split())


@settings(max_examples=300, deadline=None)
@given(st.lists(words, max_size=25))
def test_no_program_text_does_worse_than_complain(pieces: list[str]) -> None:
    try:
        program = parse(Source("t", "kprobe:f { " + " ".join(pieces) + " }"))
    except ProgramError:
        return
    check(program)


statements = st.sampled_from(
    [
        "$x = {e};", "@x = {e};", "@x[{e}] = {e};", "print({e});", "@x++;", "$x++;", "@y = count();", "@y = sum({e});",
        "if ({e}) {{ $x = {e}; }}", "emit(a = {e});", "printf(\"%d %s\", {e}, {e});", "delete(@x[{e}]);", "clear(@x);",
        "for ($i : 0..{e}) {{ @x = {e}; }}", "while ({e}) {{ break; }}", "let $x: uint8 = {e};",
        "unroll(2) {{ $x = {e}; }}",
    ]
)  # fmt: skip
expressions = st.sampled_from(
    [
        "1", "$x", "@x", "@x[1]", "comm", "pid", "arg0", "args.x", "str({e})", "({e} + {e})", "({e} && {e})", "(@x++)",
        "(uint8){e}", "({e}, {e})", "({e} ? {e} : {e})", "({e}).1", "*{e}", "-{e}", "!{e}", "((struct sock *){e})->a",
        "args.protocol", "args.saddr", "args.name", "nsecs", "kstack",
        "{e}[1]", "has({e})", "({e} == {e})", '"a"', "len(@x)", "bswap({e})", "ntop({e})",
        "buf({e}, {e})",
    ]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(statements, max_size=8), st.lists(expressions, min_size=1, max_size=60))
def test_no_program_does_worse_than_complain(shapes: list[str], parts: list[str]) -> None:
    text = " ".join(shapes)
    for part in parts:
        text = text.replace("{e}", part, 1)
    text = text.replace("{e}", "1").replace("{{", "{").replace("}}", "}")
    try:
        program = parse(Source("t", f"kprobe:f {{ {text} }}"))
    except ProgramError:
        return
    check(program)
    typer = Typer(program, SmallKernel())
    try:
        typer.type_clause(program.clauses[0], (KFREE_SKB if "args" in text else PLACES["kprobe"],))
        done = typer.program()
    except ProgramError:
        return
    assert list(unknown_parts(done)) == []


def unknown_parts(node: object) -> Iterator[object]:
    """What still has an unknown type in a finished program."""
    if isinstance(node, Unknown):
        yield node
    elif isinstance(node, tuple):
        for item in node:
            yield from unknown_parts(item)
    elif is_dataclass(node) and not isinstance(node, Span):
        for field in fields(node):
            yield from unknown_parts(getattr(node, field.name))
