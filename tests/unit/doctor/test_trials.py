"""When a canary counts as seen."""

from __future__ import annotations

import pytest

from xtrace.core.events import Frames, MapOutput, MapShown, Output, Printed, Shown
from xtrace.doctor.canaries import CANARIES, Canary
from xtrace.doctor.trials import seen

BY_NAME = {canary.name: canary for canary in CANARIES}


def counted(name: str, *key: Shown, value: MapShown = 1) -> MapOutput:
    return MapOutput(name, bool(key), "map", ((key, value),))


@pytest.mark.parametrize(
    ("canary", "output"),
    [
        ("tracepoint", Printed("tracepoint seen \n")),
        ("uretprobe", Printed("uretprobe seen 7\n")),
        ("user string", Printed("user string seen canary\n")),
        ("count", counted("@count")),
        ("kernel stack", counted("@kernel_stack", Frames(("do_exit+1",)))),
    ],
)
def test_seen(canary: str, output: Output) -> None:
    assert seen(BY_NAME[canary], [output])


@pytest.mark.parametrize(
    ("canary", "outputs"),
    [
        ("tracepoint", []),
        ("uretprobe", [Printed("uretprobe seen 0\n")]),
        ("user string", [Printed("user string seen \n")]),
        ("count", [MapOutput("@count", False, "map", ())]),
        ("count", [MapOutput("@other", False, "map", (((), 1),))]),
        ("kernel stack", [counted("@kernel_stack", Frames(()))]),
    ],
)
def test_not_seen(canary: str, outputs: list[Output]) -> None:
    assert not seen(BY_NAME[canary], outputs)


@pytest.mark.parametrize("canary", CANARIES, ids=lambda one: one.name)
def test_every_canary_needs_the_program_that_it_names(canary: Canary) -> None:
    assert canary.needs_program == ("PATH" in canary.text)


@pytest.mark.parametrize("canary", CANARIES, ids=lambda one: one.name)
def test_no_canary_is_taken_for_another(canary: Canary) -> None:
    others = [one for one in CANARIES if one is not canary]
    assert not [one.name for one in others if one.expected.startswith(canary.expected)]


def test_alone_a_canary_ends_with_its_event() -> None:
    assert BY_NAME["count"].once == "tracepoint:sched:sched_process_exit { @count = count(); exit(); }"
