"""How far the front end gets with a tool, without a host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xtrace.core.errors import Diagnostic, ProgramError
from xtrace.core.lang.parser import parse
from xtrace.core.lang.source import Source
from xtrace.core.lang.typing import check

Stage = Literal["types", "parses", "refused"]
UNSUPPORTED = ("XT0116", "XT0220", "XT0221", "XT0222")
"""Codes that name a feature which xtrace does not have, or asks for leave to use."""


@dataclass(frozen=True)
class Verdict:
    """The stage that a tool reaches, and what keeps it from the next."""

    stage: Stage
    complaints: tuple[Diagnostic, ...] = ()

    @property
    def named(self) -> bool:
        """Whether every complaint names a feature that is missing, rather than a fault of the tool or of ours."""
        return all(complaint.code in UNSUPPORTED for complaint in self.complaints)


def judge(tool: Path) -> Verdict:
    try:
        program = parse(Source(tool.name, tool.read_text(encoding="utf-8", errors="surrogateescape")))
    except ProgramError as error:
        return Verdict("refused", error.diagnostics)
    complaints = tuple(one for one in check(program) if one.severity == "error")
    return Verdict("parses" if complaints else "types", complaints)
