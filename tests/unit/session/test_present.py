"""Messages as outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.session.hosts import presenter, shown
from xtrace.core import ir
from xtrace.core.events import (
    AttachedOutput,
    Averages,
    Column,
    Frames,
    Histogram,
    LossOutput,
    MapOutput,
    NoticeOutput,
    Output,
    Printed,
    Row,
    Shown,
    Table,
    TextOutput,
    ValueOutput,
)
from xtrace.core.messages import (
    UNREAD,
    Attached,
    Exited,
    Hit,
    Loss,
    MapDump,
    Notice,
    StackValue,
    StatsValue,
    SymbolValue,
)
from xtrace.core.session.present import Presenter
from xtrace.core.types import Inet, Int, Stack, String, Symbol, Void


def one(outputs: list[Output]) -> Any:
    assert len(outputs) == 1
    return outputs[0]


def values(*columns: Any) -> tuple[Any, ...]:
    """How one row shows (type, value) pairs."""
    site = ir.Emit(tuple((f"c{number}", kind) for number, (kind, _) in enumerate(columns)))
    program = ir.Program((), (), (site,))
    row = one(
        Presenter(program, "t", presenter("BEGIN { @a = 1; }").symbols).outputs([Hit(0, tuple(v for _, v in columns))])
    )
    assert isinstance(row, Row)
    return row.values


def test_values_by_type() -> None:
    assert values(
        (Int(8, False), -1),
        (Int(4, True), (1 << 32) - 1),
        (Inet(), bytes([127, 0, 0, 1])),
        (Inet(), bytes(15) + b"\1"),
        (Void(), 0),
        (Symbol(False), SymbolValue(0x1004)),
        (Symbol(True), SymbolValue(0x2004, 7)),
        (Symbol(False), SymbolValue(5)),
    ) == ((1 << 64) - 1, -1, "127.0.0.1", "::1", None, "f", "main", "0x5")


@pytest.mark.parametrize(
    ("kind", "stack", "frames"),
    [
        (Stack(False), StackValue((0x1004, 5)), ("f+4", "0x5")),
        (Stack(False, mode="perf"), StackValue((0x1004,)), ("1004 f+4",)),
        (Stack(True), StackValue((0x2001,), 7), ("main+1",)),
        (Stack(True, mode="perf"), StackValue((0x2001, 9), 7), ("2001 main+1 (/bin/x)", "9 0x9 ([unknown])")),
        (Stack(False, mode="raw"), StackValue((0x1004,)), ("1004",)),
        (Stack(False, depth=1), StackValue((0x1004, 0x1005)), ("f+4",)),
        (Stack(True), StackValue((), 7, ("known",)), ("known",)),
    ],
)
def test_stacks(kind: Stack, stack: StackValue, frames: tuple[str, ...]) -> None:
    assert values((kind, stack)) == (Frames(frames, kind.mode == "perf", kind.user, kind.mode == "raw"),)


def test_rows_have_a_table_a_time_and_the_marks_of_cut_text() -> None:
    program = ir.Program((), (), (ir.Emit((("pid", Int(4, False)), ("path", String(64)))),))
    show = Presenter(program, "tool", presenter("BEGIN { @a = 1; }").symbols)
    row = one(show.outputs([Hit(0, (3, "p" * 63), 5)]))
    assert row.table == Table("tool", (Column("pid", 7, True), Column("path", 24, False)))
    assert row.truncated == ("path",)
    assert row.values == (3, "p" * 63)
    assert row.time > 1_500_000_000 * 10**9


def test_a_column_tells_a_string_that_could_not_be_read_from_an_empty_one() -> None:
    assert values((String(64), UNREAD), (String(64), "")) == (None, "")
    assert one(shown('kprobe:f { printf("<%s>", str(arg0)); }', Hit(0, (UNREAD,)))).text == "<>"


def test_printed_strings_that_were_cut_end_in_two_dots() -> None:
    text = 'kprobe:f { printf("%s", str(arg0)); }'
    assert one(shown(text, Hit(0, ("s" * 63,)))).text == "s" * 63 + ".."
    assert one(shown(text, Hit(0, ("s" * 62,)))).text == "s" * 62


def test_strings_cannot_steer_a_terminal_but_formats_may() -> None:
    text = 'kprobe:f { printf("\\033[1m%s\\n", comm); }'
    assert one(shown(text, Hit(0, ("a\x1b]0;x\x07\n\u202e",)), safe=True)).text == "\x1b[1ma\\e]0;x\\x07\\n\\u202e\n"
    assert one(shown(text, Hit(0, ("a\x1b",)))).text == "\x1b[1ma\x1b\n"


def test_maps_sort_numbers_by_value_then_key() -> None:
    assert one(shown("BEGIN { @n[1] = 5; @n[2] = -1; @n[0] = 5; }")).entries == (((2,), -1), ((0,), 5), ((1,), 5))


def test_maps_of_strings_sort_by_key() -> None:
    assert one(shown('BEGIN { @n[2] = "a"; @n[1] = "b"; }')).entries == (((1,), "b"), ((2,), "a"))


def test_top_keeps_the_last_and_div_truncates() -> None:
    output = one(shown("BEGIN { @n[1] = 5; @n[2] = -9; @n[3] = 7; print(@n, 2, 2); clear(@n); }"))
    assert output == MapOutput("@n", True, "map", (((1,), 2), ((3,), 3)))
    assert one(shown("BEGIN { @n = -9; print(@n, 0, 2); clear(@n); }")).entries == (((), -4),)


def test_stats_keep_the_last_and_divide_their_average() -> None:
    text = "BEGIN { @s[1] = stats(-3); @s[2] = stats(5); @s[2] = stats(4); print(@s, 1, 2); clear(@s); }"
    output = one(shown(text))
    assert output.kind == "stats"
    assert output.entries == (((2,), Averages(2, 2, 9)),)


def test_linear_histograms_are_not_divided() -> None:
    (entry,) = one(shown("BEGIN { @l = lhist(3, 0, 10, 5); print(@l, 0, 2); clear(@l); }")).entries
    assert [row.count for row in entry[1].rows] == [1]


def test_minima_come_from_their_limits() -> None:
    dump = MapDump("m", (((), StatsValue(3, 12, low=2)),))
    assert one(shown("BEGIN { @m = min(2); }", dump)).entries == (((), 2),)


def test_histograms_have_rows() -> None:
    output = one(shown("BEGIN { @h[1] = hist(5); @h[1] = hist(20); }"))
    (((key,), histogram),) = output.entries
    assert key == 1 and isinstance(histogram, Histogram)
    assert [(row.label, row.count) for row in histogram.rows] == [("[4, 8)", 1), ("[8, 16)", 0), ("[16, 32)", 1)]


@pytest.mark.parametrize(
    ("fed", "value"),
    [
        ("@a[1] = avg(4); @a[1] = avg(7);", 5),
        ("@a[1] = min(4); @a[1] = min(-7);", -7),
        ("@a[1] = max((uint64)-1);", (1 << 64) - 1),
        ("@a[1] = count();", 1),
        ('@a[1] = (1, "x");', (1, "x")),
    ],
)
def test_printing_one_entry_shows_its_value_alone(fed: str, value: Shown) -> None:
    assert one(shown(f"BEGIN {{ {fed} print(@a[1]); clear(@a); }}")) == ValueOutput(value)


def test_plain_values() -> None:
    assert one(shown('BEGIN { print((1, "a", (int8)-3)); }')) == ValueOutput((1, "a", -3))


def test_cat_is_bounded_and_says_what_is_wrong(tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_text("x" * 20_000)
    first, note = shown(f'BEGIN {{ cat("{big}"); }}')
    assert isinstance(first, TextOutput) and len(first.text) == 10_240
    assert isinstance(note, NoticeOutput) and "only the first 10240 bytes" in note.text
    assert "No such file" in one(shown('BEGIN { cat("/nowhere/at/all"); }')).text


def test_join_ends_at_the_last_string() -> None:
    text = "kprobe:f { join(arg0); }"
    assert one(shown(text, Hit(0, ("ls", "", "-l", "", "")))) == TextOutput("join", "ls  -l\n")


def test_time_is_that_of_the_hit() -> None:
    import time

    nsecs = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    shown_time = one(shown('BEGIN { time("%s"); }', Hit(0, (), nsecs - 3600 * 10**9)))
    assert abs(int(shown_time.text) - (time.time() - 3600)) < 5


def test_other_messages() -> None:
    assert shown(
        "BEGIN { @a = 1; }", Attached(2, ("kprobe:x",)), Loss("overrun", 3, "cpu 1", "more"), Notice("n"), Exited(1)
    ) == [
        AttachedOutput(2, ("kprobe:x",)),
        LossOutput("overrun", 3, "cpu 1", "more"),
        NoticeOutput("n"),
    ]


def test_error_text_is_told_apart() -> None:
    assert one(shown('BEGIN { errorf("bad"); }')) == Printed("bad", "errorf", ("-e", 1, 9))


def test_a_string_that_the_engine_read_where_its_address_was_saved() -> None:
    machine = presenter('kprobe:f { @m[tid] = arg0; } kretprobe:f { printf("%s", str(@m[tid])); }')
    found = one(machine.outputs([MapDump("m", (((7,), "localhost"), ((8,), "x" * 80)))]))
    assert found.entries == (((7,), "localhost"), ((8,), "x" * 80 + ".."))
