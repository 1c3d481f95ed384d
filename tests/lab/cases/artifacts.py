"""What ``xtrace render`` prints runs alone: no xtrace, only the engine."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.lab.capability import LAB
from tests.lab.case import case
from tests.lab.inside import Background, equal_counts, hidden, workload, xtrace
from tests.lab.workload import MISSING, OPENED

COUNT = 23
CANARY = "/etc/hostname"


@case(needs=["ftrace"], timeout=90)
def shell_script() -> None:
    """The shell script of ftrace shows every open."""
    _shows_every_open("ftrace", "sh")


@case(needs=["bcc"], timeout=90)
def python_file() -> None:
    """The Python file of BCC shows every open."""
    _shows_every_open("bcc", "python3")


def _shows_every_open(backend: str, *interpreter: str) -> None:
    artifact = Path(f"/lab/opensnoop.{backend}")
    artifact.write_text(xtrace("render", "opensnoop", "--backend", backend).stdout)
    with hidden(LAB / "tree/xtrace"):
        _run(interpreter, artifact)


def _run(interpreter: Sequence[str], artifact: Path) -> None:
    running = Background(*interpreter, str(artifact))
    running.wait_for(CANARY, meanwhile=["cat", CANARY])
    subprocess.run(workload("opens", COUNT).split(), check=True)
    running.wait_for(f"{MISSING}/{COUNT - 1}")
    done = running.end()
    found = re.findall(rf"(?:{OPENED}|{MISSING})/\d+", done.stdout)
    # The workload opens each file of OPENED twice: once to make it.
    expected = [f"{folder}/{number}" for number in range(COUNT) for folder in (OPENED, OPENED, MISSING)]
    equal_counts(found, expected, "paths shown")
