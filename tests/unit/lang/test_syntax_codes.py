"""Every code of the syntax range is documented, and none is documented that nothing says."""

from __future__ import annotations

import re
from pathlib import Path

import xtrace.core.lang
from xtrace.core.codes import syntax


def test_codes_in_use_are_the_codes_documented() -> None:
    folder = Path(xtrace.core.lang.__file__).parent
    used = {code for module in folder.glob("*.py") for code in re.findall(r"XT01\d\d", module.read_text())}
    assert used == set(syntax.CODES)
