"""What docs/bpftrace.md calls refused is refused, with that code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.cli.command_lines import Shell

PAGE = Path(__file__).parents[3] / "docs" / "bpftrace.md"
REFUSED = re.findall(r"^\| `(.+?)` \| (XT\d+) \|", PAGE.read_text(), re.M)


@pytest.mark.parametrize(("program", "code"), REFUSED)
def test_refused(xtrace: Shell, bundle: str, program: str, code: str) -> None:
    done = xtrace("plan", "--facts", bundle, "--json", "-e", program)
    assert done.code in (3, 4)
    assert f'"{code}"' in done.out + done.err


def test_there_are_some() -> None:
    assert len(REFUSED) > 5
