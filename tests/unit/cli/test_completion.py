"""What a shell completes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("xtrace do", "doctor"),
        ("xtrace run opens", "opensnoop"),
        ("xtrace run opensnoop --backend s", "systemtap"),
        ("xtrace show file.o", "file.open"),
        ("xtrace show opens", "opensnoop"),
        ("xtrace doctor opens", "opensnoop"),
        ("xtrace matrix exec", "execsnoop"),
        ("xtrace trace --dry", "--dry-run"),
    ],
)
def test_completion(line: str, offered: str) -> None:
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1), "_XTRACE_COMPLETE": "bash_complete"}
    program = "from xtrace.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ, **asked})
    assert f"plain,{offered}" in done.stdout.splitlines(), done.stderr
