"""Canaries run for real: each against a process that is started for it, until its event is seen or it has ended."""

from __future__ import annotations

import io
import shlex
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from xtrace.core import ir
from xtrace.core.backend import Backend
from xtrace.core.errors import XtraceError
from xtrace.core.events import Frames, MapOutput, Output, Printed, Table
from xtrace.core.facts.model import HostFacts
from xtrace.core.plan.model import Request
from xtrace.core.session.conduct import Aim, Outlet, conduct
from xtrace.core.session.drive import Limits
from xtrace.doctor.canaries import CANARIES, Canary
from xtrace.doctor.grid import complaint, request
from xtrace.doctor.model import GOOD, Cell
from xtrace.doctor.program import program

_SECONDS = 20.0
_COMMAND = "sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done'"
"""Where there is no program to probe, anything that runs for a while serves the other canaries."""


class Recorder:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []

    def begin(self, tables: tuple[Table, ...]) -> None:
        """Canaries have no tables."""

    def write(self, output: Output) -> bool:
        self.outputs.append(output)
        return True

    def flush(self) -> None:
        """Everything is kept already."""


def tried(planned: Iterable[Cell], facts: HostFacts, backends: Mapping[str, Backend]) -> Iterator[Cell]:
    """The cells again, those that could serve after a real run."""
    by_name = {canary.name: canary for canary in CANARIES}
    with tempfile.TemporaryDirectory(prefix="xtrace-doctor-") as place:
        path = _installed(Path(place), facts.arch)
        for cell in planned:
            if cell.answer in GOOD:
                yield _trial(by_name[cell.canary], backends[cell.backend], facts, path)
            else:
                yield cell


def _installed(place: Path, arch: str) -> str:
    data = program(arch)
    if data is None:
        return ""
    path = place / "canary"
    path.write_bytes(data)
    path.chmod(0o755)
    return str(path)


def _trial(canary: Canary, backend: Backend, facts: HostFacts, path: str) -> Cell:
    recorder = Recorder()
    told: list[str] = []

    def request_for(scope: ir.Scope, cpid: int) -> Request:
        return request(canary, path, scope, cpid)

    outlet = Outlet(recorder, io.StringIO(), told.append, lambda plan: None)
    aim = Aim(command=shlex.quote(path) if path else _COMMAND)
    try:
        conduct(request_for, aim, facts, {backend.name: backend}, outlet, Limits(_SECONDS, quiet=True))
    except XtraceError as error:
        return complaint(canary, backend.name, "failed", error.diagnostics[0])
    except Exception as error:  # a backend that fails is itself what an examination must tell
        return Cell(canary.name, backend.name, "crash", f"{type(error).__name__}: {error}")
    if seen(canary, recorder.outputs):
        return Cell(canary.name, backend.name, "works")
    why = "it ran, but its event was not seen" + "".join(f"; {line}" for line in told)
    return Cell(canary.name, backend.name, "silent", why)


def seen(canary: Canary, outputs: Iterable[Output]) -> bool:
    """Is what the canary was to show among the outputs?"""
    for output in outputs:
        if isinstance(output, Printed) and output.text.startswith(canary.expected):
            return True
        if isinstance(output, MapOutput) and output.name == canary.expected and _filled(output):
            return True
    return False


def _filled(output: MapOutput) -> bool:
    """Does the map have an entry, and where its keys are stacks, one with frames?"""
    stacks = [key for keys, _ in output.entries for key in keys if isinstance(key, Frames)]
    return bool(output.entries) and (not stacks or any(one.names for one in stacks))
