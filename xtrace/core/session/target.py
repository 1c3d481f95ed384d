"""The process a trace is about: one that runs already (-p), or one that is started for it (-c)."""

from __future__ import annotations

import errno
import os
import shlex
import signal
import struct
import time
from pathlib import Path
from typing import NoReturn, Protocol

from xtrace.core.errors import UsageError
from xtrace.core.facts.model import near_names

_NOT_RUN = 127
_TERM_SECONDS = 1.0
_STEP = 0.01
_ERROR = struct.Struct("i")


class Target(Protocol):
    """`pid` is known before planning, and so is the file of its `program`. The trace ends soon after the target has."""

    pid: int
    program: str

    def release(self) -> None:
        """The probes are attached: let it run. Raises UsageError if it cannot be run."""

    def ended(self) -> bool: ...

    @property
    def exit_status(self) -> int | None:
        """As a shell gives it (128 + signal); None while it runs, or if only its parent can know."""

    def close(self) -> None:
        """End what was started for the trace, and reap it."""


class Existing:
    """A process that is not ours. Raises UsageError if there is none with this id."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.program = f"/proc/{pid}/exe"
        fields = _fields(pid)
        if not fields or fields.get("State", "").startswith("Z"):
            what = "has ended" if fields else "does not exist"
            raise UsageError.of("XT1004", f"process {pid} {what}", hints=("pgrep -a NAME finds the ids of processes",))
        group = int(fields.get("Tgid", pid))
        if group != pid:
            hints = (f"-p {group} traces the process; /tid == {pid}/ narrows a clause to the thread",)
            raise UsageError.of("XT1004", f"{pid} is a thread of process {group}", hints=hints)
        self._started = _start_time(pid)

    def release(self) -> None:
        """It runs already."""

    @property
    def exit_status(self) -> None:
        """Not ours to know."""

    def ended(self) -> bool:
        return _fields(self.pid).get("State", "Z").startswith("Z") or _start_time(self.pid) != self._started

    def close(self) -> None:
        """It is not ours to end."""


class Started:
    """A command, forked and waiting just before its execve(2) until it is released.

    It inherits our standard input, output and error and no other descriptor, and has default signal handling. Raises
    UsageError for a command line that cannot be split or a program that is not found.
    """

    def __init__(self, command: str) -> None:
        argv = _split(command)
        path = self.program = _find(argv[0])
        self.command = command
        self._status: int | None = None
        go_read, self._go = os.pipe()
        self._failure, failed_write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._go)
            _wait_and_run(go_read, failed_write, path, argv)
        os.close(go_read)
        os.close(failed_write)

    @property
    def exit_status(self) -> int | None:
        """As a shell gives it (128 + signal), None until its end was seen."""
        return self._status

    def release(self) -> None:
        """Let it run. Raises UsageError if the kernel refuses to execute it."""
        if self._go < 0:
            return
        os.write(self._go, b"\n")
        os.close(self._go)
        self._go = -1
        refusal = os.read(self._failure, _ERROR.size)
        if refusal:
            (number,) = _ERROR.unpack(refusal)
            hint = "a script needs a first line like #!/bin/sh" if number == errno.ENOEXEC else "check its permissions"
            raise UsageError.of("XT1003", f"cannot run {self.command}: {os.strerror(number)}", hints=(hint,))

    def ended(self) -> bool:
        """Has it ended? Reaps it."""
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                self._status = code if code >= 0 else 128 - code
        return self._status is not None

    def close(self) -> None:
        """End it if it still runs, first politely; reap it. Safe to call twice."""
        for descriptor in (self._go, self._failure):
            if descriptor >= 0:
                os.close(descriptor)
        self._go = self._failure = -1
        for number, seconds in ((signal.SIGTERM, _TERM_SECONDS), (signal.SIGKILL, _TERM_SECONDS)):
            if self.ended():
                return
            os.kill(self.pid, number)
            limit = time.monotonic() + seconds
            while not self.ended() and time.monotonic() < limit:
                time.sleep(_STEP)


def _split(command: str) -> list[str]:
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise UsageError.of("XT1002", f"cannot split the command {command!r}: {error}") from None
    if not argv:
        raise UsageError.of("XT1002", "-c needs a command", hints=("-c 'ls -l /tmp'",))
    return argv


def _find(name: str) -> str:
    from shutil import which

    path = which(name)
    if path:
        return path
    if "/" in name:
        what = f"{name} is not executable" if Path(name).is_file() else f"there is no program {name}"
        raise UsageError.of("XT1002", what)
    if "=" in name:
        hints = ("no shell reads -c: -c 'env NAME=value COMMAND', or -c \"sh -c '...'\"",)
        raise UsageError.of("XT1002", f"there is no command {name}", hints=hints)
    near = near_names(name, _commands())
    raise UsageError.of("XT1002", f"there is no command {name}", hints=tuple(f"did you mean {word}?" for word in near))


def _commands() -> set[str]:
    found: set[str] = set()
    for directory in os.environ.get("PATH", os.defpath).split(os.pathsep):
        try:
            found.update(entry.name for entry in Path(directory or ".").iterdir())
        except OSError:
            continue
    return found


def _wait_and_run(go: int, failed: int, path: str, argv: list[str]) -> NoReturn:
    """The child's part. Descriptors above 2 close at execve, as Python made them (PEP 446)."""
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        if os.read(go, 1):
            os.execv(path, argv)
    except OSError as error:
        os.write(failed, _ERROR.pack(error.errno))
    finally:
        os._exit(_NOT_RUN)


def _fields(pid: int) -> dict[str, str]:
    """The fields of /proc/PID/status, none for a process that is gone (proc_pid_status(5))."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(errors="surrogateescape")
    except OSError:
        return {}
    pairs = (line.partition(":") for line in text.splitlines())
    return {name: value.strip() for name, _, value in pairs}


def _start_time(pid: int) -> str:
    """Field 22 of /proc/PID/stat: with it a process id is unique within a boot; "" for a process that is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="surrogateescape")
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[19]
