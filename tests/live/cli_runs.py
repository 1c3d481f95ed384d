"""`xtrace` as users start it: a process of its own, in a terminal-less shell, as root or as nobody."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest

from tests.live.ftrace_session import needs_tracefs, tracefs

NOBODY = 65534
XTRACE = (sys.executable, "-m", "xtrace")

live = [pytest.mark.live, needs_tracefs]


def everything() -> set[str]:
    """All instances and probe definitions of xtrace's in tracefs."""
    names = [*tracefs().names("instances"), *(group for _, group, _ in tracefs().defined())]
    return {name for name in names if name.startswith("xtrace_")}


@contextmanager
def clean() -> Iterator[None]:
    """Nothing of a session that has ended may be left in tracefs, half a second after the last one."""
    yield
    until = time.monotonic() + 5
    while _leftovers() and time.monotonic() < until:
        time.sleep(0.05)
    assert not _leftovers()


def _leftovers() -> set[str]:
    """Other sessions may run on this machine: only what belongs to ended processes counts."""
    from xtrace.backends.ftrace.clean import owner_is_gone

    return {name for name in everything() if owner_is_gone(name)}


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """One command line to its end, at most a minute."""
    return subprocess.run([*XTRACE, *words], capture_output=True, text=True, timeout=60)


def start(*words: str, wait: bool = True) -> subprocess.Popen[str]:
    """A trace in the background, by default from when its probes are attached."""
    process = subprocess.Popen([*XTRACE, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if wait:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("Attached"):
                break
    return process


def interrupt(process: subprocess.Popen[str], number: int = signal.SIGINT) -> tuple[str, str]:
    """Send a signal and give what the process still says."""
    process.send_signal(number)
    return process.communicate(timeout=30)


def rows(text: str) -> list[dict[str, Any]]:
    """The objects of NDJSON."""
    return [json.loads(line) for line in text.splitlines()]


def as_nobody(*words: str) -> subprocess.CompletedProcess[str]:
    """As a user without any privilege, by a Python that this user may run."""
    python = _python_of_nobody()
    if python is None:
        pytest.skip("nobody may run no Python that can import xtrace")
    command = [python, "-m", "xtrace", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **_NOBODY)


_NOBODY: dict[str, Any] = {
    "user": NOBODY,
    "group": NOBODY,
    "extra_groups": [],
    "cwd": "/",
    "env": {**os.environ, "PYTHONPATH": os.pathsep.join(place for place in sys.path if place)},
}


@cache
def _python_of_nobody() -> str | None:
    """Ours may lie in root's home; the system's of the same version then serves."""
    for python in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
        try:
            done = subprocess.run([python, "-c", "import xtrace.cli.main, yaml"], capture_output=True, **_NOBODY)
        except OSError:
            continue
        if done.returncode == 0:
            return python
    return None


def in_mount_namespace(script: str, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command after `script` has changed mounts that only it sees."""
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", f'{script}\nexec "$@"', "sh", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=dict(os.environ))
