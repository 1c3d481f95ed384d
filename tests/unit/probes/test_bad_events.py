"""What is wrong with a file of events is told by code, line and column; the other events still load."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.probes.files import events_of, said
from xtrace.core.codes import CODES
from xtrace.core.plan.model import SHIPPED_PROBES

GOOD = """\
good.event:
  summary: One that loads.
  fields: {a: {type: int}}
  sources: [{attach: kprobe:f, fields: {a: arg0}}]
"""
HEAD = "bad.event:\n  summary: One that does not.\n  fields: {a: {type: int}, b: {type: int, optional: true}}\n"


def source(text: str) -> str:
    """An event with one source, which begins on line 5."""
    return f"{HEAD}  sources:\n    - {text}\n"


CASES = {
    "unknown key of an event": (HEAD + "  soruces: []\n", "XT0304", 4, 3, "unknown key 'soruces'"),
    "unknown key of a source": (source("{atach: kprobe:f, fields: {a: pid}}"), "XT0304", 5, 8, "unknown key 'atach'"),
    "on is no boolean": (source("{on: kprobe:f, attach: kprobe:f, fields: {a: pid}}"), "XT0304", 5, 8,
                         "unknown key 'on'"),
    "duplicate key": (source("{attach: kprobe:f, attach: kprobe:g, fields: {a: pid}}"), "XT0303", 5, 26,
                      "the key 'attach' stands here again"),
    "wrong type of a value": (source("{attach: kprobe:f, fields: {a: pid}, late: 3}"), "XT0305", 5, 50,
                              "late must be true or false, not '3'"),
    "fields that are a list": (source("{attach: kprobe:f, fields: [a]}"), "XT0305", 5, 34,
                               "fields must be a mapping, not a list"),
    "cyclic let": (source("{attach: kprobe:f, let: {x: y, y: x}, fields: {a: x}}"), "XT0310", 5, 32,
                   "x uses y before it is known"),
    "let of itself": (source("{attach: kprobe:f, let: {x: x + 1}, fields: {a: x}}"), "XT0310", 5, 32,
                      "x uses x before it is known"),
    "source without a field": (source("{attach: kprobe:f}"), "XT0309", 5, 7, "the source gives no field of its event"),
    "field that is needed": (source("{attach: kprobe:f, fields: {b: pid}}"), "XT0312", 5, 26,
                             "the source does not give a"),
    "field that is not declared": (source("{attach: kprobe:f, fields: {a: pid, c: pid}}"), "XT0312", 5, 43,
                                   "the event has no field 'c'"),
    "source without a point": (source("{fields: {a: pid}}"), "XT0306", 5, 7, "the key 'attach' is missing"),
    "expression that is none": (source("{attach: kprobe:f, fields: {a: pid +}}"), "XT0311", 5, 43, ""),
    "point that is none": (source("{attach: kprobes:f, fields: {a: pid}}"), "XT0311", 5, 16,
                           "kprobes is no type of probe"),
    "pair with one end": (source("{enter: kprobe:f, fields: {a: pid}}"), "XT0306", 5, 7, "the key 'exit' is missing"),
    "pair of unequal ends": (source("{enter: [kprobe:f, kprobe:g], exit: kretprobe:f, fields: {a: pid}}"), "XT0305", 5,
                             7, "2 entries do not pair with 1 exits"),
    "pair and point": (source("{enter: kprobe:f, exit: kretprobe:f, attach: kprobe:f, fields: {a: pid}}"), "XT0304", 5,
                       44, "a source has either attach, or enter and exit"),
    "saving without a pair": (source("{attach: kprobe:f, save: {x: pid}, fields: {a: x}}"), "XT0304", 5, 26,
                              "save belongs to a pair of enter and exit"),
    "no sources": (HEAD + "  sources: []\n", "XT0309", 1, 1, "bad.event has no source"),
    "missing sources": (HEAD, "XT0306", 2, 3, "the key 'sources' is missing"),
    "field of no type": ("bad.event:\n  summary: x\n  fields: {a: {type: itn}}\n"
                         "  sources: [{attach: kprobe:f, fields: {a: pid}}]\n",
                         "XT0305", 3, 22, "'itn' is not a field type"),
    "name of an event": (source("{attach: kprobe:f, fields: {a: pid}}").replace("bad.event", "Bad"), "XT0308", 1, 1,
                         "'Bad' cannot be an event's name"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_complaint(case: str, tmp_path: Path) -> None:
    text, code, line, column, message = CASES[case]
    loaded = events_of(text + GOOD, tmp_path)
    first = said(loaded.complaints[0])
    assert first[:3] == (code, line, column), first
    assert first[3].startswith(message)
    assert list(loaded.events) == ["good.event"]


def test_near_names_are_given(tmp_path: Path) -> None:
    loaded = events_of(CASES["unknown key of an event"][0], tmp_path)
    assert loaded.complaints[0].hints == ("did you mean sources?",)


def test_text_that_is_no_yaml(tmp_path: Path) -> None:
    (complaint,) = events_of("a.b: [1, 2\nc: 3\n", tmp_path).complaints
    assert said(complaint)[:2] == ("XT0301", 2)


def test_a_file_that_is_a_list(tmp_path: Path) -> None:
    (complaint,) = events_of("- a\n", tmp_path).complaints
    assert said(complaint) == ("XT0305", 1, 1, "a file of events must be a mapping")


SHIPPED = [file.read_text() for file in sorted((SHIPPED_PROBES / "events").glob("*.yaml"))]
JUNK = st.text(alphabet="{}[]:,&*!|>'\"#%@` \n\tab-?x1", max_size=12)


@given(st.sampled_from(SHIPPED), st.floats(0, 1), st.integers(0, 40), JUNK)
def test_a_damaged_file_never_gives_more_than_complaints(text: str, where: float, cut: int, junk: str) -> None:
    start = int(where * len(text))
    with tempfile.TemporaryDirectory() as folder:
        loaded = events_of(text[:start] + junk + text[start + cut :], Path(folder))
    assert all(complaint.code in CODES and complaint.span for complaint in loaded.complaints)
