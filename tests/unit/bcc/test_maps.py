"""Which BPF map serves which of the program's, and what the worker is told of it."""

from __future__ import annotations

from tests.unit.bcc.programs import COMM_NOW, I64, PID, U32
from xtrace.backends.bcc.maps import MapTable
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core import types as t

SITE = ir.PrintValue(t.Count(), "n", (U32,))


def table(value: t.ValueType, body: tuple[ir.Stmt, ...] = (), keys: tuple[t.CType, ...] = (U32,)) -> MapTable:
    clause = ir.Clause((at.Begin(),), None, body)
    return MapTable(ir.Program((clause,), (ir.MapDecl("n", keys, value),), (SITE,), config=ir.Config(max_map_keys=100)))


def test_aggregations_are_per_cpu() -> None:
    assert table(t.Count()).get("n").table == '"percpu_hash"'
    assert table(I64).get("n").table == '"hash"'


def test_a_count_that_a_handler_reads_is_shared() -> None:
    read = ir.SetVar("x", ir.MapValue("n", (PID,), I64))
    assert table(t.Count(), (read,)).get("n").table == '"hash"'


def test_printing_one_value_is_no_read() -> None:
    """User space looks the value up itself when it meets the record."""
    shown = ir.Output(0, (PID, ir.MapValue("n", (PID,), I64)))
    assert table(t.Count(), (shown,)).get("n").table == '"percpu_hash"'


def test_keys_hold_words_and_a_histogram_its_bucket() -> None:
    assert table(I64, keys=(U32, t.String(16))).get("n").key == "struct words3"
    assert table(t.Hist(), keys=(t.String(16),)).get("n").key == "struct words3"
    assert table(I64, keys=()).get("n").key == "u64"


def test_room() -> None:
    assert table(I64).get("n").max_entries == 100
    assert table(I64, keys=()).get("n").max_entries == 1
    assert table(t.Hist(), keys=()).get("n").max_entries == 66
    assert table(t.LinearHist(0, 100, 10), keys=()).get("n").max_entries == 12


def test_names_are_distinct_in_c() -> None:
    decls = tuple(ir.MapDecl(name, (), I64) for name in ("", "a b", "a_b", "é"))
    idents = [one.ident for one in MapTable(ir.Program((), decls, ()))]
    assert idents == ["m0", "m1_a_b", "m2_a_b", "m3__"]


def test_a_trial_makes_maps_up() -> None:
    made = MapTable(ir.Program((), (), ()), trial=True).get("x", (COMM_NOW, PID))
    assert made.key == "struct words3" and made.kind == "value"
