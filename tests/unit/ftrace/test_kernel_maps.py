"""Which maps the kernel keeps, by which triggers, and why others stay in user space."""

from __future__ import annotations

import pytest

from tests.unit.ftrace.hosts import MODERN, emitting, features, field, tracepoint
from xtrace.backends.ftrace.lower import lower
from xtrace.backends.ftrace.model import Action, FtraceModel
from xtrace.core import ir
from xtrace.core.types import Aggregation, Avg, Count, CType, Hist, Int, LinearHist, Min, Stack, String, Sum

POINT = tracepoint("raw_syscalls:sys_enter")
ID = field(POINT, "id")
COMM = ir.Builtin("comm", String(16))
TID = ir.Builtin("tid", Int(4, False))
PID = ir.Builtin("pid", Int(4, False))
STACK = ir.Builtin("kstack", Stack(False))
FIVE = ir.Binary("==", ID, ir.Const(5), True, Int())
ODD = ir.Binary("==", ir.Binary("%", ID, ir.Const(2), True, Int()), ir.Const(1), True, Int())
NAMED = ir.Compare("==", COMM, ir.Text("x"))
HITS = "hist:keys={}:vals=hitcount:size={}"


def model(
    *keys: ir.Expr,
    kind: Aggregation | CType | None = None,
    value: ir.Expr | None = None,
    body: tuple[ir.Stmt, ...] = (),
    test: ir.Expr | None = None,
    readme: str = "",
    aggregate: str = "auto",
    scope: ir.Scope | None = None,
    hist: bool = True,
    probes: bool = False,
) -> FtraceModel:
    decl = ir.MapDecl("m", tuple(key.type for key in keys), kind or Count())
    clause = ir.Clause((POINT,), test, body or (ir.Aggregate("m", keys, value),))
    program = emitting(clause, maps=(decl,), scope=scope)
    program = ir.Program(program.clauses, program.maps, program.sites, program.scope, ir.Config(aggregate=aggregate))
    return lower(
        program,
        features({**MODERN, "tracefs.readme": readme, "tracefs.hist_triggers": hist, "tracefs.eprobes": probes}),
    )


def triggers(made: FtraceModel) -> list[str]:
    return [text for text in ("".join(map(str, step.data)) for step in made.steps) if text.startswith("hist:")]


def test_counts_sums_and_averages_become_triggers() -> None:
    assert triggers(model()) == [HITS.format("common_type", 128)]
    assert triggers(model(ID, TID)) == [HITS.format("id,common_pid", 4096)]
    assert triggers(model(TID, kind=Sum(), value=ID)) == ["hist:keys=common_pid:vals=id:size=4096"]
    assert triggers(model(TID, kind=Avg(), value=ID)) == ["hist:keys=common_pid:vals=id:size=4096"]
    assert triggers(model(COMM, readme="common_comm")) == [HITS.format("common_comm", 4096)]
    assert triggers(model(TID, test=FIVE)) == [HITS.format("common_pid", 4096) + " if id == 5"]
    assert triggers(model(kind=Int(), body=(ir.AddMap("m", (), ir.Const(1)),))) == [HITS.format("common_type", 128)]


def test_a_process_is_found_by_its_threads_and_forks_are_recorded_for_that() -> None:
    made = model(PID, TID)
    assert triggers(made) == [HITS.format("common_pid", 16384)]
    assert made.recording.identity == ("task:task_newtask",)


def test_an_event_probe_carries_the_name_where_the_kernels_tables_have_none() -> None:
    made = model(COMM, ID, kind=Sum(), value=ID, probes=True)
    assert triggers(made) == ["hist:keys=a0,a1:vals=a1:size=4096"]
    (definition,) = ["".join(map(str, step.data)) for step in made.steps if step.action is Action.DEFINE]
    assert definition.endswith("sys_enter_0 raw_syscalls.sys_enter a0=$comm:string a1=$id:s64\n")
    assert not made.notes and not made.degradations


def test_a_key_that_the_predicate_fixes_needs_no_place_in_the_table() -> None:
    assert triggers(model(COMM, TID, test=NAMED)) == [HITS.format("common_pid", 4096) + ' if comm == "x"']
    (table,) = model(COMM, test=NAMED).hists
    assert table.keys[0].constant == "x"


def test_branches_and_variables_become_filters() -> None:
    variable = ir.SetVar("v", ID)
    one = ir.Aggregate("m", (ir.Var("v", Int()),), None)
    negative = ir.Binary("<", ir.Var("v", Int()), ir.Const(0), True, Int())
    made = model(ID, body=(variable, ir.If(negative, (one,), ())))
    assert triggers(made) == [HITS.format("id", 4096) + " if id < 0"]


def test_a_log2_histogram_takes_a_table_for_what_the_kernel_rounds_otherwise() -> None:
    log2, powers, negative = triggers(model(TID, kind=Hist(), value=ID))
    assert log2 == "hist:keys=common_pid,id.log2:vals=hitcount:size=32768 if (id > 1)"
    assert powers.startswith(
        "hist:keys=common_pid,id:vals=hitcount:size=32768 if ((id >= 0 && id < 128 && (id == 0 || "
    )
    assert powers.endswith(" || id == 4611686018427387904)))")
    assert negative == "hist:keys=common_pid:vals=hitcount:size=1024 if (id < 0)"


def test_ranges_are_counted_where_the_user_asks_for_the_kernel() -> None:
    kind = LinearHist(0, 20, 10)
    assert not triggers(model(kind=kind, value=ID))
    asked = triggers(model(kind=kind, value=ID, aggregate="kernel"))
    ranges = ("id < 0", "id >= 0 && id < 10", "id >= 10 && id < 20", "id >= 20")
    assert asked == [f"{HITS.format('common_type', 128)} if ({one})" for one in ranges]


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (model(COMM), "the name that a thread had first"),
        (model(STACK), "16 frames"),
        (model(TID, kind=Hist(5), value=ID), "a table for each of its buckets"),
        (model(TID, kind=Min(), value=ID), "it has no onmin"),
        (model(TID, test=ODD), "cannot test the whole predicate"),
        (model(TID, scope=ir.Scope(5)), "their filters tell threads"),
        (model(TID, scope=ir.Scope(uid=5)), "the user or the cgroup"),
        (model(ID, TID, ir.Builtin("cpu", Int()), COMM, readme="common_comm"), "at most 3 keys"),
        (model(ir.Binary("+", ID, ir.Const(1), True, Int())), "a key is computed"),
        (model(hist=False), "no hist triggers"),
    ],
)
def test_what_would_not_be_equal_stays_in_user_space(made: FtraceModel, reason: str) -> None:
    assert not made.hists and not triggers(made) and made.events[0].handlers
    (note,) = made.notes
    assert reason in note


def test_the_user_may_keep_all_in_user_space() -> None:
    made = model(TID, aggregate="user")
    assert not made.hists and made.events[0].handlers and not made.notes


def test_coarser_keys_are_taken_on_request_and_said() -> None:
    made = model(COMM, aggregate="kernel")
    assert triggers(made) == [HITS.format("common_pid.execname", 16384)]
    assert "at its first event" in made.degradations[0]
    made = model(STACK, aggregate="kernel")
    assert triggers(made) == [HITS.format("stacktrace", 4096)]
    assert "16 frames" in made.degradations[0] and "nearest to the event may be missing" in made.degradations[0]


def test_an_event_that_only_counts_in_the_kernel_is_not_recorded() -> None:
    made = model(TID)
    assert made.hists and not made.events[0].handlers
    assert not any(step.path[-1] == "enable" for step in made.steps if step.event == 0)
