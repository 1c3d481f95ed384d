"""Folded stacks."""

from __future__ import annotations

from tests.unit.sinks.outputs import written
from xtrace.core.events import Frames, MapOutput, Printed
from xtrace.sinks.folded import FoldedSink

KERNEL = Frames(("leaf+1", "entry+20"))
USER = Frames(("inner+4", "main;x+9"), user=True)


def test_outermost_first_with_user_frames_below_kernel_frames() -> None:
    output = MapOutput("@", True, "map", (((KERNEL, USER, "sh"), 3), ((USER, KERNEL, "ls"), 4)))
    assert written(FoldedSink, output) == "sh;main:x;inner;entry;leaf 3\nls;main:x;inner;entry;leaf 4\n"


def test_what_has_no_place_is_said_to_have_none() -> None:
    import io

    sink = FoldedSink(io.StringIO())
    assert not sink.write(Printed("x"))
    assert not sink.write(MapOutput("@", True, "map", ((("sh",), 3),)))
    assert sink.write(MapOutput("@", True, "map", (((KERNEL,), 3),)))
