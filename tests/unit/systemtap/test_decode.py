"""The script's lines as messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.systemtap.programs import INT, read_latency
from xtrace.backends.systemtap import wire
from xtrace.backends.systemtap.decode import Decoder
from xtrace.backends.systemtap.lower import site_types
from xtrace.core import types as t
from xtrace.core.messages import (
    Exited,
    HistValue,
    Hit,
    Loss,
    MapDump,
    StackValue,
    SymbolValue,
)


@pytest.fixture
def decoder() -> Decoder:
    program = read_latency()
    return Decoder(program, site_types(program))


def test_a_hit(decoder: Decoder) -> None:
    assert decoder.line("H\t0\t1\t0\t99\tcat\t-2") == (Hit(0, ("cat", -2), 99, 1),)


def test_an_exit_site_ends_the_session_with_its_code(decoder: Decoder) -> None:
    assert decoder.line("H\t4\t0\t0\t99\t3") == (Exited(3),)


def test_gaps_in_a_cpus_sequence_are_losses(decoder: Decoder) -> None:
    for sequence in (0, 1, 5):
        decoder.line(f"H\t0\t1\t{sequence}\t99\tcat\t0")
    decoder.line("H\t0\t0\t0\t99\tcat\t0")
    (loss,) = decoder.losses()
    assert (loss.kind, loss.count, loss.where) == ("sequence-gap", 3, "cpu 1")


def test_a_map(decoder: Decoder) -> None:
    lines = ("M\t1\t", "E\tcat\t23", "E\tsh\t1", "Z\t")
    messages = [message for line in lines for message in decoder.line(line)]
    assert messages == [MapDump("", ((("cat",), 23), (("sh",), 1)), 1)]


def test_a_histogram_is_gathered_by_key(decoder: Decoder) -> None:
    lines = ("M\t-1\tns", "E\tcat\t9\t2", "E\tsh\t3\t1", "E\tcat\t8\t5", "Z\tns")
    messages = [message for line in lines for message in decoder.line(line)]
    expected = ((("cat",), HistValue(((8, 5), (9, 2)))), (("sh",), HistValue(((3, 1),))))
    assert messages == [MapDump("ns", expected, -1)]


def test_a_full_map_is_a_loss(decoder: Decoder) -> None:
    (loss,) = decoder.line("F\t7\tstart")
    assert isinstance(loss, Loss)
    assert (loss.kind, loss.count, loss.where) == ("map-full", 7, "@start")


@given(st.text(alphabet="HMEZF\t0123456789-xyz", max_size=40))
def test_any_other_line_is_counted_and_shown(line: str) -> None:
    program = read_latency()
    decoder = Decoder(program, site_types(program))
    if not decoder.line(line) and decoder.unreadable:
        assert decoder.losses()[-1].kind == "unreadable"


@pytest.mark.parametrize(
    ("kind", "columns", "value"),
    [
        (t.String(), ["a\\tb\\\\\\303\\251\\u00e9"], "a\tb\\\u00e9\u00e9"),
        (t.Inet(), ["7f000001"], b"\x7f\x00\x00\x01"),
        (t.Symbol(user=True), ["12:-1"], SymbolValue(2**64 - 1, 12)),
        (t.Stack(user=True), ["12 0x10 0x20"], StackValue((16, 32), 12)),
        (t.Stack(user=False, depth=1), ["0xff 0x20"], StackValue((255,), 0)),
        (t.Tuple((INT, t.String())), ["-1", "x"], (-1, "x")),
    ],
)
def test_values(kind: t.CType, columns: list[str], value: object) -> None:
    assert wire.read(kind, iter(columns)) == value
