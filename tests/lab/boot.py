"""Boot an image in QEMU, run one script in it and bring its files back."""

from __future__ import annotations

import math
import os
import re
import select
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab import cache, initramfs, payload
from tests.lab.errors import LabError
from tests.lab.images import Image

# One thread for both virtual CPUs: with a thread each, QEMU 7.2 loses a race when the kernel patches its own
# code (a static key, a probe) and runs a stale breakpoint, which the kernel takes for an int3 of its own: "Oops: int3".
ACCELERATOR = "tcg,thread=single"
MEMORY_MIB = 1536
RESULT_BYTES = 512 << 20
CONSOLE_TAIL = 25
LOGS_KEPT_SECONDS = 86_400
# The kernel's words for its own death, which a long call trace would push out of the tail.
DEATH = re.compile(r"Kernel panic|BUG:|Oops|general protection|double fault")


_running: set[subprocess.Popen[bytes]] = set()
_abandoned = threading.Event()


def abandon() -> None:
    """Kill every guest of this process, those still to start too: the run is interrupted."""
    _abandoned.set()
    for process in list(_running):
        process.kill()


def abandoned() -> bool:
    """Tell whether no guest shall run any more."""
    return _abandoned.is_set()


@dataclass(frozen=True)
class Job:
    """What to do in a guest."""

    script: str = ""
    """Bash, run as root with the second serial line as its standard streams."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """Further files and folders of the payload, by their name below /lab."""
    timeout: float = 300
    silence: Callable[[], float] = lambda: math.inf
    """For how many seconds the guest may say nothing, asked anew whenever it has spoken."""
    interactive: bool = False
    """A shell on this terminal instead of the script."""


@dataclass(frozen=True)
class Ended:
    """How a guest ended."""

    status: int
    seconds: float


def boot(image: Image, job: Job, out: Path, on_output: Callable[[bytes], None]) -> Ended:
    """Run *job* in a fresh guest; its /lab/out is copied to *out*, its output passed on live."""
    work = _work_folder(image)
    started = time.monotonic()
    try:
        _prepare(image, job, work)
        complaint = _run_qemu(image, job, work, on_output)
        status = _unpack(work / "results.tar", out)
    except BaseException:
        shutil.rmtree(work)
        raise
    if status is None:
        raise LabError(_failure(image, complaint, work / "console.log"))
    shutil.rmtree(work)
    return Ended(status, time.monotonic() - started)


def _work_folder(image: Image) -> Path:
    """Make a folder for one run; those of guests that died are kept for a day."""
    runs = cache.folder() / "runs"
    runs.mkdir(exist_ok=True)
    for old in runs.iterdir():
        if time.time() - old.stat().st_mtime > LOGS_KEPT_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{image.release.kernel}-", dir=runs))


def _prepare(image: Image, job: Job, work: Path) -> None:
    (work / "initramfs").write_bytes(initramfs.build(image.root, image.uname))
    files = dict(job.files)
    if job.interactive:
        flag = work / "interactive"
        flag.touch()
        files["interactive"] = flag
    payload.pack(image, work / "payload.tar", job.script, files)
    with (work / "results.tar").open("wb") as file:
        file.truncate(RESULT_BYTES)


def _command(image: Image, work: Path) -> list[str]:
    # no_timer_check: on a busy host the emulated timer's interrupts come too late for that boot-time check.
    kernel_line = "console=ttyS0 panic=-1 oops=panic loglevel=4 random.trust_cpu=on no_timer_check"
    # --pdeathsig: a run that is killed with SIGKILL takes its guests along.
    command = ["setpriv", "--pdeathsig", "KILL", "nice", "qemu-system-x86_64"]
    command += ["-accel", os.environ.get("XTRACE_LAB_ACCEL", ACCELERATOR)]
    command += ["-cpu", image.release.cpu, "-smp", "2", "-m", str(MEMORY_MIB)]
    command += ["-nodefaults", "-display", "none", "-no-reboot"]
    command += ["-kernel", str(image.kernel), "-initrd", str(work / "initramfs")]
    command += ["-append", kernel_line]
    command += ["-drive", f"file={image.disk},format=raw,if=virtio,snapshot=on"]
    command += ["-drive", f"file={work / 'payload.tar'},format=raw,if=virtio,readonly=on"]
    command += ["-drive", f"file={work / 'results.tar'},format=raw,if=virtio,cache=unsafe"]
    command += ["-serial", f"file:{work / 'console.log'}"]
    command += ["-chardev", "stdio,id=line,signal=off", "-serial", "chardev:line"]
    return command


def _run_qemu(image: Image, job: Job, work: Path, on_output: Callable[[bytes], None]) -> str:
    """Run the guest to its end and return what to say if it left no results."""
    if job.interactive:
        subprocess.run(_command(image, work), check=False)
        return "the guest ended without results"
    process = subprocess.Popen(
        _command(image, work),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=(work / "qemu.log").open("wb"),
    )
    assert process.stdout is not None
    _running.add(process)
    try:
        if abandoned():
            process.kill()
        overdue = _listen(process.stdout.fileno(), job, on_output)
        if not overdue:
            process.wait()
    finally:
        _running.discard(process)
        process.kill()
        process.wait()
        process.stdout.close()
    if overdue:
        return overdue
    complaint = (work / "qemu.log").read_text(errors="replace").strip()
    return f"the guest ended without results {complaint}".strip()


def _listen(line: int, job: Job, on_output: Callable[[bytes], None]) -> str:
    """Pass on what the guest says to its end, or to its time's end: then return why it is given up."""
    end = time.monotonic() + job.timeout
    while True:
        quiet = time.monotonic() + job.silence()
        ready, _, _ = select.select([line], [], [], max(0.0, min(end, quiet) - time.monotonic()))
        if not ready:
            return "the guest fell silent" if quiet < end else f"the guest did not end within {job.timeout:.0f} s"
        chunk = os.read(line, 1 << 16)
        if not chunk:
            return ""
        on_output(chunk)


def _unpack(results: Path, out: Path) -> int | None:
    """Unpack the result disk; return the script's exit status, or None if it never got there."""
    try:
        with tarfile.open(results, "r:") as archive:
            archive.extractall(out)
    except tarfile.TarError:
        return None
    status = out / "status"
    return int(status.read_text()) if status.exists() else None


def _failure(image: Image, complaint: str, console: Path) -> str:
    lines = console.read_text(errors="replace").splitlines() if console.exists() else []
    telling = [line for line in lines[:-CONSOLE_TAIL] if DEATH.search(line)][:5]
    tail = "\n".join(f"  | {line}" for line in (*telling, *lines[-CONSOLE_TAIL:]))
    return f"kernel {image.release.kernel}: {complaint}; its console ({console}) ends:\n{tail}"
