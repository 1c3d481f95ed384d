"""Which of two models runs: that of user space, or the kernel's where events come too fast."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import pytest

from tests.unit.ftrace.hosts import MODERN, SYNTHETIC, features, timing
from xtrace.backends.ftrace import volume
from xtrace.backends.ftrace.lower import lower
from xtrace.backends.ftrace.model import FtraceModel
from xtrace.backends.ftrace.tracefs import Tracefs
from xtrace.core.errors import BackendError
from xtrace.core.messages import Notice

MODEL = lower(timing(aggregate="auto"), features({**MODERN, **SYNTHETIC}))


@dataclass
class Session:
    """Stands for a session; `share` is what its trial finds."""

    model: FtraceModel
    share: float = 0.0
    refused: bool = False
    closed: bool = False
    told: list[str] = field(default_factory=list)

    def start(self) -> None:
        if self.refused:
            raise BackendError.of("XT0808", "no room")

    def trial(self, seconds: float) -> float:
        assert seconds == volume.TRIAL
        return self.share

    def tell(self, notice: Notice) -> None:
        self.told.append(notice.text)

    def close(self) -> None:
        self.closed = True


def started(
    monkeypatch: pytest.MonkeyPatch, share: float, refused: bool = False, model: FtraceModel = MODEL
) -> tuple[list[Session], Session]:
    """All sessions that were made, and the one that runs."""
    made: list[Session] = []

    def session(model: FtraceModel, tracefs: Tracefs) -> Session:
        made.append(Session(model, share, refused and bool(model.timings)))
        return made[-1]

    monkeypatch.setattr(volume, "FtraceSession", session)
    running = volume.start(model, Tracefs("/none"))
    assert isinstance(running, Session)
    return made, running


def test_few_events_stay_in_user_space(monkeypatch: pytest.MonkeyPatch) -> None:
    made, running = started(monkeypatch, volume.SHARE / 2)
    assert made == [running] and running.model is MODEL and not running.told


@pytest.mark.parametrize(("share", "said"), [(0.4, "40% of a CPU"), (math.inf, "more than a CPU")])
def test_many_are_timed_in_the_kernel(monkeypatch: pytest.MonkeyPatch, share: float, said: str) -> None:
    made, running = started(monkeypatch, share)
    assert made[0].closed and running.model is MODEL.under_load
    (told,) = running.told
    assert said in told and "@start: starts without an end are not shown" in told


def test_user_space_goes_on_where_the_kernel_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    made, running = started(monkeypatch, 0.9, refused=True)
    assert running is made[-1] and running.model is MODEL and len(made) == 3
    assert "no room" in running.told[0]


def test_without_a_choice_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    _, running = started(monkeypatch, 0.9, model=replace(MODEL, under_load=None))
    assert running.model.under_load is None and not running.told
