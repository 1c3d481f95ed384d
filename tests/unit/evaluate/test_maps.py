"""Maps: missing keys, caps, aggregations, order."""

from __future__ import annotations

from tests.unit.evaluate.programs import maps, printed, run
from xtrace.core import ir
from xtrace.core.attach import Begin
from xtrace.core.evaluate import Evaluator
from xtrace.core.messages import HistValue, Loss, MapDump, StatsValue
from xtrace.core.types import Int


def test_a_missing_key_reads_as_nothing_and_is_not_made() -> None:
    text = 'BEGIN { @n[9] = 1; @s[9] = "x"; printf("%d [%s]", @n[1], @s[1]); }'
    assert printed(text) == [(0, "")]
    assert maps(text) == {"n": {9: 1}, "s": {9: "x"}}


def test_deleting_a_missing_key_is_no_error() -> None:
    assert maps("BEGIN { @n[1] = 1; delete(@n[2]); delete(@n[1]); @m = 2; }") == {"m": {(): 2}}


def test_steps_start_at_zero() -> None:
    assert maps("BEGIN { @n[1]++; @n[1] += 4; @n[2]--; }") == {"n": {1: 5, 2: -1}}


def test_aggregations() -> None:
    text = """BEGIN {
        @count = count(); @count = count(); @sum = sum(-3); @sum = sum(1);
        @min = min(4); @min = min(-2); @max = max(-5); @max = max(-2);
        @avg = avg(-3); @avg = avg(-4); @stats = stats(10); @stats = stats(5);
    }"""
    assert maps(text) == {
        "count": {(): 2},
        "sum": {(): -2},
        "min": {(): StatsValue(1, -2, low=-2)},
        "max": {(): StatsValue(1, -2, high=-2)},
        "avg": {(): StatsValue(2, -7)},
        "stats": {(): StatsValue(2, 15)},
    }


def test_the_average_truncates_towards_zero() -> None:
    assert printed('BEGIN { @a = avg(-3); @a = avg(-4); printf("%d", @a); }') == [(-3,)]


def test_histograms_count_buckets() -> None:
    text = """BEGIN {
        @h = hist(-1); @h = hist(0); @h = hist(5); @h = hist(6); @l = lhist(3, 0, 10, 5); @l = lhist(10, 0, 10, 5);
    }"""
    assert maps(text) == {"h": {(): HistValue(((0, 1), (1, 1), (4, 2)))}, "l": {(): HistValue(((1, 1), (3, 1)))}}


def test_clear_empties_and_zero_keeps_the_keys() -> None:
    text = """BEGIN {
        @c[1] = count(); @z[1] = count(); @h[1] = hist(3); @s[1] = stats(3);
        clear(@c); zero(@z); zero(@h); zero(@s);
    }"""
    assert maps(text) == {"z": {1: 0}, "h": {1: HistValue(())}, "s": {1: StatsValue(0, 0)}}


def test_a_full_map_refuses_new_keys_and_says_so() -> None:
    messages = run(
        "BEGIN { @n[1] = 1; @n[2] = 1; @n[3] = 1; @n[1] = 7; @c[1] = count(); @c[2] = count(); @c[3] = count(); }",
        max_map_keys=2,
    )
    dumps = {m.map: dict(m.entries) for m in messages if isinstance(m, MapDump)}
    assert dumps["n"] == {(1,): 7, (2,): 1}
    assert [(m.kind, m.where, m.count) for m in messages if isinstance(m, Loss)] == [
        ("map-full", "@c", 1),
        ("map-full", "@n", 1),
    ]


def test_print_shows_the_map_at_that_moment() -> None:
    messages = run("BEGIN { @n[2] = 1; print(@n); @n[1] = 5; clear(@n); }")
    assert messages == [MapDump("n", (((2,), 1),), 0)]


def test_final_maps_come_in_name_order_with_keys_in_order() -> None:
    messages = run('BEGIN { @b["z", 1] = 1; @b["a", 2] = 2; @b["a", -1] = 3; @a = 1; }')
    assert messages == [MapDump("a", (((), 1),)), MapDump("b", ((("a", -1), 3), (("a", 2), 2), (("z", 1), 1)))]


def test_maps_may_stay_silent_at_the_end() -> None:
    assert run("BEGIN { @a = 1; }", print_maps_on_exit=False) == []


def test_strings_are_cut_to_the_size_of_the_map() -> None:
    long = "x" * 40
    text = f'BEGIN {{ @s = "{long}"; @k["{long}"] = 1; }}'
    assert maps(text) == {"s": {(): long}, "k": {long: 1}}


def test_loops_over_a_map_go_in_key_order_on_a_snapshot() -> None:
    text = 'BEGIN { @n[3] = 30; @n[1] = 10; for ($kv : @n) { printf("%d %d", $kv.0, $kv.1); delete(@n[3]); } }'
    assert printed(text) == [(1, 10), (3, 30)]


def test_the_length_of_a_map() -> None:
    assert printed('BEGIN { @n[1] = 1; @n[2] = 1; printf("%d", len(@n)); }') == [(2,)]


def test_printing_one_key_of_an_aggregation_sends_its_state() -> None:
    assert printed("BEGIN { @a[1] = avg(4); @a[1] = avg(6); print(@a[1]); }") == [(1, StatsValue(2, 10))]


def test_sums_are_cut_to_the_size_of_the_map() -> None:
    key = (ir.Const(1),)
    body = (ir.SetMap("b", key, ir.Const(250)), ir.AddMap("b", key, ir.Const(10)))
    program = ir.Program((ir.Clause((Begin(),), None, body),), (ir.MapDecl("b", (Int(),), Int(1, False)),), ())
    machine = Evaluator(program)
    machine.begin()
    assert machine.store("b").entries == {(1,): 4}


def test_a_full_lru_map_forgets_what_was_written_longest_ago() -> None:
    text = "let @m = lruhash(2); BEGIN { @m[1] = 1; @m[2] = 2; @m[1] = 3; @m[3] = 4; $x = @m[2]; @m[4] = $x; }"
    assert maps(text) == {"m": {3: 4, 4: 0}}
    assert not any(isinstance(message, Loss) for message in run(text))


def test_a_declared_map_that_is_full_is_reported_with_its_own_remedy() -> None:
    (loss,) = [one for one in run("let @m = hash(1); BEGIN { @m[1] = 1; @m[2] = 2; }") if isinstance(one, Loss)]
    assert (loss.kind, loss.count, loss.where) == ("map-full", 1, "@m")
    assert loss.remedy == "declare it larger: let @m = hash(10)"


def test_a_deletion_tells_whether_the_key_was_there() -> None:
    assert printed('BEGIN { @m[1] = 0; $a = delete(@m, 1); $b = delete(@m, 1); printf("%d %d", $a, $b); }') == [(1, 0)]


def test_a_compound_assignment_reads_the_old_value_first() -> None:
    """As `@a = @a + @a++` does."""
    assert maps("BEGIN { @a = 1; @a += @a++; @b = 2; @b *= ++@b; @c = 5; @c -= delete(@c); }") == {
        "a": {(): 2},
        "b": {(): 6},
        "c": {(): 4},
    }
    assert printed('BEGIN { $x = 1; $x += $x++; $y = 5; $y -= $y--; printf("%d %d", $x, $y); }') == [(2, 0)]


def test_keys_come_before_what_is_stored_there() -> None:
    assert maps("BEGIN { $i = 1; @s[$i] = sum($i++); @n[$i] = $i++; @h[$i] = hist($i++); }") == {
        "s": {1: 1},
        "n": {2: 2},
        "h": {3: HistValue(((3, 1),))},
    }


def test_pointers_in_maps_step_by_what_they_point_to() -> None:
    text = "BEGIN { @p = (int32 *)100; @p++; @p += 2; --@p; @q = (int16 *)10; @v = (void *)7; @v--; @r = @q++; }"
    assert maps(text) == {"p": {(): 108}, "q": {(): 12}, "v": {(): 6}, "r": {(): 10}}


def test_a_map_that_is_only_multiplied_holds_integers() -> None:
    assert maps("BEGIN { @m *= 2; @n[1] |= 4; }") == {"m": {(): 0}, "n": {1: 4}}
