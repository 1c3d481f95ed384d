"""What an examination gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Callable, Literal

from xtrace.core.facts.model import HostFacts
from xtrace.core.plan.model import Finding

Run = Callable[[HostFacts], "tuple[Finding, ...]"]
Answer = Literal["yes", "limited", "no", "unknown", "works", "silent", "failed", "crash"]
"""`yes`, `limited` and `no` are planned; `works`, `silent` (ran, but its event did not come) and `failed` are tried."""
Standing = Literal["usable", "usable with limits", "unusable", "unknown"]

GOOD: tuple[Answer, ...] = ("yes", "limited", "works")


@dataclass(frozen=True)
class Check:
    """One thing to look at. Its id is stable; `run` reads facts and changes nothing."""

    id: str
    title: str
    run: Run


@dataclass(frozen=True)
class Result:
    """What a check found. `crash` is the error of a check that failed itself, which is a defect of the check."""

    id: str
    title: str
    findings: tuple[Finding, ...] = ()
    crash: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Cell:
    """Can this backend serve this kind of probe here? `remedy` is what would help where it cannot."""

    canary: str
    backend: str
    answer: Answer
    why: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Examination:
    """Everything a report tells. `standings` are the verdicts on backends, with the reason of a bad one."""

    host: Mapping[str, object]
    results: tuple[Result, ...]
    cells: tuple[Cell, ...]
    standings: Mapping[str, tuple[Standing, str]] = field(default_factory=dict)
    active: bool = False

    @property
    def crashed(self) -> bool:
        return any(one.crash for one in self.results) or any(cell.answer == "crash" for cell in self.cells)

    @property
    def usable(self) -> bool:
        return any(standing.startswith("usable") for standing, _ in self.standings.values())

    @property
    def spotless(self) -> bool:
        """Nothing to fix anywhere."""
        bad = [one for result in self.results for one in result.findings if one.state in ("warn", "fail", "unknown")]
        return not bad and all(cell.answer in ("yes", "works") for cell in self.cells)
