"""The doctor's canaries, really run: what it says must be so."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.live.cli_runs import XTRACE, clean, live
from xtrace.core.facts.live import LiveHost

pytestmark = live


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    with clean():
        done = subprocess.run([*XTRACE, "doctor", "--active", "--json"], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def answers(report: dict[str, Any], backend: str) -> dict[str, str]:
    return {cell["canary"]: cell["answer"] for cell in report["canaries"] if cell["backend"] == backend}


def test_ftrace_works(report: dict[str, Any]) -> None:
    found = answers(report, "ftrace")
    always = ("tracepoint", "interval", "profile", "count", "histogram", "kernel stack")
    assert {name: found[name] for name in always} == dict.fromkeys(always, "works")
    if LiveHost().fact("uprobe.usable").yes:
        for name in ("uprobe", "uretprobe", "usdt", "user string", "user stack"):
            assert found[name] == "works"
    assert found["kprobe"] == ("works" if LiveHost().fact("kprobe.usable").yes else "no")


def test_nothing_that_was_planned_is_silent(report: dict[str, Any]) -> None:
    silent = [cell for cell in report["canaries"] if cell["answer"] in ("silent", "crash")]
    assert not silent
    assert not [check for check in report["checks"] if check["crash"]]


def test_every_bad_answer_has_a_reason(report: dict[str, Any]) -> None:
    assert all(cell["why"] for cell in report["canaries"] if cell["answer"] in ("no", "failed", "unknown"))
