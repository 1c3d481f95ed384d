"""What events must carry."""

from __future__ import annotations

from tests.unit.evaluate.programs import typed
from xtrace.core import ir
from xtrace.core.plan.capture import Capture, capture, separate
from xtrace.core.types import Int, Pointer, Space, Struct, Symbol


def of(text: str) -> Capture:
    return capture(typed(text).clauses[0])


def names(found: Capture) -> list[str]:
    return [_name(leaf) for leaf in found.leaves]


def _name(leaf: ir.Expr) -> str:
    if isinstance(leaf, ir.Builtin):
        return leaf.name
    if isinstance(leaf, ir.Arg):
        return f"arg{leaf.index}"
    if isinstance(leaf, ir.Field):
        return leaf.member.name
    if isinstance(leaf, ir.ReadString):
        return f"str({_name(leaf.address)})"
    return type(leaf).__name__


def test_leaves_come_once_in_the_order_of_first_use() -> None:
    found = of('kprobe:f /arg1 > 3 && comm == "x"/ { @a[comm, arg0] = count(); printf("%d %d", arg1, pid); }')
    assert names(found) == ["arg1", "comm", "arg0", "pid"]
    assert found.unliftable == ()


def test_what_comes_with_every_record_takes_no_slot() -> None:
    assert names(of('kprobe:f { printf("%d %d %d %d %d", nsecs, elapsed, cpu, rand, ncpus); }')) == []


def test_strings_are_read_when_the_event_happens() -> None:
    assert names(of("kprobe:f { @a[str(arg0)] = count(); @b[arg0] = 1; }")) == ["str(arg0)", "arg0"]


def test_a_variable_with_one_meaning_is_looked_through() -> None:
    found = of('kprobe:f { $p = arg0; $q = $p; printf("%s", str($q)); }')
    assert names(found) == ["arg0", "str(arg0)"]


def test_a_variable_that_branches_set_differently_cannot_be_an_address() -> None:
    found = of('kprobe:f { $p = arg0; if (arg1) { $p = arg2; } printf("%s", str($p)); }')
    assert len(found.unliftable) == 1
    assert isinstance(found.unliftable[0], ir.ReadString)


def test_a_variable_of_a_loop_cannot_be_an_address() -> None:
    found = of('kprobe:f { $p = arg0; $i = 0; while ($i < 3) { printf("%s", str($p)); $p = arg1; $i++; } }')
    assert len(found.unliftable) == 1


def test_both_arms_of_a_choice_are_read() -> None:
    found = of('kprobe:f { $p = arg2 ? arg0 : arg1; printf("%s", str($p)); }')
    assert names(found)[-2:] == ["str(arg0)", "str(arg1)"]
    assert found.unliftable == ()


def test_an_address_in_a_map_is_not_liftable() -> None:
    found = of('kretprobe:f { printf("%s", str(@name[tid])); } kprobe:f { @name[tid] = arg0; }')
    (read,) = found.unliftable
    assert isinstance(read, ir.ReadString) and read.span is not None and read.span.text.startswith("str(")


def test_user_symbols_take_the_process_along() -> None:
    found = of("kprobe:f { @a[usym(arg0)] = count(); }")
    assert names(found) == ["arg0", "pid"]
    (aggregate,) = found.clause.body
    assert isinstance(aggregate, ir.Aggregate)
    address = aggregate.keys[0]
    assert isinstance(address, ir.Address) and address.type == Symbol(True)
    assert isinstance(address.operand, ir.TupleValue)


def test_clauses_of_the_controller_capture_nothing() -> None:
    found = of('BEGIN { printf("%d %s", pid, comm); }')
    assert found.leaves == ()


def test_reads_through_reads_are_one_leaf() -> None:
    pointer = Pointer(Struct("sock"), Space.KERNEL)
    inner = ir.Load(ir.Arg(0), 8, pointer, Space.KERNEL)
    outer = ir.Load(inner, 16, Int(4), Space.KERNEL)
    clause = typed("kprobe:f { @a = arg0; }").clauses[0]
    found = capture(ir.Clause(clause.attach, outer, ()))
    assert found.leaves == (outer,)
    assert found.clause.predicate == ir.Captured(0, Int(4))


def test_mixed_clauses_are_separated() -> None:
    program = separate(typed("BEGIN, kprobe:f { @a = count(); }"))
    assert [[type(point).__name__ for point in clause.attach] for clause in program.clauses] == [["Begin"], ["Kprobe"]]
