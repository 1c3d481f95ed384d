"""Canaries run for real: each against a process that is started for it, until its event is seen or it has ended."""

from __future__ import annotations

import io
import shlex
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    """The cells again, those that could serve after a real run.

    First all canaries of a backend run as one program, which takes a tenth of the time. What is not seen of them then
    runs alone, so that one that fails does not hide the others, and its own complaint is told.
    """
    cells = list(planned)
    by_name = {canary.name: canary for canary in CANARIES}
    with tempfile.TemporaryDirectory(prefix="xtrace-doctor-") as place:
        path = _installed(Path(place), facts.arch)
        found = {}
        for name, backend in backends.items():
            able = [by_name[cell.canary] for cell in cells if cell.backend == name and cell.answer in GOOD]
            found[name] = _together(able, backend, facts, path)
        for cell in cells:
            if cell.answer not in GOOD:
                yield cell
            elif cell.canary in found[cell.backend]:
                yield Cell(cell.canary, cell.backend, "works")
            else:
                yield _alone(by_name[cell.canary], backends[cell.backend], facts, path)


def _installed(place: Path, arch: str) -> str:
    data = program(arch)
    if data is None:
        return ""
    path = place / "canary"
    path.write_bytes(data)
    path.chmod(0o755)
    return str(path)


def _together(canaries: Sequence[Canary], backend: Backend, facts: HostFacts, path: str) -> frozenset[str]:
    """The names of the canaries that were seen when all ran as one program; none where that could not run."""
    if len(canaries) < 2:
        return frozenset()
    try:
        outputs, _ = _outputs("all canaries", "\n".join(one.text for one in canaries), backend, facts, path)
    except Exception:  # whatever it is, the canary that is to blame will tell when it runs alone
        return frozenset()
    return frozenset(one.name for one in canaries if seen(one, outputs))


def _alone(canary: Canary, backend: Backend, facts: HostFacts, path: str) -> Cell:
    try:
        outputs, told = _outputs(f"canary {canary.name}", canary.once, backend, facts, path)
    except XtraceError as error:
        return complaint(canary, backend.name, "failed", error.diagnostics[0])
    except Exception as error:  # a backend that fails is itself what an examination must tell
        return Cell(canary.name, backend.name, "crash", f"{type(error).__name__}: {error}")
    if seen(canary, outputs):
        return Cell(canary.name, backend.name, "works")
    why = "it ran, but its event was not seen" + "".join(f"; {line}" for line in told)
    return Cell(canary.name, backend.name, "silent", why)


def _outputs(title: str, text: str, backend: Backend, facts: HostFacts, path: str) -> tuple[list[Output], list[str]]:
    """What a program shows of the process that it is run against, and what is said on the way."""
    recorder = Recorder()
    told: list[str] = []
    outlet = Outlet(recorder, io.StringIO(), told.append, lambda warning: None, lambda plan, concerning: None)
    aim = Aim(command=shlex.quote(path) if path else _COMMAND)

    def request_for(scope: ir.Scope, cpid: int) -> Request:
        return request(title, text, path, scope, cpid)

    conduct(request_for, aim, facts, {backend.name: backend}, outlet, Limits(_SECONDS, quiet=True))
    return recorder.outputs, told


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
