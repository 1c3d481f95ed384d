"""What ends staprun: letting go of the leash, or dying while holding it. A shell script stands for staprun."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from xtrace.backends.systemtap.decode import Decoder
from xtrace.backends.systemtap.runner import StapSession
from xtrace.core import ir
from xtrace.core.messages import Attached, Exited

STAPRUN = """#!/bin/sh
trap 'echo ended > "$ENDED"; printf "T\\t2\\n"; exit 0' INT
printf 'T\\t1\\nA\\n'
while :; do sleep 0.05; done
"""
HOLDER = """
import sys, time
from pathlib import Path
from tests.unit.systemtap.test_leash import session
kept = session(Path(sys.argv[1]))
print("attached", flush=True)
time.sleep(60)
"""


def session(directory: Path) -> StapSession:
    work = directory / "work"
    work.mkdir()
    return StapSession(Path("module.ko"), work, Decoder(ir.Program((), (), ()), {}), {}, 1)


@pytest.fixture
def ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that the stand-in writes when it is interrupted."""
    staprun = tmp_path / "staprun"
    staprun.write_text(STAPRUN)
    staprun.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("ENDED", str(tmp_path / "ended"))
    return tmp_path / "ended"


def test_letting_go_interrupts_staprun(ended: Path) -> None:
    running = session(ended.parent)
    assert running.poll(0) == [Attached(1)]
    began = time.monotonic()
    assert running.finish() == []
    running.close()
    assert ended.exists() and not (ended.parent / "work").exists()
    assert time.monotonic() - began < 25, "it was only ended by force"


def test_a_job_that_ignores_interrupts_can_end_it_too(ended: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        running = session(ended.parent)
        assert running.finish() == [Attached(1)]
        running.close()
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended.exists()


def test_the_death_of_who_holds_it_interrupts_staprun(ended: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(ended.parent)], stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdout.readline() == b"attached\n"
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    limit = time.monotonic() + 20
    while not ended.exists() and time.monotonic() < limit:
        time.sleep(0.05)
    assert ended.exists()


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_the_leash_speaks_every_shell(ended: Path, shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"no {shell} here")
    (ended.parent / "sh").symlink_to(path)
    monkeypatch.setattr("xtrace.backends.systemtap.runner.SHELL", str(ended.parent / "sh"))
    running = session(ended.parent)
    assert Exited(0) not in running.poll(0)
    assert running.finish() == []
    running.close()
    assert ended.exists()
