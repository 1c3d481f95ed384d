"""What was tried is remembered for the boot, if it is conclusive and the file can be trusted."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from xtrace.core.facts import conclusive
from xtrace.core.facts.files import HostFiles
from xtrace.core.facts.model import Fact, State

FILES = HostFiles("/")


class Asked:
    """Counts how often an answer had to be found out."""

    def __init__(self, *answers: Fact) -> None:
        self.answers = iter(answers)
        self.count = 0

    def __call__(self) -> Fact:
        self.count += 1
        return next(self.answers)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    found = tmp_path / "run" / "facts.json"
    monkeypatch.setattr(conclusive, "cache_place", lambda files: found)
    yield found


@pytest.mark.parametrize("state", [State.PRESENT, State.ABSENT, State.UNSUPPORTED])
def test_conclusive_trials_are_remembered(place: Path, state: State) -> None:
    asked = Asked(Fact(state, 3, "tried", 22))
    for _ in range(2):
        assert conclusive.remembered(FILES, "tracefs.eprobes", asked) == Fact(state, 3, "tried", 22)
    assert asked.count == 1
    assert place.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("state", [State.DENIED, State.UNPROBED])
def test_what_is_not_known_is_asked_again(place: Path, state: State) -> None:
    asked = Asked(Fact(state), Fact(State.PRESENT))
    conclusive.remembered(FILES, "tracefs.eprobes", asked)
    assert conclusive.remembered(FILES, "tracefs.eprobes", asked).yes


def test_a_missing_program_is_asked_again(place: Path) -> None:
    asked = Asked(Fact(State.ABSENT), Fact(State.PRESENT, {"path": "/bin/sh"}))
    conclusive.remembered(FILES, "bcc.python", asked)
    assert conclusive.remembered(FILES, "bcc.python", asked).yes


def test_a_program_that_changed_is_asked_again(place: Path, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("1")
    asked = Asked(*[Fact(State.PRESENT, {"path": str(program)}, str(n)) for n in range(2)])
    for _ in range(2):
        assert conclusive.remembered(FILES, "bcc.python", asked).evidence == "0"
    program.write_text("another")
    assert conclusive.remembered(FILES, "bcc.python", asked).evidence == "1"


def remember(place: Path) -> Asked:
    conclusive.remembered(FILES, "tracefs.eprobes", Asked(Fact(State.PRESENT)))
    assert place.exists()
    return Asked(Fact(State.ABSENT, None, "new"))


def test_a_file_that_others_may_write_is_not_believed(place: Path) -> None:
    asked = remember(place)
    place.chmod(0o666)
    assert conclusive.remembered(FILES, "tracefs.eprobes", asked).evidence == "new"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_not_believed(place: Path) -> None:
    asked = remember(place)
    os.chown(place, 65534, 65534)
    assert conclusive.remembered(FILES, "tracefs.eprobes", asked).evidence == "new"


def test_a_symbolic_link_is_not_followed(place: Path, tmp_path: Path) -> None:
    asked = remember(place)
    place.rename(tmp_path / "moved")
    place.symlink_to(tmp_path / "moved")
    assert conclusive.remembered(FILES, "tracefs.eprobes", asked).evidence == "new"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"tracefs.eprobes": 3}', '{"tracefs.eprobes": {"state": "odd"}}'])
def test_damage_is_not_believed(place: Path, text: str) -> None:
    asked = remember(place)
    place.write_text(text)
    assert conclusive.remembered(FILES, "tracefs.eprobes", asked).evidence == "new"
    assert json.loads(place.read_text())["tracefs.eprobes"]["state"] == "absent"


def test_a_directory_that_cannot_be_written_only_costs_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conclusive, "cache_place", lambda files: Path("/proc/nothing/here"))
    assert conclusive.remembered(FILES, "tracefs.eprobes", Asked(Fact(State.PRESENT))).yes


def test_the_place_names_boot_user_and_capabilities(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    found = conclusive.cache_place(FILES)
    assert found is not None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert boot in found.name
    assert f"-{os.geteuid()}-" in found.name


def test_other_roots_are_never_remembered() -> None:
    asked = Asked(Fact(State.PRESENT), Fact(State.PRESENT))
    for _ in range(2):
        conclusive.remembered(HostFiles("/elsewhere"), "tracefs.eprobes", asked)
    assert asked.count == 2
