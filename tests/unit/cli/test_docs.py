"""The reference pages say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs import PAGES, REFERENCE
from xtrace.cli.main import COMMANDS
from xtrace.core.codes import CODES

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_not_stale(name: str) -> None:
    assert (REFERENCE / name).read_text() == PAGES[name](), "run: python -m tests.docs"


def test_every_code_that_is_used_is_documented() -> None:
    used = {
        code
        for path in (ROOT / "xtrace").rglob("*.py")
        if path.parent.name != "codes"
        for code in re.findall(r'"(XT\d{4})"', path.read_text())
    }
    assert used <= set(CODES)


def test_every_documented_code_is_used() -> None:
    text = "\n".join(path.read_text() for path in (ROOT / "xtrace").rglob("*") if path.suffix in (".py", ".j2"))
    assert not [code for code in CODES if text.count(f'"{code}"') + text.count(f"[{code}]") < 2]


def test_every_schema_has_its_place() -> None:
    page = (REFERENCE / "output.md").read_text()
    text = "\n".join(path.read_text() for path in (ROOT / "xtrace").rglob("*.py"))
    assert not [name for name in re.findall(r'"schema": "(xtrace\.[a-z-]+/\d)"', text) if name not in page]


def test_the_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text()
    assert not [name for name in COMMANDS if f"xtrace {name}" not in readme]
