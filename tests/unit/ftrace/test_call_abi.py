"""The ABI of system calls as a column of events, and in the kernel's tables, which do not know it."""

from __future__ import annotations

from tests.unit.ftrace.hosts import MODERN, emitting, features, field, tracepoint
from tests.unit.ftrace.test_kernel_maps import HITS, triggers
from xtrace.backends.ftrace.counting import Parts, RawKey, add_rows
from xtrace.backends.ftrace.hist import TableRow
from xtrace.backends.ftrace.lower import lower
from xtrace.backends.ftrace.model import FtraceModel, Source
from xtrace.core import ir
from xtrace.core.evaluate.evaluator import Evaluator
from xtrace.core.syscall_abi import SHIFT, UNKNOWN, split
from xtrace.core.types import Count, Enumerated, Int

POINT = tracepoint("raw_syscalls:sys_enter")
NAMED = Enumerated("syscall", 8, True)
ID = field(POINT, "id")
ABI = ir.Builtin("syscall_abi", Int(1, False))
MARKED = ir.Binary("+", ID, ir.Binary("<<", ABI, ir.Const(SHIFT), True, Int()), True, Int())


def model(key: ir.Expr, aggregate: str = "auto") -> FtraceModel:
    clause = ir.Clause((POINT,), None, (ir.Aggregate("m", (ir.Address(key, NAMED),), None),))
    made = emitting(clause, maps=(ir.MapDecl("m", (NAMED,), Count()),))
    config = ir.Config(aggregate=aggregate)
    return lower(ir.Program(made.clauses, made.maps, made.sites, made.scope, config), features(MODERN))


def test_the_abi_is_a_column_and_forks_and_execs_are_recorded_for_it() -> None:
    made = model(MARKED)
    (event,) = made.events
    assert [column.source for column in event.columns] == [Source.FIELD, Source.SYSCALL_ABI]
    assert made.recording.identity == ("task:task_newtask", "sched:sched_process_exec")
    assert not triggers(made)
    assert made.offers_kernel
    assert "do not tell the ABI of system calls" in made.notes[0]


def test_a_number_of_the_only_abi_is_counted_in_the_kernel() -> None:
    assert triggers(model(ID)) == [HITS.format("id", 4096)]


def test_on_request_the_kernel_counts_numbers_whose_abi_is_not_known() -> None:
    made = model(MARKED, "kernel")
    assert triggers(made) == [HITS.format("id", 4096)]
    assert made.recording.identity == ()
    assert "names of both" in made.degradations[0]
    (table,) = made.hists
    totals: dict[RawKey, Parts] = {}
    add_rows(totals, table, Evaluator(made.program).store("m"), [TableRow({"id": 20}, 23, 23)])
    ((key,),) = totals
    assert isinstance(key, int)
    assert split(key) == (20, UNKNOWN)
