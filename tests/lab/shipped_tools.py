"""Runs the tools that the bpftrace package of a guest ships, each for a moment, with some work for them to see.

`python3 -m tests.lab.shipped_tools [--dry-run] [TOOL…]` in a guest tells how each of them fares.
"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PLACE = Path("/usr/sbin")
SECONDS = 1
WORK = (
    "cat /etc/hostname >/dev/null; sleep 0.01; sh -c true; kill -0 $$; sync /etc/hostname; "
    "echo x >/var/tmp/lab-tools; rm /var/tmp/lab-tools; getent hosts localhost"
)


@dataclass(frozen=True)
class Fared:
    """How a tool ended: its exit status, the codes of what was said, what it printed, and its first complaint."""

    tool: str
    status: int
    codes: frozenset[str]
    output: str
    complaint: str


def tools() -> Sequence[Path]:
    return sorted(PLACE.glob("*.bt"))


@contextmanager
def working() -> Iterator[None]:
    """Processes, files, signals and names to see, over and over."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(1):
            subprocess.run(["sh", "-c", WORK], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def fare(tool: Path, *options: str) -> Fared:
    """Run one tool for a moment."""
    command = ["xtrace", "trace", "-d", str(SECONDS), *options, str(tool)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=300, check=False)
    codes = frozenset(re.findall(r"\[(XT\d{4})\]", done.stderr))
    told = [line for line in done.stderr.splitlines() if "error" in line or "warning" in line]
    return Fared(tool.stem, done.returncode, codes, done.stdout, told[0] if told else "")


def main(words: Sequence[str]) -> None:
    options, names = [one for one in words if one.startswith("-")], [one for one in words if not one.startswith("-")]
    with working():
        for tool in tools():
            if not names or tool.stem in names:
                one = fare(tool, *options)
                lines = one.output.count("\n")
                print(one.tool, one.status, " ".join(sorted(one.codes)), lines, one.complaint, sep="\t", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
