"""Which maps the kernel keeps, and its tables read back, whatever names are in them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ftrace.hosts import MODERN, emitting, features, field, tracepoint
from xtrace.backends.ftrace import hist
from xtrace.backends.ftrace.lower import lower
from xtrace.backends.ftrace.model import FtraceModel, HistKey, HistMap
from xtrace.core import ir
from xtrace.core.types import Aggregation, Count, CType, Hist, Int, String, Sum

POINT = tracepoint("raw_syscalls:sys_enter")
ID = field(POINT, "id")
COMM = ir.Builtin("comm", String(16))
TID = ir.Builtin("tid", Int(4, False))


def model(
    *keys: ir.Expr, kind: Aggregation | None = None, value: ir.Expr | None = None, readme: str = "", **rest: object
) -> FtraceModel:
    types: tuple[CType, ...] = tuple(key.type for key in keys)
    decl = ir.MapDecl("m", types, kind or Count())
    test = rest.pop("predicate", None)
    clause = ir.Clause((POINT,), test, (ir.Aggregate("m", keys, value),))  # type: ignore[arg-type]
    program = emitting(clause, maps=(decl,), **rest)  # type: ignore[arg-type]
    return lower(program, features({**MODERN, "tracefs.readme": readme}))


def triggers(made: FtraceModel) -> list[str]:
    return [
        "".join(map(str, step.data)) for step in made.steps if "/trigger" in str(step.path) or "trigger" in step.path
    ]


def test_counts_and_sums_become_triggers() -> None:
    assert triggers(model()) == ["hist:keys=common_type:vals=hitcount:size=4096"]
    assert triggers(model(ID, TID)) == ["hist:keys=id,common_pid:vals=hitcount:size=4096"]
    assert triggers(model(TID, kind=Sum(), value=ID)) == ["hist:keys=common_pid:vals=id:size=4096"]
    assert triggers(model(COMM, readme="common_comm")) == ["hist:keys=common_comm:vals=hitcount:size=4096"]
    test = ir.Binary("==", ID, ir.Const(5), True, Int())
    assert triggers(model(TID, predicate=test)) == ["hist:keys=common_pid:vals=hitcount:size=4096 if id == 5"]


def test_what_would_not_be_equal_stays_in_user_space() -> None:
    odd = ir.Binary("==", ir.Binary("%", ID, ir.Const(2), True, Int()), ir.Const(1), True, Int())
    for made in (
        model(COMM),
        model(TID, kind=Hist(), value=ID),
        model(TID, predicate=odd),
        model(TID, scope=ir.Scope(5)),
        model(ir.Builtin("pid", Int(4, False))),
        model(TID, ID, TID, ID),
    ):
        assert not made.hists and not triggers(made) and made.events[0].handlers


def test_an_event_that_only_counts_in_the_kernel_is_not_recorded() -> None:
    made = model(TID)
    assert made.hists and not made.events[0].handlers
    assert not any(step.path[-1] == "enable" for step in made.steps if step.event == 0)


TABLE = """# event histogram
#
# trigger info: hist:keys=common_comm,id:vals=hitcount,n:sort=hitcount:size=4096 if id > 1 [active]
#

{{ common_comm: {:<50}, id:          5 }} hitcount:          2  n: 18446744073709551615
{{ common_comm: {:<50}, id: 18446744073709551615 }} hitcount:         12  n:          7

Totals:
    Hits: 14
    Entries: 2
    Dropped: 3
"""
NAMES = st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=15).map(lambda name: name.rstrip(" "))


@given(NAMES, NAMES)
def test_a_table_reads_back(one: str, other: str) -> None:
    summed = HistMap("m", 0, 0, (HistKey("common_comm", text=True), HistKey("id")), "n", "id > 1")
    text = TABLE.format(one, other).encode()
    section = hist.section_of(text, summed)
    expected: dict[tuple[int | str, ...], int] = {(one, 5): -1, (other, -1): 7}
    assert hist.entries(section, summed) == expected
    assert hist.dropped(section) == 3
