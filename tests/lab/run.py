"""Run cases on one kernel: SystemTap scripts out of a first guest if need be, then all cases in the next."""

from __future__ import annotations

import json
import shlex
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from tests.lab import images, stap
from tests.lab.boot import Job, abandon, abandoned, boot
from tests.lab.case import Case
from tests.lab.errors import LabError
from tests.lab.guest import MARK
from tests.lab.images import Image, say
from tests.lab.releases import Release

GUESTS_AT_ONCE = 2
DEATHS_ALLOWED = 3
BOOT_SECONDS = 120
RENDER_SECONDS = 60


@dataclass(frozen=True)
class Result:
    """How one case ended on one kernel."""

    kernel: str
    case: str
    status: str
    """pass, fail, skip or error."""
    reason: str = ""
    output: str = ""
    seconds: float = 0.0


OnResult = Callable[[Result], None]


def run_all(work: Iterable[tuple[Release, Sequence[Case]]], on_result: OnResult) -> Iterator[list[Result]]:
    """Run the cases of several kernels, a few guests at once; yield each kernel's results in order."""
    with ThreadPoolExecutor(GUESTS_AT_ONCE) as pool:
        try:
            yield from pool.map(lambda item: run(item[0], item[1], on_result), work)
        except BaseException:
            abandon()
            raise


def run(release: Release, cases: Sequence[Case], on_result: OnResult = lambda _: None) -> list[Result]:
    """Run *cases* on *release*. A guest that dies costs the case it was at; the rest runs in another.

    A case that fails is tried once more in a guest of its own kind: under TCG a busy machine can stall a guest for
    seconds. What passes only then is told as unsteady.
    """
    image = images.image(release)
    results: list[Result] = []
    final = _both(results.append, on_result)
    failed: dict[str, Result] = {}

    def hold(result: Result) -> None:
        if result.status in ("fail", "error"):
            failed[result.case] = result
        else:
            final(result)

    def tell(result: Result) -> None:
        if result.status == "pass":
            say(f"lab: unsteady on {release.kernel}: {result.case} failed once: {failed[result.case].reason}")
        final(result)

    with tempfile.TemporaryDirectory() as folder:
        scripts = [*_scripts(cases), *rendered(image, _commands(release, cases))]
        files = extras(image, scripts, Path(folder))
        _boots(image, files, {case.id: case for case in cases}, hold)
        _boots(image, files, {case.id: case for case in cases if case.id in failed}, tell)
    return results


def _boots(image: Image, files: dict[str, Path], left: dict[str, Case], on_result: OnResult) -> None:
    """Boot guests until no case is left. Raises LabError when too many of them die."""
    deaths = 0
    while left:
        deaths += _boot(image, files, left, on_result)
        if deaths > DEATHS_ALLOWED or abandoned():
            raise LabError(f"kernel {image.release.kernel}: its guests died {deaths} times")


def extras(image: Image, scripts: Sequence[str], folder: Path) -> dict[str, Path]:
    """Fill *folder* with the modules of *scripts* and the guest's facts; return them as payload files."""
    modules = folder / "stap"
    stap.compiled(image, scripts, modules)
    facts = folder / "facts.json"
    facts.write_text(_facts(image.release))
    return {"stap": modules, "facts.json": facts}


def _boot(image: Image, files: dict[str, Path], left: dict[str, Case], on_result: OnResult) -> int:
    """Run the cases *left* in one guest, taking out those that ended; return 1 if the guest died, else 0.

    A guest that dies outside any case, on its way up for example, costs none.
    """
    listener = _Listener(image.release.kernel, left, on_result)
    seconds = BOOT_SECONDS + sum(case.timeout for case in left.values())
    job = Job("exec python3 -m tests.lab.guest " + shlex.join(left), files, seconds, listener.allowance)
    with tempfile.TemporaryDirectory() as out:
        try:
            status = boot(image, job, Path(out), listener.hear).status
        except LabError as error:
            if not listener.current:
                say(f"{error}\nlab: another try")
                return 1
            listener.end({"status": "error", "reason": f"the guest died: {error}", "output": "", "seconds": 0.0})
            return 1
    if status != 0 or left:
        raise LabError(f"kernel {image.release.kernel}: the runner exited with {status}:\n{listener.noise()}")
    return 0


class _Listener:
    """Turns what the guest's runner prints into results."""

    def __init__(self, kernel: str, left: dict[str, Case], on_result: OnResult) -> None:
        self.current = ""
        self._kernel = kernel
        self._left = left
        self._on_result = on_result
        self._buffer = b""
        self._noise: list[str] = []

    def hear(self, chunk: bytes) -> None:
        *lines, self._buffer = (self._buffer + chunk).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace").rstrip("\r")
            if not text.startswith(MARK):
                self._noise.append(text)
                continue
            message = json.loads(text[len(MARK) :])
            self.current = message.pop("case")
            if message:
                self.end(message)

    def end(self, message: dict[str, object]) -> None:
        result = Result(self._kernel, self.current, **message)  # type: ignore[arg-type]
        del self._left[self.current]
        self.current = ""
        self._on_result(result)

    def allowance(self) -> float:
        """Seconds until the guest must speak again: the runner in it ends a case that overstays, unless all hangs."""
        return BOOT_SECONDS + (self._left[self.current].timeout if self.current else 0)

    def noise(self) -> str:
        return "\n".join(self._noise[-30:])


def _scripts(cases: Sequence[Case]) -> list[str]:
    return [item for case in cases for item in case.stap if isinstance(item, str)]


def rendered(image: Image, commands: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the scripts that ``xtrace render WORDS… --backend systemtap`` prints in a guest of *image*.

    One that cannot be rendered is reported and left out; the case that needs it will fail and say more.
    """
    if not commands:
        return []
    say(f"rendering {len(commands)} SystemTap scripts on {image.uname}")
    script = "\n".join(
        f"xtrace render {shlex.join(words)} --backend systemtap >/lab/out/{number}.stp 2>/lab/out/{number}.err"
        f" || rm /lab/out/{number}.stp"
        for number, words in enumerate(commands)
    )
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        job = Job(f"{script}\ntrue", timeout=BOOT_SECONDS + RENDER_SECONDS * len(commands))
        boot(image, job, out, lambda _output: None)
        for number, words in enumerate(commands):
            complaint = (out / f"{number}.err").read_text(errors="replace").strip()
            if complaint:
                say(f"{image.release.kernel}: xtrace render {shlex.join(words)}: {complaint}")
        return [path.read_text() for path in sorted(out.glob("*.stp"))]


def _commands(release: Release, cases: Sequence[Case]) -> list[tuple[str, ...]]:
    """Return what to render for the cases that SystemTap can serve on *release*."""
    served = [case for case in cases if _can_serve(release, case)]
    return sorted({item for case in served for item in case.stap if not isinstance(item, str)})


def _can_serve(release: Release, case: Case) -> bool:
    kinds = {need.partition(":")[2] for need in case.needs if need.startswith("systemtap:")}
    return kinds <= release.systemtap


def _facts(release: Release) -> str:
    return json.dumps(
        {
            "kernel": release.kernel,
            "suite": release.suite,
            "systemtap": sorted(release.systemtap),
            "systemtap_broken": release.systemtap_broken,
        }
    )


def _both(first: OnResult, second: OnResult) -> OnResult:
    def call(result: Result) -> None:
        first(result)
        second(result)

    return call
