"""Every named event on every recorded host: which source serves, with which backend, and why the others do not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.golden.fleet.verdicts import fleet_text
from tests.unit.facts.fleet import HOSTS, needs_hosts
from xtrace.core.backend import Backend
from xtrace.core.facts.recorded import import_recorded, recorded_fleet
from xtrace.core.plugins import Plugins

HERE = Path(__file__).parent
NAMES = sorted(recorded_fleet(HOSTS)) if HOSTS.is_dir() else []


@pytest.fixture(scope="module")
def backends() -> Mapping[str, Backend]:
    registry = Plugins(external=False).registry("backends")
    return {name: registry.make(name) for name in registry.names()}


@needs_hosts
@pytest.mark.parametrize("name", NAMES or [""])
def test_verdicts(name: str, backends: Mapping[str, Backend], update_golden: bool) -> None:
    text = fleet_text(name, import_recorded(HOSTS / name), backends)
    path = HERE / f"{name}.txt"
    if update_golden:
        path.write_text(text)
    assert path.is_file(), f"{path} is missing; --update-golden writes it"
    assert text == path.read_text()


@needs_hosts
def test_no_file_is_left_of_a_host_that_is_gone() -> None:
    assert sorted(path.stem for path in HERE.glob("*.txt")) == NAMES
