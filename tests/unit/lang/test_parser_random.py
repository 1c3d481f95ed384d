"""Programs made at random: what is printed is read back the same, and no text brings the parser down."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.lang import printing
from xtrace.core.errors import ProgramError
from xtrace.core.lang import ast
from xtrace.core.lang.parser import parse, parse_attach_point, parse_expression
from xtrace.core.lang.source import Source, Span

NOWHERE = Span(Source("", ""), 0, 0)
_WORDS = ("pid", "comm", "args", "foo", "x1", "retval")
_BINARY = ("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "<", "<=", ">", ">=", "==", "!=", "&&", "||")

names = st.sampled_from(_WORDS).map(lambda name: ast.Name(name, NOWHERE))
scalars = st.sampled_from(_WORDS).map(lambda name: ast.Scalar(name, NOWHERE))
types = st.builds(
    ast.TypeName,
    st.sampled_from(("uint64", "int8", "struct sock", "enum x", "unsigned long", "size_t")),
    st.integers(0, 2),
    st.just(NOWHERE),
    st.none() | st.integers(0, 9),
).filter(lambda one: not (one.pointers and one.count is not None))
leaves = st.one_of(
    st.integers(0, (1 << 64) - 1).map(lambda value: ast.Number(value, NOWHERE)),
    st.text(max_size=8).map(lambda value: ast.Text(value, NOWHERE)),
    st.binary(max_size=4).map(lambda value: ast.Text(value.decode("utf-8", "surrogateescape"), NOWHERE)),
    st.booleans().map(lambda value: ast.Boolean(value, NOWHERE)),
    st.integers(0, 9).map(lambda index: ast.Positional(index, NOWHERE)),
    names,
    scalars,
)


def _keys(items: list[ast.Expr]) -> bool:
    """Whether items can be the keys of a map: one literal tuple is read as several keys."""
    return not (len(items) == 1 and isinstance(items[0], ast.TupleExpr))


def _larger(inner: st.SearchStrategy[ast.Expr]) -> st.SearchStrategy[ast.Expr]:
    few = st.lists(inner, max_size=3)
    maps = st.builds(ast.MapRef, st.sampled_from(("", "m")), few.filter(_keys).map(tuple), st.just(NOWHERE))
    named = st.builds(ast.Labelled, st.sampled_from(_WORDS), inner, st.just(NOWHERE))
    members = st.sampled_from((*_WORDS, "0", "for"))
    no_number = inner.filter(lambda node: not isinstance(node, ast.Number))
    at = st.just(NOWHERE)
    return st.one_of(
        maps,
        st.builds(ast.Unary, st.sampled_from(tuple("!~-+*&")), inner, at),
        st.builds(ast.Step, st.one_of(scalars, maps), st.sampled_from((1, -1)), st.booleans(), at),
        st.builds(ast.Binary, st.sampled_from(_BINARY), inner, inner, at),
        st.builds(ast.Ternary, inner, inner, inner, at),
        st.builds(ast.Call, st.sampled_from(("count", "printf", "str")), few.map(tuple), at),
        st.builds(ast.Call, st.just("emit"), st.lists(st.one_of(inner, named), max_size=3).map(tuple), at),
        st.builds(ast.Member, no_number, members, st.booleans(), at),
        st.builds(ast.Index, inner, inner, at),
        st.builds(ast.Cast, types, inner, at),
        st.builds(ast.SizeOf, st.one_of(types, inner), at),
        st.builds(ast.OffsetOf, types, st.lists(members, min_size=1, max_size=2).map(tuple), at).filter(_member_names),
        st.builds(ast.TupleExpr, few.map(tuple), at),
        st.builds(ast.Has, inner, at),
    )


def _member_names(node: ast.OffsetOf) -> bool:
    return "0" not in node.members


expressions = st.recursive(leaves, _larger, max_leaves=12)
maps = st.builds(ast.MapRef, st.just("m"), st.lists(names, max_size=2).map(tuple), st.just(NOWHERE))
targets = st.one_of(scalars, maps)


def _blocks(inner: st.SearchStrategy[ast.Stmt]) -> st.SearchStrategy[ast.Stmt]:
    body = st.lists(inner, max_size=2).map(tuple)
    over = st.one_of(maps, st.tuples(names, names))
    at = st.just(NOWHERE)
    return st.one_of(
        st.builds(ast.If, expressions, body, body, at),
        st.builds(ast.Unroll, expressions, body, at),
        st.builds(ast.While, expressions, body, at),
        st.builds(ast.For, scalars, over, body, at),
        st.builds(ast.Block, body, at),
    )


simple = st.one_of(
    st.builds(ast.Do, expressions, st.just(NOWHERE)),
    st.builds(ast.Assign, targets, st.sampled_from(("", "+", ">>", "/")), expressions, st.just(NOWHERE)),
    st.builds(ast.Declare, scalars, st.none() | types, st.none() | expressions, st.just(NOWHERE)),
    st.builds(ast.Jump, st.sampled_from(("break", "continue", "return")), st.just(NOWHERE)),
)
statements = st.recursive(simple, _blocks, max_leaves=5)
clauses = st.builds(
    ast.Clause,
    st.just((ast.AttachPoint("kprobe", ("f",), NOWHERE), ast.AttachPoint("event", ("a.b",), NOWHERE))),
    st.none() | expressions,
    st.lists(statements, max_size=4).map(tuple),
    st.just(NOWHERE),
)


@given(expressions)
def test_expressions_are_read_back(node: ast.Expr) -> None:
    assert parse_expression(Source("-e", printing.expr(node))) == node


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@given(st.lists(clauses, min_size=1, max_size=3))
def test_programs_are_read_back(nodes: list[ast.Clause]) -> None:
    text = "\n".join(map(printing.clause, nodes))
    assert parse(Source("-e", text)).clauses == tuple(nodes)


_PIECES = (
    "kprobe:f", "uprobe:/bin/sh:x", "interval:s:1", "/", "{", "}", "(", ")", "[", "]", ";", ",", "if", "else", "for",
    "while", "unroll", "let", "return", "@x", "$x", "$1", "$#", "@", '"a"', '"', "'", "\\", "/*", "*/", "//", "\n", "#",
    "#define X 1\n", "struct", "macro m(x) {", "m(", "x", "config", "=", "==", "++", "--", ".", "->", "..", "?", ":",
    "(uint64)", "1", "(struct x *)", "1e6", "5ms", "sizeof", "has", "emit", "delete", "!", "~", "*", "&", "-", "“",
    "\0", " ",
)  # fmt: skip


@settings(max_examples=400)
@given(st.one_of(st.text(max_size=200), st.lists(st.sampled_from(_PIECES), max_size=80).map("".join)))
def test_no_text_brings_the_parser_down(text: str) -> None:
    for read in (parse, parse_expression, parse_attach_point):
        try:
            read(Source("-e", text))
        except ProgramError as error:
            starts = [found.span.start for found in error.diagnostics if found.span]
            assert len(starts) == len(error.diagnostics) > 0
            assert starts == sorted(starts)
            assert all(found.text() for found in error.diagnostics)


def test_what_is_deep_or_long_ends_in_complaints() -> None:
    deep = ("(", "{", "BEGIN{if(1){", "a(", "@x[", "1?", "struct x {", "/*", '"', "kprobe:f(", "#", "\\", "}", "$", "*")
    for piece in deep:
        for start in ("", "BEGIN { $x = "):
            with contextlib.suppress(ProgramError):
                parse(Source("-e", start + piece * 3000))
