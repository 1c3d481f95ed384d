from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.resolve.named import Events


@pytest.fixture
def events(tmp_path: Path) -> Events:
    return Events(tmp_path)
