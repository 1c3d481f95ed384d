"""What `cat` and `system` show: a file's start, a command's output."""

from __future__ import annotations

from pathlib import Path

from xtrace.core.events import NoticeOutput, Output, TextOutput

CAT_BYTES = 10_240
"""As much of a file as bpftrace's `cat` shows (BPFTRACE_CAT_BYTES_MAX)."""
_OUTPUT_BYTES = 1 << 20
_SYSTEM_SECONDS = 10


def file_text(path: str) -> list[Output]:
    """The start of a file, with a notice where there is more or where it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(CAT_BYTES + 1)
    except (OSError, ValueError) as error:
        return [NoticeOutput(f"cat: {path}: {getattr(error, 'strerror', None) or error}")]
    shown: list[Output] = [TextOutput("cat", data[:CAT_BYTES].decode("utf-8", "surrogateescape"))]
    if len(data) > CAT_BYTES:
        shown.append(NoticeOutput(f"cat: {path}: only the first {CAT_BYTES} bytes are shown"))
    return shown


def shell_text(command: str) -> list[Output]:
    """The standard output of a shell command, which may take 10 seconds; its errors go where ours go."""
    import subprocess

    try:
        done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, timeout=_SYSTEM_SECONDS)
    except subprocess.TimeoutExpired as late:
        data, note = late.stdout or b"", f"system: {command}: ended after {_SYSTEM_SECONDS} seconds"
    else:
        data = done.stdout
        note = f"system: {command}: exit status {done.returncode}" if done.returncode else ""
    shown: list[Output] = [TextOutput("system", data[:_OUTPUT_BYTES].decode("utf-8", "surrogateescape"))]
    return [*shown, NoticeOutput(note)] if note else shown
