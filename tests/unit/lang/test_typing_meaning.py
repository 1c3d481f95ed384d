"""What typing does before the run has the same meaning as the run: folding, order of evaluation, staging."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.lang.small_kernel import SmallKernel
from xtrace.core.attach import Begin
from xtrace.core.evaluate import Evaluator
from xtrace.core.lang.parser import parse
from xtrace.core.lang.source import Source
from xtrace.core.lang.typing import Typer
from xtrace.core.messages import Hit, Value

OPERATORS = ["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "<", "<=", ">", ">=", "==", "!=", "&&", "||"]
numbers = st.one_of(st.integers(-9, 9), st.integers(-(1 << 63), (1 << 64) - 1))
leaves = st.one_of(
    numbers.map(lambda n: f"({n})"),
    st.tuples(st.sampled_from(["int8", "uint8", "int32", "uint32", "uint64", "int64"]), numbers).map(
        lambda pair: f"(({pair[0]})({pair[1]}))"
    ),
)


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(st.sampled_from(["!", "~", "- "]), inner).map(lambda t: f"({t[0]}{t[1]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} ? {t[1]} : {t[2]})"),
        st.tuples(st.sampled_from(["uint8", "int16", "uint64"]), inner).map(lambda t: f"(({t[0]}){t[1]})"),
    )


expressions = st.recursive(leaves, combined, max_leaves=6)


def printed(text: str) -> list[tuple[Value, ...]]:
    """The values that a program with one `begin` clause hands to its output sites."""
    program = parse(Source("t", f"begin {{ {text} }}"))
    typer = Typer(program, SmallKernel())
    typer.type_clause(program.clauses[0], (Begin(),))
    evaluator = Evaluator(typer.program())
    evaluator.begin()
    return [message.values for message in evaluator.take() if isinstance(message, Hit)]


def spread(text: str) -> str:
    """The same computation with every literal behind a variable, so that nothing can be folded."""
    statements: list[str] = []

    def variable(literal: re.Match[str]) -> str:
        name = f"$v{'abcdefghijklmnopqrstuvwxyz'[len(statements)]}"
        statements.append(f"{name} = {literal.group()};")
        return name

    spread_out = re.sub(r"\b\d+", variable, text)
    return " ".join(statements) + f" print({spread_out});"


@settings(max_examples=400, deadline=None)
@given(expressions)
def test_folding_computes_what_the_run_would(text: str) -> None:
    assert printed(f"print({text});") == printed(spread(text))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("$x = 1; print(($x++, $x++, $x));", [((1, 2, 3),)]),
        ("$x = 1; print(($x, $x++, ++$x));", [((1, 1, 3),)]),
        ("@x = 5; $y = @x + @x++ + @x; print($y);", [(16,)]),
        ("@x = 0; if (0 == 1 && @x++) { } if (@x == 0 || @x++) { } print((uint64)@x);", [(0,)]),
        ("$i = 0; while ($i++ < 3) { @n += $i; } print($i); print((int64)@n);", [(4,), (6,)]),
        ("for ($i : 2..5) { if ($i == 3) { continue; } print($i); $i = 100; }", [(2,), (4,)]),
        ("unroll(2) { $a = 1; $a++; print($a); }", [(2,), (2,)]),
        ("$c = 1; $y = $c ? @a++ : @b++; @a += 0; @b += 0; print((int64)@a); print((int64)@b);", [(1,), (0,)]),
        (
            "print(bswap((uint32)0x01020304)); $v = (uint32)0x01020304; print(bswap($v));",
            [(0x04030201,), (0x04030201,)],
        ),
        ("$v = 0x0102030405060708; print(bswap($v));", [(0x0807060504030201,)]),
        ("if (1) { $z = 3; } print($z); $k = 0; if ($k) { $w = 1; } print($w);", [(3,), (0,)]),
        ('print(strncmp("abc", "abd", 2)); $s = "abd"; print(strncmp($s, "abc", 2) ? 1 : 0);', [(0,), (0,)]),
        ("print((1, (2, 3)).1.0); $t = (1, (2, 3)); print($t.1.1);", [(2,), (3,)]),
        ("@m[(1, 2)] = 7; print(@m[1, 2] + 0); $k = (1, 2); print(@m[$k] + 0);", [(7,), (7,)]),
        ("exit(); print(1);", []),
    ],
)
def test_order_and_staging(text: str, values: list[tuple[Value, ...]]) -> None:
    assert printed(text) == values
