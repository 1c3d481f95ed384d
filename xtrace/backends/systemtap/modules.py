"""From a script to a kernel module: one built elsewhere where there is one, else `stap -p4` here.

A module belongs to a script (by the SHA-256 of its text) and a kernel release, so a fleet of equal kernels compiles
once: `stap -p4 -r RELEASE` on any host with that kernel's headers, then copy the module.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from xtrace.core.errors import BackendError, Diagnostic

OPTIONS = ("-DMAXACTION=200000", "-DMAXTRYLOCK=1000", "-DSTP_NO_OVERLOAD")
"""MAXACTION: a handler that prints a map needs more than the default 1000 statements. MAXTRYLOCK: a handler that waits
for another CPU's lock must not be skipped. STP_NO_OVERLOAD: the guard kills a whole trace at read(2) speed."""

COMPILE_SECONDS = 600
"""The first tracepoint script on a kernel takes minutes: stap tries every tracepoint header."""

INSTALLED = Path("/var/lib/xtrace/modules")


def digest(script: str) -> str:
    """The name of a script: SHA-256 of its text, in hex."""
    return hashlib.sha256(script.encode()).hexdigest()


def module_name(script: str) -> str:
    """The kernel's name for the module; at most 64 characters of [a-z0-9_] (stap(1), -m)."""
    return f"xtrace_{digest(script)[:24]}"


def places(release: str) -> tuple[Path, ...]:
    """Directories that may hold modules built elsewhere: `XTRACE_STAP_MODULES`, then the installed ones."""
    named = os.environ.get("XTRACE_STAP_MODULES", "")
    return (*(Path(part) for part in named.split(":") if part), INSTALLED / release)


def prebuilt(script: str, release: str) -> Path | None:
    """A module built elsewhere for exactly this script and kernel."""
    name = f"{digest(script)}.ko"
    return next((place / name for place in places(release) if (place / name).is_file()), None)


def any_prebuilt(release: str) -> bool:
    return any(next(place.glob("*.ko"), None) is not None for place in places(release) if place.is_dir())


def build(script: Path, into: Path) -> Path:
    """Compile a script with `stap -p4` and copy the module into a directory of ours.

    Raises BackendError with stap's own words. Without `-m`, stap finds the module in its cache the next time.
    """
    stap = shutil.which("stap")
    if stap is None:
        raise BackendError.of("XT0903", "stap is not installed", hints=("install the systemtap package",))
    try:
        done = subprocess.run(
            [stap, "-p4", *OPTIONS, str(script)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMPILE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise BackendError.of("XT0904", f"stap did not compile the script in {COMPILE_SECONDS} seconds") from None
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        raise BackendError(compile_failure(done.stderr or done.stdout))
    # staprun -R finds the module's name by its file's name.
    target = into / Path(lines[-1]).name
    shutil.copyfile(lines[-1], target)
    return target


_REMEDIES = (
    ("kernel-devel", "install the kernel headers of exactly this kernel (kernel-devel, linux-headers)"),
    ("/build", "install the kernel headers of exactly this kernel (kernel-devel, linux-headers)"),
    ("Module.symvers", "the kernel headers are only partly installed: install the whole package"),
    ("symbol table missing", "write kallsyms where stap looks for System.map: `xtrace doctor` prints the command"),
    ("while searching for arch", "write kallsyms where stap looks for System.map: `xtrace doctor` prints the command"),
    ("no match", "the function may be inlined, absent, or the System.map that stap reads is a stub"),
    ("module_mutex", "this SystemTap is older than the kernel: 4.5 or newer is needed"),
    ("outside tested range", "this SystemTap is older than the kernel: install a newer one"),
    ("Pass 4: compilation failed", "this SystemTap does not fit this kernel: install a newer one"),
    ("gcc", "install the gcc that built the kernel"),
)
"""Parts of stap's messages and what helps, most telling first (man error::pass2, error::pass4, warning::symbols)."""


def compile_failure(words: str) -> Diagnostic:
    """The telling lines of a failed compilation with what would help."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() or "ERROR" in line]
    remedies = tuple(dict.fromkeys(remedy for part, remedy in _REMEDIES if part in words))[:2]
    message = "; ".join((telling or lines or ["no output"])[:3])
    return Diagnostic("XT0904", f"stap could not compile the script: {message}", hints=remedies)
