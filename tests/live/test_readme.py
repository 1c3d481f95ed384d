"""The commands that README.md and the guides show are true: each runs here, or says why it cannot."""

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
PAGES = ("README.md", "docs/guide.md", "docs/bpftrace.md")
_LINE = re.compile(r"^\$ (?:sudo )?xtrace (.+)$", re.M)
SHOWN = [
    (page, line)
    for page in PAGES
    for block in re.findall(r"```console\n(.*?)```", (ROOT / page).read_text(), re.S)
    for line in _LINE.findall(block)
]


def adapted(line: str, place: Path) -> list[str]:
    """The command's words with a shorter duration, and with files in a place of their own."""
    words = [word.replace("/tmp", str(place)) for word in shlex.split(line)]
    at = words.index("-d") + 1 if "-d" in words else 0
    return [*words[:at], "0.5", *words[at + 1 :]] if at else words


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pages have /tmp, with the bundles that they make."""
    place = tmp_path_factory.mktemp("shown")
    (place / "fleet").mkdir()
    for _, line in SHOWN:
        if line.startswith("facts -o"):
            subprocess.run([*XTRACE, *adapted(line, place)], check=True, timeout=120)
    return place


@pytest.mark.parametrize(("page", "line"), SHOWN, ids=[line[:60] for _, line in SHOWN])
def test_it_runs(page: str, line: str, place: Path) -> None:
    words = adapted(line, place)
    with clean():
        done = subprocess.run([*XTRACE, *words], capture_output=True, text=True, timeout=120)
    if "kprobe:" in line and not LiveHost().fact("kprobe.usable").yes:
        assert done.returncode == 4
        assert "no kprobes" in done.stderr
        pytest.skip("this kernel has no kprobes, and xtrace said so")
    assert done.returncode == 0, done.stderr
    quiet = {"-o", "-d", "--dry-run"} & set(words)
    assert done.stdout or quiet, "a trace may see nothing in its time, a report may not"


def test_there_are_examples() -> None:
    assert {page for page, _ in SHOWN} == set(PAGES)


def test_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        text = page.read_text()
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
        titles = {
            re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in re.findall(r"^#+ (.+)$", text, re.M)
        }
        for target in re.findall(r"\]\(#([^)]+)\)", text):
            assert target in titles, f"{page.name}: #{target}"
