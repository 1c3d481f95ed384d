"""bpftrace's layouts, and tables."""

from __future__ import annotations

from tests.unit.sinks.outputs import TABLE, row, written
from xtrace.core.events import (
    Averages,
    Blob,
    Column,
    Frames,
    Hexadecimal,
    Histogram,
    LossOutput,
    MapOutput,
    MapShown,
    Output,
    Printed,
    Row,
    Sequence,
    Table,
    TextOutput,
    ValueOutput,
)
from xtrace.core.histogram import rows
from xtrace.core.types import Hist
from xtrace.sinks.text import TextSink


def text(*outputs: Output, tty: bool = False) -> str:
    return written(TextSink, *outputs, tty=tty)


def scalar(value: MapShown) -> MapOutput:
    return MapOutput("@x", False, "map", (((), value),))


def test_maps() -> None:
    keyed = MapOutput("@x", True, "map", (((1, "a"), 3), ((2, "b"), -4)))
    assert text(scalar(1), keyed) == "@x: 1\n@x[1, a]: 3\n@x[2, b]: -4\n"


def test_values() -> None:
    shown = (1, "s", (2, True), Hexadecimal(255), Blob(b"a\x01"), Sequence((1, 2)), None)
    assert text(ValueOutput(shown)) == "(1, s, (2, true), 0xff, a\\x01, [1,2], -)\n"


def test_final_maps_are_set_off_once() -> None:
    final = MapOutput("@x", False, "map", (((), 1),), final=True)
    assert text(Printed("text\n"), final, final) == "text\n\n\n@x: 1\n@x: 1\n"


def test_stats_end_with_an_empty_line() -> None:
    stats = MapOutput("@s", True, "stats", ((("k",), Averages(2, -1, -3)),))
    assert text(stats) == "@s[k]: count 2, average -1, total -3\n\n"


def test_an_empty_map_prints_nothing() -> None:
    assert text(MapOutput("@x", True, "map", ()), MapOutput("@s", True, "stats", ())) == ""


def test_histograms() -> None:
    histogram = Histogram(rows(Hist(), {3: 1, 5: 2}))
    assert text(MapOutput("@h", True, "hist", (((1,), histogram),))) == (
        "@h[1]:\n"
        f"[2, 4)                 1 |{'@' * 26}{' ' * 26}|\n"
        f"[4, 8)                 0 |{' ' * 52}|\n"
        f"[8, 16)                2 |{'@' * 52}|\n"
        "\n"
    )


def test_stacks_indent_by_eight_or_as_their_mode_has_it() -> None:
    frames = Frames(("f+1", "g+2"))
    assert text(MapOutput("@", True, "map", (((frames, "sh"), 2),))) == "@[\n        f+1\n        g+2\n, sh]: 2\n"
    assert text(scalar(frames)) == "@x: \n        f+1\n        g+2\n\n"
    assert text(scalar(Frames(("1004 f+4",), perf=True))) == "@x: \n\t1004 f+4\n\n"
    assert text(scalar(Frames(("1004", "5"), raw=True))) == "@x: \n1004\n5\n\n"


def test_rows_stand_under_one_header() -> None:
    first, second = row(12, "bash", "/etc/hostname"), row(7654321, "cat", "/x")
    assert written(TextSink, first, second, tables=(TABLE,)) == (
        "    PID COMM             PATH\n     12 bash             /etc/hostname\n7654321 cat              /x\n"
    )


def test_the_header_comes_before_the_first_event() -> None:
    assert written(TextSink, tables=(TABLE,)) == "    PID COMM             PATH\n"


def test_another_table_brings_its_header() -> None:
    other = Table("t", (Column("ret", 7, True),))
    lines = written(TextSink, row(1, "a", "/"), Row(other, (5,), 0), tables=(TABLE, other)).splitlines()
    assert lines == ["    PID COMM             PATH", "      1 a                /", "    RET", "      5"]


def test_cells_stay_on_their_line() -> None:
    line = text(row(None, "a\nb\x1b", Frames(("f", "g"))), tty=False).splitlines()[1]
    assert line == "      - a\\nb\\e           f;g"


def test_cut_text_is_marked() -> None:
    assert text(row(1, "a", "/long", truncated=("path",))).endswith("/long..\n")


def test_a_terminal_is_not_steered_by_traced_strings() -> None:
    evil = "\x1b[2J\x9b\u202e"
    outputs = (scalar(evil), ValueOutput((evil,)), TextOutput("cat", f"a\tb\n{evil}"))
    for output in outputs:
        shown = text(output, tty=True)
        assert "\x1b" not in shown and "\x9b" not in shown and "\u202e" not in shown
        assert "\\e[2J" in shown
    assert text(TextOutput("cat", "a\tb\n"), tty=True) == "a\tb\n"
    assert evil in text(scalar(evil))


def test_complaints_are_no_results() -> None:
    assert text(Printed("bad", "errorf"), LossOutput("overrun", 1)) == ""
