"""Clauses of named events: names that stand for the expressions of one source, tried one source at a time."""

from __future__ import annotations

import pytest

from tests.unit.lang.small_kernel import (
    KFREE_SKB,
    PLACES,
    VFS_READ,
    SmallKernel,
    body,
    parsed_expression,
    refusals,
    typed,
)
from xtrace.core import ir
from xtrace.core.errors import ProgramError
from xtrace.core.lang.parser import parse
from xtrace.core.lang.source import Source
from xtrace.core.lang.typing import EventSource, Typer
from xtrace.core.types import Bool, Enumerated, Int, Pointer, Space, Struct, Void

SKB = EventSource(
    "tcp.drop",
    fields={
        "dport": parsed_expression("bswap(sk->__sk_common.skc_dport)"),
        "reason": parsed_expression("args.reason"),
        "state": None,
    },
    lets={
        "address": parsed_expression("(uint64)args.skbaddr"),
        "sk": parsed_expression("(struct sock *)address"),
    },
    where=parsed_expression("args.protocol == ETH_P_IP"),
)


def test_fields_stand_for_expressions() -> None:
    clause = typed("tcp.drop /reason != 2/ { emit(dport, reason); }", KFREE_SKB, source=SKB).clauses[0]
    fields = {field.name: field for field in KFREE_SKB.fields}
    where = ir.Binary("==", ir.Field(fields["protocol"], Int(2, False)), ir.Const(0x800), True, Bool())
    assert isinstance(clause.predicate, ir.Logical)
    assert clause.predicate.left == where
    output = clause.body[0]
    assert isinstance(output, ir.Output)
    assert output.args[1] == ir.Field(fields["reason"], Enumerated("skb_drop_reason"))


def test_an_absent_field_is_nothing_in_outputs() -> None:
    program = typed(
        'tcp.drop { emit(state); print(state); printf("%s", state); $s = state; emit($s); }', KFREE_SKB, source=SKB
    )
    outputs = [one for one in program.clauses[0].body if isinstance(one, ir.Output)]
    assert [one.args for one in outputs] == [(ir.Const(0, Void()),)] * 4


@pytest.mark.parametrize(
    "use", ["@x[state] = 1;", "@x = state;", "$x = state + 1;", "if (state) { }", "@x = sum(state);"]
)
def test_an_absent_field_is_no_value(use: str) -> None:
    assert refusals(f"tcp.drop {{ {use} }}", KFREE_SKB, source=SKB)["XT0219"].startswith("state")
    assert refusals("tcp.drop /state == 1/ { }", KFREE_SKB, source=SKB) == {"XT0219": "state"}


def test_has_tells_whether_the_source_has_a_field() -> None:
    text = "tcp.drop { if (has(state)) { @x = state; } if (has(reason)) { @y++; } }"
    assert typed(text, KFREE_SKB, source=SKB).clauses[0].body == (ir.AddMap("y", (), ir.Const(1)),)


@pytest.mark.parametrize("name", ["sk", "address"])
def test_lets_are_not_seen_by_the_program(name: str) -> None:
    assert refusals(f"tcp.drop {{ print({name}); }}", KFREE_SKB, source=SKB) == {"XT0201": name}


@pytest.mark.parametrize("text", ["arg0", "args.reason", "retval"])
def test_what_differs_between_sources_is_not_for_the_program(text: str) -> None:
    assert refusals(f"tcp.drop {{ print({text}); }}", KFREE_SKB, source=SKB) == {"XT0208": text}


def test_a_prototype_names_the_arguments() -> None:
    source = EventSource("file.read", {"count": parsed_expression("count")}, {"file": parsed_expression("file")})
    clause = typed("file.read { print(count); }", VFS_READ, source=source).clauses[0]
    assert isinstance(clause.body[0], ir.Output)
    assert clause.body[0].args == (ir.Convert(ir.Arg(2), Int(4, False)),)


def test_a_let_may_have_the_name_of_what_it_is_made_of() -> None:
    source = EventSource(
        "file.read", {"flags": parsed_expression("file->sk_flags")}, {"file": parsed_expression("(struct sock *)file")}
    )
    clause = typed("file.read { print(flags); }", VFS_READ, source=source).clauses[0]
    assert isinstance(clause.body[0], ir.Output)
    load = clause.body[0].args[0]
    assert isinstance(load, ir.Load)
    assert (load.base, load.space) == (ir.Arg(0, Pointer(Struct("sock", 760))), Space.KERNEL)


def test_a_trial_leaves_no_trace() -> None:
    program = parse(Source("t", 'begin { @x = 1; print(@x); } begin { @x = comm; @y = 1; printf("y"); }'))
    typer = Typer(program, SmallKernel())
    first, second = program.clauses
    with typer.trial():
        typer.type_clause(second, (PLACES["begin"],))
    with typer.trial() as trial:
        typer.type_clause(first, (PLACES["begin"],))
        trial.keep()
    with typer.trial(), pytest.raises(ProgramError):
        typer.type_clause(second, (PLACES["begin"],))
    done = typer.program()
    assert [decl.name for decl in done.maps] == ["x"]
    assert (len(done.clauses), len(done.sites)) == (1, 1)


def test_a_refused_clause_leaves_no_trace() -> None:
    program = parse(Source("t", "begin { @y = 1; nonsense(); }"))
    typer = Typer(program, SmallKernel())
    with pytest.raises(ProgramError):
        typer.type_clause(program.clauses[0], (PLACES["begin"],))
    assert typer.program() == ir.Program((), (), ())


def test_questions_about_the_host() -> None:
    typer = Typer(parse(Source("t", "begin { }")), SmallKernel())
    assert typer.constant(parsed_expression("has(args.reason)"), (KFREE_SKB,), SKB) == 1
    assert typer.constant(parsed_expression("has(args.nothing)"), (KFREE_SKB,), SKB) == 0
    assert typer.constant(parsed_expression("has(args.reason) && TCP_CLOSE == 7"), (KFREE_SKB,), SKB) == 1
    with pytest.raises(ProgramError):
        typer.constant(parsed_expression("args.protocol"), (KFREE_SKB,), SKB)


def test_has_asks_for_types_too() -> None:
    assert body("if (has(struct sock)) { print(1); }")[0] == body("print(1);")[0]
    assert body("if (has(struct nosuch)) { print(1); }") == ()
