"""Find what a case left behind in the guest, and remove it so that the next case starts clean."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

TRACEFS = Path("/sys/kernel/tracing")
KPROBES = Path("/sys/kernel/debug/kprobes/list")
DEFINITIONS = ("dynamic_events", "kprobe_events", "uprobe_events", "synthetic_events", "set_event", "set_event_pid")
SETTINGS = ("current_tracer", "tracing_on", "events/enable", "options/event-fork")
PATIENCE = 3.0


def snapshot() -> set[str]:
    """Describe everything that a tracer may leave behind, one line each."""
    found = {f"tracefs instance {path.name}" for path in (TRACEFS / "instances").iterdir()}
    for name in DEFINITIONS:
        found |= {f"{name}: {line}" for line in _lines(TRACEFS / name)}
    for name in SETTINGS:
        found |= {f"{name} = {line}" for line in _lines(TRACEFS / name)}
    found |= {f"kprobe {' '.join(line.split()[1:])}" for line in _lines(KPROBES)}
    found |= {f"pinned {path}" for path in Path("/sys/fs/bpf").iterdir()}
    found |= {f"module {name}" for name in _modules()}
    return found | {f"process {pid}: {command}" for pid, command in _processes().items()}


def appeared(before: set[str]) -> list[str]:
    """Return what is there now and was not *before*, after giving it time to go away."""
    deadline = time.monotonic() + PATIENCE
    while True:
        new = sorted(snapshot() - before)
        if not new or time.monotonic() > deadline:
            return new
        time.sleep(0.1)


def remove(new: list[str]) -> None:
    """Remove what *appeared* reported, as far as that is possible."""
    for line in new:
        kind, _, rest = line.partition(" ")
        if kind == "process":
            with contextlib.suppress(OSError):
                os.kill(int(rest.partition(":")[0]), signal.SIGKILL)
        elif kind == "module":
            subprocess.run(["staprun", "-d", rest], check=False, capture_output=True)
    time.sleep(0.1)
    for instance in (TRACEFS / "instances").iterdir():
        _write(instance / "events/enable", "0")
        with contextlib.suppress(OSError):
            instance.rmdir()
    for name, text in (("set_event", ""), ("events/enable", "0"), ("set_event_pid", ""), ("current_tracer", "nop")):
        _write(TRACEFS / name, text)
    for name in DEFINITIONS[:4]:
        _write(TRACEFS / name, "")


def _write(path: Path, text: str) -> None:
    with contextlib.suppress(OSError):
        path.write_text(text + "\n" if text else "")


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return []
    return [line for line in lines if not line.startswith("#")]


def _modules() -> list[str]:
    names = [line.split()[0] for line in _lines(Path("/proc/modules"))]
    return [name for name in names if name.startswith(("xtrace", "stap"))]


def _processes() -> dict[int, str]:
    """Return the user-space processes; kernel threads have no command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                if command:
                    found[int(entry.name)] = command
    return found
