"""What the backend writes: the whole script as a file to read, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.systemtap.programs import INT, one, read_latency
from xtrace.backends.systemtap import modules
from xtrace.backends.systemtap.backend import SystemTapBackend
from xtrace.backends.systemtap.expressions import Context, expression, truth
from xtrace.backends.systemtap.lower import clause_objections, lower, objections
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.plan.model import Plan

GOLDEN = Path(__file__).parents[2] / "golden" / "systemtap"


def script(program: ir.Program) -> str:
    plan = Plan("systemtap", program, detail=lower(program, "x86_64"))
    artifact = SystemTapBackend().render(plan)
    return artifact.files[artifact.main]


def test_the_script_of_a_latency_program(update_golden: bool) -> None:
    golden = GOLDEN / "read_latency.stp"
    text = script(read_latency())
    if update_golden:
        golden.write_text(text)
    assert text == golden.read_text()


def test_the_script_does_not_depend_on_the_process_it_traces() -> None:
    program = read_latency()
    other = ir.Program(program.clauses, program.maps, program.sites, ir.Scope(pid=77, follow=True))
    assert modules.digest(script(program)) == modules.digest(script(other))


SAFE = Context(maps={})


@pytest.mark.parametrize(
    ("e", "text"),
    [
        (ir.Binary("/", ir.Const(7), ir.Const(0), True, INT), "xt_div(7, 0)"),
        (ir.Binary("/", ir.Const(7), ir.Const(2), False, INT), "xt_udiv(7, 2)"),
        (ir.Binary("<", ir.Const(1), ir.Const(2), False, t.Bool()), "((xt_ult(1, 2)) ? 1 : 0)"),
        (ir.Unary("!", ir.Arg(0), t.Bool()), "((!(ulong_arg(1) != 0)) ? 1 : 0)"),
        (ir.Convert(ir.Arg(0), t.Bool()), "((ulong_arg(1) != 0) ? 1 : 0)"),
        (ir.Binary(">>", ir.Const(1), ir.Const(65), True, INT), "(1 >> (65 & 63))"),
        (ir.Const(-(2**63)), "xt_least()"),
        (ir.Convert(ir.Arg(0), t.Int(1, True)), "xt_extend(ulong_arg(1), 56)"),
        (ir.Convert(ir.Arg(0), t.Int(4, False)), "(ulong_arg(1) & 4294967295)"),
        (ir.Load(ir.Arg(0), 12, t.Int(2, False), t.Space.KERNEL), "(xt_kernel_short((ulong_arg(1) + 12)) & 65535)"),
        (ir.ReadString(ir.Arg(1), t.Space.USER, t.String(64)), "xt_user_string(ulong_arg(2), 63)"),
        (ir.Text('a"\n'), '"a\\"\\n"'),
    ],
)
def test_expressions(e: ir.Expr, text: str) -> None:
    assert expression(e, SAFE) == text


@pytest.mark.parametrize(
    ("e", "text"),
    [
        (ir.Binary("*", ir.Arg(0), ir.Arg(1), True, INT), "((ulong_arg(1) * ulong_arg(2)) != 0)"),
        (ir.Binary("<", ir.Arg(0), ir.Const(2), True, t.Bool()), "(ulong_arg(1) < 2)"),
        (ir.Logical("&&", ir.Arg(0), ir.Const(1)), "((ulong_arg(1) != 0) && (1 != 0))"),
    ],
)
def test_numbers_are_compared_with_0_where_truth_is_asked(e: ir.Expr, text: str) -> None:
    """gcc refuses products and shifts as conditions in a kernel module."""
    assert truth(e, SAFE) == text


def test_a_bit_field_is_shifted_and_masked() -> None:
    load = ir.Load(ir.Arg(0), 0, t.Int(4, False), t.Space.KERNEL, bit_offset=3, bit_size=5)
    assert expression(load, SAFE) == "(((xt_kernel_int(ulong_arg(1))) >> 3) & 31)"


def field(name: str) -> ir.Field:
    return ir.Field(t.Member(name, INT, 8, 8), INT)


def test_a_field_without_translation_is_refused_with_its_name() -> None:
    clause = one(at.Tracepoint("tracepoint:a:b", "a", "b"), ir.Output(0, (field("odd"),)))
    (objection,) = clause_objections(clause, "x86_64")
    assert objection.code == "XT0901"
    assert "odd" in objection.message


def test_a_syscall_event_becomes_the_raw_one_with_the_calls_number() -> None:
    fields = (t.Member("__syscall_nr", INT, 8, 4), t.Member("dfd", INT, 16, 8), t.Member("filename", INT, 24, 8))
    where = at.Tracepoint("tracepoint:syscalls:sys_enter_openat", "syscalls", "sys_enter_openat", fields)
    program = ir.Program((one(where, ir.Output(0, (field("filename"),))),), (), (ir.Printf("%d\n", (INT,)),))
    text = script(program)
    assert 'probe kernel.trace("raw_syscalls:sys_enter")' in text
    assert "if (!($id == 257 && !xt_syscall_abi())) next" in text
    assert "o0 = $regs->si" in text


def test_an_offset_in_a_function_is_refused() -> None:
    clause = one(at.Kprobe("kprobe:f+4", "f", "f", offset=4))
    (objection,) = clause_objections(clause, "x86_64")
    assert objection.code == "XT0902"


def test_a_tuple_as_a_value_is_refused_and_as_a_key_spread_out() -> None:
    pair = ir.TupleValue((ir.Const(1), ir.Const(2)), t.Tuple((INT, INT)))
    begin = at.Begin()
    keyed = ir.Program((one(begin, ir.SetMap("m", (pair,), ir.Const(3))),), (ir.MapDecl("m", (pair.type,), INT),), ())
    assert objections(keyed, "x86_64") == ()
    assert "m_m[1, 2] = t0" in script(keyed)
    valued = ir.Program((one(begin, ir.SetMap("m", (), pair)),), (ir.MapDecl("m", (), pair.type),), ())
    assert [d.code for d in objections(valued, "x86_64")] == ["XT0901"]


def test_clauses_of_the_begin_run_in_source_order() -> None:
    """SystemTap sorts probes of one sequence number as it likes."""
    clauses = tuple(ir.Clause((at.Begin(), at.End()), None, (ir.SetVar("x", ir.Const(n)),)) for n in range(3))
    points = [probe.point for probe in lower(ir.Program(clauses, (), ()), "x86_64").probes]
    assert points == ["begin(10)", "end(10)", "begin(11)", "end(11)", "begin(12)", "end(12)"]
