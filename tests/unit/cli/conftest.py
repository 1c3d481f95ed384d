"""What the tests of commands share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.command_lines import Shell, recorded_host


@pytest.fixture
def xtrace(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    return recorded_host(tmp_path)
