"""The commands that README.md and the guide show are true: each runs here, or says why it cannot."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.live.cli_runs import XTRACE, clean, live
from xtrace.core.facts.live import LiveHost

pytestmark = live

ROOT = Path(__file__).parents[2]
_LINE = re.compile(r"^\$ (?:sudo )?xtrace (.+)$", re.M)
SHOWN = [
    (page, line)
    for page in ("README.md", "docs/guide.md")
    for block in re.findall(r"```console\n(.*?)```", (ROOT / page).read_text(), re.S)
    for line in _LINE.findall(block)
]


def shortened(words: list[str]) -> list[str]:
    """The command line with a shorter duration."""
    at = words.index("-d") + 1 if "-d" in words else 0
    return [*words[:at], "0.5", *words[at + 1 :]] if at else words


@pytest.mark.parametrize(("page", "line"), SHOWN, ids=[line[:60] for _, line in SHOWN])
def test_it_runs(page: str, line: str) -> None:
    words = shortened(shlex.split(line))
    with clean():
        done = subprocess.run([*XTRACE, *words], capture_output=True, text=True, timeout=120)
    if "kprobe:" in line and not LiveHost().fact("kprobe.usable").yes:
        assert done.returncode == 4
        assert "no kprobes" in done.stderr
        pytest.skip("this kernel has no kprobes, and xtrace said so")
    assert done.returncode == 0, done.stderr
    assert done.stdout or "-o" in words or "-d" in words, "a trace may see nothing in its time, a report may not"


def test_there_are_examples() -> None:
    assert {page for page, _ in SHOWN} == {"README.md", "docs/guide.md"}


def test_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
