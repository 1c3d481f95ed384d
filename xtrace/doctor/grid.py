"""Each canary on each backend, planned from facts alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from xtrace.core import ir
from xtrace.core.backend import Backend
from xtrace.core.errors import Diagnostic, XtraceError
from xtrace.core.facts.model import HostFacts
from xtrace.core.lang.parser import parse
from xtrace.core.lang.source import Source
from xtrace.core.plan.model import Plan, Refusal, Request
from xtrace.doctor.canaries import CANARIES, Canary
from xtrace.doctor.model import Answer, Cell
from xtrace.doctor.program import program

PLANNED_PATH = "/nowhere/xtrace-canary"
_NOT_KNOWN = frozenset(("XT0503", "XT0504", "XT0508"))
"""Codes of refusals that say that nobody could look."""


class WithProgram:
    """A host's facts, and one more program on its disk: the one that canaries probe."""

    def __init__(self, facts: HostFacts, path: str, data: bytes) -> None:
        self._facts, self._path, self._data = facts, path, data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._facts, name)

    def read_binary(self, path: str) -> bytes:
        return self._data if path == self._path else self._facts.read_binary(path)


def request(title: str, text: str, path: str, scope: ir.Scope, cpid: int = 0) -> Request:
    """What a program of canaries asks for, with `path` as the program that it probes."""
    source = Source(title, text.replace("PATH", path))
    return Request(parse(source), title, scope, cpid=cpid)


def planned(facts: HostFacts, backends: Mapping[str, Backend]) -> Iterator[Cell]:
    """Every cell, canary by canary. Pure: nothing is attached."""
    data = program(facts.arch)
    known = cast(HostFacts, WithProgram(facts, PLANNED_PATH, data)) if data else facts
    for canary in CANARIES:
        for backend in backends.values():
            yield _cell(canary, backend, known, data is not None)


def _cell(canary: Canary, backend: Backend, facts: HostFacts, has_program: bool) -> Cell:
    if canary.needs_program and not has_program:
        return Cell(canary.name, backend.name, "unknown", f"there is no program to probe on {facts.arch}")
    try:
        verdict = backend.plan(
            request(f"canary {canary.name}", canary.text, PLANNED_PATH, ir.Scope(1, follow=True)), facts
        )
    except XtraceError as error:
        verdict = Refusal(backend.name, error.diagnostics)
    except Exception as error:  # a backend that fails is itself what an examination must tell
        return Cell(canary.name, backend.name, "crash", f"{type(error).__name__}: {error}")
    if isinstance(verdict, Plan):
        loses = "; ".join(one.message for one in verdict.degradations)
        return Cell(canary.name, backend.name, "limited" if loses else "yes", loses)
    return refused(canary, backend.name, verdict.reasons)


def refused(canary: Canary, backend: str, reasons: tuple[Diagnostic, ...]) -> Cell:
    """A refusal as a cell: no, or unknown where the only reasons are that nobody may look."""
    unknown = all(reason.code in _NOT_KNOWN for reason in reasons)
    return complaint(canary, backend, "unknown" if unknown else "no", reasons[0])


def complaint(canary: Canary, backend: str, answer: Answer, reason: Diagnostic) -> Cell:
    """A cell with the first line of a complaint and its first hint."""
    remedy = reason.hints[0] if reason.hints else ""
    return Cell(canary.name, backend, answer, reason.message.partition("\n")[0], remedy)
