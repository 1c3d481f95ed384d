"""What maps hold is inferred over the whole program; conflicts name both places."""

from __future__ import annotations

import pytest

from tests.unit.lang.small_kernel import OPENAT, body, complaints, refusals, typed
from xtrace.core import ir
from xtrace.core.errors import ProgramError
from xtrace.core.types import (
    Avg,
    Bool,
    Count,
    Hist,
    Int,
    LinearHist,
    Max,
    Pointer,
    Space,
    Stack,
    Stats,
    String,
    Sum,
    Tuple,
    ValueType,
)


def value_type(text: str) -> ValueType:
    return typed(f"kprobe:f {{ {text} }}").map("x").value


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("@x = 1;", Int(8, True)),
        ("@x = pid;", Int(8, True)),
        ("@x = nsecs;", Int(8, False)),
        ("@x = 0; @x = nsecs;", Int(8, False)),
        ("@x = comm;", String(16)),
        ('@x = "a"; @x = comm;', String(16)),
        ("@x = pid == 1;", Bool()),
        ("@x = kstack;", Stack(False)),
        ("@x = (1, comm);", Tuple((Int(), String(16)))),
        ("@x = count();", Count()),
        ("@x = sum(nsecs);", Sum(False)),
        ("@x = max(arg0);", Max(True)),
        ("@x = max(arg0); @x = max(nsecs);", Max(False)),
        ("@x = avg(pid);", Avg(True)),
        ("@x = stats(arg0);", Stats(True)),
        ("@x = hist(arg0);", Hist(0)),
        ("@x = hist(arg0, 3);", Hist(3)),
        ("@x = lhist(arg0, 0, 100, 10);", LinearHist(0, 100, 10)),
        ("@x++;", Int(8, True)),
        ("@x += nsecs;", Int(8, False)),
    ],
)
def test_values(text: str, type_: ValueType) -> None:
    assert value_type(text) == type_


def test_a_map_may_be_read_before_the_clause_that_writes_it() -> None:
    program = typed(
        'kretprobe:f { printf("%s %d", str(@name[tid]), @start[tid]); } '
        "kprobe:f { @name[tid] = args.filename; @start[tid] = nsecs; }",
        typed("kretprobe:f { }").clauses[0].attach[0],
        OPENAT,
    )
    read, started = program.clauses[0].body[0].args  # type: ignore[union-attr]
    assert isinstance(read, ir.ReadString)
    assert read.space is Space.USER
    assert started.type == Int(8, False)
    assert program.map("name").value == Pointer(Int(1, True), Space.USER)


def test_keys() -> None:
    assert typed("kprobe:f { @x[pid, comm] = 1; }").map("x").keys == (Int(8), String(16))
    assert typed("kprobe:f { @x[(pid, comm)] = 1; }").map("x").keys == (Int(8), String(16))
    assert typed("kprobe:f { @x = 1; }").map("x").keys == ()
    assert typed('kprobe:f { @x["a"] = 1; @x[comm] = 2; }').map("x").keys == (String(16),)


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("@x[1] = 1; @x[comm] = 1;", "XT0214", "@x[comm]"),
        ("@x[1] = 1; @x[1, 2] = 1;", "XT0214", "@x[1, 2]"),
        ("@x = 1; @x[1] = 1;", "XT0214", "@x[1]"),
        ("@x = 1; @x = comm;", "XT0213", "@x = comm"),
        ("@x = count(); @x = 1;", "XT0215", "@x = 1"),
        ("@x = count(); @x++;", "XT0215", "@x++"),
        ("@x = count(); @x = sum(1);", "XT0215", "sum(1)"),
        ("@x = hist(1); @x = hist(1, 2);", "XT0215", "hist(1, 2)"),
        ("@x = hist(1); print(@x + 1);", "XT0215", "@x"),
        ("@x += count();", "XT0215", "@x += count()"),
        ("@x = 1 + count();", "XT0215", "count()"),
        ("$x = count();", "XT0215", "$x = count()"),
        ("@x = lhist(1, 5, 5, 1);", "XT0205", "lhist(1, 5, 5, 1)"),
        ("@x = lhist(1, 0, 10000, 1);", "XT0205", "lhist(1, 0, 10000, 1)"),
        ("@x = lhist(1, 0, pid, 1);", "XT0223", "pid"),
        ("@x = hist(1, 6);", "XT0205", "6"),
        ("@x = sum(comm);", "XT0205", "comm"),
        ("@x = sum();", "XT0204", "sum()"),
        ("@x = comm; @x += 1;", "XT0206", "@x"),
    ],
)
def test_conflicts(text: str, code: str, place: str) -> None:
    assert refusals(f"kprobe:f {{ {text} }}") == {code: place}


def test_a_conflict_names_the_other_place() -> None:
    with pytest.raises(ProgramError) as caught:
        typed("kprobe:f {\n @x = count();\n @x = 1;\n}")
    assert caught.value.diagnostics[0].hints == ("it gets that at test.bt:2:7: count()",)


def test_a_map_that_nothing_assigns() -> None:
    assert refusals("kprobe:f { print(@x); }") == {"XT0216": "@x"}
    assert complaints("kprobe:f { print(@x); }") == [("XT0216", "@x")]


def test_a_map_that_only_a_dead_branch_assigns_is_empty() -> None:
    assert typed("kprobe:f { if (0) { @x = comm; } print(@x); }").map("x").value == Int(8)


def test_a_map_that_only_sums_with_itself_assign_holds_integers() -> None:
    for text in ("@x = @x + 1;", "@x = @x * 31 + arg0;", "@x[tid] = 1 - @x[tid];"):
        assert not refusals(f"kprobe:f {{ {text} }}")


def test_a_map_whose_type_nothing_tells() -> None:
    assert set(refusals("kprobe:f { @x = @y; @y = @x; }")) == {"XT0234"}
    assert set(refusals("kprobe:f { @x = (@x, 1); }")) == {"XT0234"}


def test_counting_is_an_addition() -> None:
    assert body("@x[pid]++;") == (ir.AddMap("x", (ir.Builtin("pid", Int(4, False)),), ir.Const(1)),)
    assert body("@x--;") == (ir.AddMap("x", (), ir.Const(-1)),)
    assert body("@x -= 5;") == (ir.AddMap("x", (), ir.Const(-5)),)
    assert body("@x = 1; @x *= 5;")[1] == ir.SetMap(
        "x", (), ir.Binary("*", ir.MapValue("x", (), Int()), ir.Const(5), True, Int())
    )


def test_aggregations_are_numbers_when_read() -> None:
    condition = body("@x = count(); if (@x > 5) { exit(); }")[1]
    assert isinstance(condition, ir.If)
    assert condition.condition == ir.Binary(">", ir.MapValue("x", (), Int()), ir.Const(5), True, Bool())


def test_deleting_and_asking() -> None:
    program = typed(
        "kprobe:f { @x[1, 2] = 3; delete(@x[1, 2]); delete(@x, (1, 2)); print(has_key(@x, (1, 2))); len(@x); }"
    )
    keys = (ir.Const(1), ir.Const(2))
    _, first, second, asked = program.clauses[0].body
    assert first == second == ir.DeleteKey("x", keys)
    assert isinstance(asked, ir.Output)
    assert asked.args == (ir.MapHasKey("x", keys),)


def test_delete_without_a_key_is_for_maps_without_keys() -> None:
    assert body("delete(@x); @x = 1;")[0] == ir.DeleteKey("x", ())
    assert refusals("kprobe:f { delete(@x); @x[1] = 1; }") == {"XT0214": "@x"}


def test_iterating_gives_key_and_value() -> None:
    loop = body("@x[pid, comm] = 5; for ($kv : @x) { print($kv.0.1); print($kv.1); }")[1]
    assert isinstance(loop, ir.ForEach)
    pair = ir.Var("kv", Tuple((Tuple((Int(), String(16))), Int())))
    first, second = loop.body
    assert isinstance(first, ir.Output)
    assert isinstance(second, ir.Output)
    assert first.args == (ir.TupleItem(ir.TupleItem(pair, 0, Tuple((Int(), String(16)))), 1, String(16)),)
    assert second.args == (ir.TupleItem(pair, 1, Int()),)


@pytest.mark.parametrize("value", ['sum("s")', "lhist(1, 10, 0, 1)", "hist(1, 9)", "nonsense()"])
def test_a_wrong_value_is_complained_about_once(value: str) -> None:
    assert len(complaints(f"begin {{ @x = {value}; print(@x); }}")) == 1
    assert [code for code, _ in complaints('begin { @x += "a"; }')] == ["XT0206"]
