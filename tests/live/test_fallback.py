"""A first choice that fails while it loads: the next backend runs and says so. One asked for has no substitute."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.live.bcc_session import needs_bcc
from xtrace.backends.bcc import render
from xtrace.cli.main import run
from xtrace.core.errors import BackendError, Diagnostic
from xtrace.core.plan.model import Artifact

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(os.geteuid() != 0, reason="tracing needs root"),
]
COUNT = "tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }"
INSTANCES = Path("/sys/kernel/tracing/instances")


@pytest.fixture
def broken_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A header tree that no clang takes."""
    text = render.py_lines("#error broken on purpose\n")
    bad = tuple(replace(one, text=text) for one in render.headers())
    monkeypatch.setattr(render, "headers", lambda: bad)


def trace(*words: str) -> int:
    return run(["trace", "--follow", "-e", COUNT, "-c", f"{sys.executable} -c pass", *words])


@needs_bcc
@pytest.mark.usefixtures("broken_headers")
def test_the_next_backend_takes_over(capfd: pytest.CaptureFixture[str]) -> None:
    before = set(INSTANCES.iterdir())
    assert trace() == 0
    out, err = capfd.readouterr()
    assert "@[" in out
    assert "bcc could not start" in err
    assert "broken on purpose" in err
    assert "going on with ftrace [XT1001]" in err
    assert set(INSTANCES.iterdir()) == before


@needs_bcc
@pytest.mark.usefixtures("broken_headers")
def test_a_backend_that_was_asked_for_has_no_substitute(capfd: pytest.CaptureFixture[str]) -> None:
    assert trace("--backend", "bcc") == BackendError.exit_code
    out, err = capfd.readouterr()
    assert "@[" not in out
    assert "broken on purpose" in err


def test_a_refused_probe_is_a_failure_to_start(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from xtrace.backends.ftrace.backend import FtraceBackend

    def refuse(self: FtraceBackend, artifact: Artifact, facts: object) -> None:
        raise BackendError(Diagnostic("XT0808", "the kernel refused the probe"))

    monkeypatch.setattr(FtraceBackend, "launch", refuse)
    code = run(["run", "execsnoop", "-c", "/bin/true", "-v"])
    _, err = capfd.readouterr()
    assert "the kernel refused the probe" in err
    # Where BCC is installed it takes over; elsewhere nothing is left to try.
    assert (code, "going on with bcc" in err) in ((0, True), (BackendError.exit_code, False))
