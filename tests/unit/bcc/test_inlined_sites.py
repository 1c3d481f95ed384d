"""An inlined function: its arguments where DWARF says, never where a call would have put them."""

from __future__ import annotations

import pytest

from tests.unit.bcc.test_arguments import handler
from xtrace.backends.bcc.dispatch import scalar
from xtrace.backends.bcc.points import points
from xtrace.backends.bcc.writer import UnsupportedError
from xtrace.core import attach as at
from xtrace.core import ir

PLACES = (at.UsdtArgument(8, False, "%rsi"), at.UsdtArgument(8, False, "-8(%rbp)"), at.UsdtArgument(8, False, ""))
INLINED = at.Kprobe("inline:f", "f", "", sites=(64, 128), site_arguments=(PLACES, PLACES[1:]))


def test_a_point_for_each_instance() -> None:
    first, second = points(INLINED, None)
    assert (first.how["symbol"], first.how["offset"], second.how["offset"]) == ("_stext", 64, 128)
    assert first.usdt is not None and first.usdt.arguments == PLACES
    assert second.usdt is not None and second.usdt.arguments == PLACES[1:]


def test_arguments_are_read_from_registers_and_kernel_memory() -> None:
    (first, _) = points(INLINED, None)
    assert scalar(ir.Arg(0), handler("x86_64", INLINED, first.usdt)) == "c104"
    assert scalar(ir.Arg(1), handler("x86_64", INLINED, first.usdt)).startswith("x_kernel_u64(")


def test_arguments_that_are_gone_or_were_never_known_are_refused() -> None:
    (first, _) = points(INLINED, None)
    with pytest.raises(UnsupportedError, match="does not exist any more"):
        scalar(ir.Arg(2), handler("x86_64", INLINED, first.usdt))
    (unknown,) = points(at.Kprobe("inline:f", "f", "", sites=(64,)), None)
    with pytest.raises(UnsupportedError, match="has 0 arguments"):
        scalar(ir.Arg(0), handler("x86_64", INLINED, unknown.usdt))
