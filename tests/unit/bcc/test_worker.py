"""The artifact runs on the oldest and the newest Pythons that own a BCC; a stub takes BCC's place."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.bcc.programs import ALL, counting
from xtrace.backends.bcc.decode import Decoder, Finished
from xtrace.backends.bcc.handler import Host
from xtrace.backends.bcc.lower import lower
from xtrace.backends.bcc.render import worker
from xtrace.core.messages import Attached, Exited, HistValue, Hit, Loss, MapDump

PYTHONS = ("2.7", "3.6", "here")
STUB = Path(__file__).with_name("stub_bcc.txt")
MODEL = lower(counting(), Host("x86_64", boot_clock=True))


def word(text: str) -> list[int]:
    raw = text.encode().ljust(16, b"\0")
    return [int.from_bytes(raw[:8], sys.byteorder), int.from_bytes(raw[8:], sys.byteorder)]


SCRIPT: dict[str, Any] = {
    "records": [
        [1, [1, 2000]],
        [0, [0, 1000, 7, *word("it's")[:1], *[0] * 7]],
        [0, [2, 3000]],
        [0, [1, 3500]],
        [0, [3, 4000, 2]],
    ],
    "maps": {"m0_calls": [[word("cat"), [2]], [word("zsh"), [40]]], "m1_ids": [[[1], [3]], [[4], [6]]]},
    "losses": {"0": [0, 5], "4": [1, 0]},
}


def interpreter(name: str) -> str:
    """One of pyenv's, whose stand-ins on PATH may run none, or Python *name* on PATH."""
    if name == "here":
        return sys.executable
    installed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(f"versions/*/bin/python{name}")
    found = next(map(str, installed), None) or shutil.which(f"python{name}")
    if found is None:
        pytest.skip(f"no Python {name} on PATH or in pyenv")
    return found


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "bcc").mkdir()
    shutil.copy(STUB, tmp_path / "bcc" / "__init__.py")
    (tmp_path / "tmp").mkdir()
    (tmp_path / "worker.py").write_text(worker(MODEL))
    return tmp_path


def run(place: Path, python: str, script: dict[str, Any], *options: str) -> subprocess.CompletedProcess[str]:
    env = {
        **os.environ,
        "PYTHONPATH": str(place),
        "PYTHONDONTWRITEBYTECODE": "1",
        "STUB_BCC": json.dumps(script),
        "TMPDIR": str(place / "tmp"),
    }
    command = [interpreter(python), str(place / "worker.py"), *options]
    return subprocess.run(command, env=env, input="finish\n", capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("python", PYTHONS)
def test_text_for_a_person(place: Path, python: str) -> None:
    done = run(place, python, SCRIPT)
    lines = done.stdout.splitlines()
    assert lines[:3] == ["hello 7 it's", "@calls[cat]: 2", "@calls[zsh]: 40"], done.stderr
    assert done.returncode == 2
    assert "[0]                    3 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |" in lines
    assert "[4, 8)                 6 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|" in lines
    assert "lost 5 (dropped, cpu 1)" in done.stderr and "map-full, @calls" in done.stderr
    assert list((place / "tmp").iterdir()) == []


@pytest.mark.parametrize("python", PYTHONS)
def test_messages_for_xtrace(place: Path, python: str) -> None:
    done = run(place, python, SCRIPT, "--messages")
    decoder = Decoder(MODEL.tables)
    messages = [decoder.message(line) for line in done.stdout.splitlines()]
    assert messages[:4] == [
        Hit(0, (7, "it's"), 1000, 0),
        MapDump("calls", ((("cat",), 2), (("zsh",), 40)), 1),
        MapDump("calls", (), 1),
        Exited(2),
    ], done.stderr
    assert messages[4] == Attached(4)
    assert messages[5] == MapDump("ids", (((), HistValue(((1, 3), (4, 6)))),))
    assert [type(message) for message in messages[6:]] == [Loss, Loss, Finished]


@pytest.mark.parametrize("python", PYTHONS)
def test_a_compiler_that_refuses(place: Path, python: str) -> None:
    done = run(place, python, {"fail": 1})
    assert done.returncode == 1 and done.stdout == ""
    assert "stub says no" in done.stderr and "could not compile" in done.stderr
    assert list((place / "tmp").iterdir()) == []


@pytest.mark.parametrize("name", ALL)
def test_nothing_newer_than_these_pythons(name: str, tmp_path: Path) -> None:
    target = tmp_path / "worker.py"
    target.write_text(worker(lower(ALL[name](), Host("x86_64"))))
    checker = Path(sys.executable).with_name("vermin")
    if not checker.exists():
        pytest.skip("no vermin")
    done = subprocess.run([checker, "-t=2.7", "-t=3.6-", "--violations", target], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
