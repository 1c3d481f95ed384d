"""When a canary counts as seen."""

from __future__ import annotations

import pytest

from xtrace.core.events import Frames, MapOutput, MapShown, Output, Printed, Shown
from xtrace.doctor.canaries import CANARIES, Canary
from xtrace.doctor.trials import seen

BY_NAME = {canary.name: canary for canary in CANARIES}


def counted(*key: Shown, value: MapShown = 1) -> MapOutput:
    return MapOutput("@seen", bool(key), "map", ((key, value),))


@pytest.mark.parametrize(
    ("canary", "output"),
    [
        ("tracepoint", Printed("seen\n")),
        ("uretprobe", Printed("seen 7\n")),
        ("user string", Printed("seen canary\n")),
        ("count", counted()),
        ("kernel stack", counted(Frames(("do_exit+1",)))),
    ],
)
def test_seen(canary: str, output: Output) -> None:
    assert seen(BY_NAME[canary], [output])


@pytest.mark.parametrize(
    ("canary", "outputs"),
    [
        ("tracepoint", []),
        ("uretprobe", [Printed("seen 0\n")]),
        ("user string", [Printed("seen \n")]),
        ("count", [MapOutput("@seen", False, "map", ())]),
        ("count", [MapOutput("@other", False, "map", (((), 1),))]),
        ("kernel stack", [counted(Frames(()))]),
    ],
)
def test_not_seen(canary: str, outputs: list[Output]) -> None:
    assert not seen(BY_NAME[canary], outputs)


@pytest.mark.parametrize("canary", CANARIES, ids=lambda one: one.name)
def test_every_canary_needs_the_program_that_it_names(canary: Canary) -> None:
    assert canary.needs_program == ("PATH" in canary.text)
