"""Carrying out the steps on a real tracefs, and undoing all of them."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import field

from xtrace.backends.ftrace import removal
from xtrace.backends.ftrace.model import Action, File, FtraceModel, Name, OpenFile, Refusal, Step, Text
from xtrace.backends.ftrace.tracefs import Tracefs
from xtrace.core.errors import BackendError, Diagnostic, PrivilegeError
from xtrace.core.records import dataclass

BUFFER_TOTAL_KB = 64 << 10
BUFFER_MAX_KB = 8 << 10
BUFFER_MIN_KB = 1 << 10


@dataclass
class Outcome:
    """What the kernel refused: reasons of missing events, and events that came without their filter."""

    missing: dict[int, str] = field(default_factory=dict)
    unfiltered: set[int] = field(default_factory=set)


class Instance:
    """One session's place in tracefs. `close` undoes everything, at any time and twice."""

    def __init__(self, tracefs: Tracefs, name: str, model: FtraceModel, threads: Sequence[int] = ()) -> None:
        self.tracefs = tracefs
        self.name = name
        self.path = f"instances/{name}"
        self.outcome = Outcome()
        self._model = model
        self._words: Mapping[Name, str] = {
            Name.SESSION: name,
            Name.THREADS: " ".join(map(str, threads)),
            Name.BUFFER_KB: str(model.recording.buffer_kb or buffer_kb(os.cpu_count() or 1)),
        }
        self.files: list[int] = []

    def open_files(self, files: Sequence[File]) -> None:
        """Open the programs that probes are defined on. Raises BackendError."""
        for file in files:
            try:
                self.files.append(os.open(file.path, os.O_RDONLY | os.O_CLOEXEC))
            except OSError as error:
                raise BackendError.of("XT0809", f"{file.path} cannot be opened: {error.strerror}") from error

    def apply(self, steps: Sequence[Step]) -> None:
        """Carry out steps in order. Raises BackendError or PrivilegeError for one that the kernel refuses and that
        the session cannot do without; what was done before stays until `close`."""
        for step in steps:
            if step.event not in self.outcome.missing:
                try:
                    self._do(step)
                except OSError as error:
                    self._refused(step, error)

    def _do(self, step: Step) -> None:
        path = self.text(step.path)
        if step.action is Action.MAKE:
            self.tracefs.make(path)
        elif step.action in (Action.DEFINE, Action.ADD):
            self.tracefs.append(path, self.data(step.data))
        else:
            self.tracefs.write(path, self.data(step.data))

    def text(self, parts: Text) -> str:
        """The parts with the session's own words put in."""
        return "".join(self._word(part) for part in parts)

    def data(self, parts: Text) -> bytes:
        return self.text(parts).encode("utf-8", "surrogateescape")

    def _word(self, part: str | Name | OpenFile) -> str:
        if isinstance(part, OpenFile):
            return f"/proc/{os.getpid()}/fd/{self.files[part.index]}"
        return self._words[part] if isinstance(part, Name) else part

    def _refused(self, step: Step, error: OSError) -> None:
        if step.on_refusal is Refusal.IGNORE:
            return
        if step.on_refusal is Refusal.UNFILTERED:
            self.outcome.unfiltered.add(step.event)
            return
        command = self.text(step.data)
        said = self.tracefs.complaint(self.name, command)
        reason = said or error.strerror or str(error)
        config = self._model.program.config
        if step.on_refusal is Refusal.DROP_EVENT and config.may_miss:
            self.outcome.missing[step.event] = reason
            return
        raise refusal(step.purpose, command, reason, error)

    def settled(self) -> list[str]:
        """Names of the attach points that are missing, with the reason. Raises BackendError when none is left."""
        events = self._model.events
        if events and len(self.outcome.missing) == len(events) and not self._model.profiles:
            reasons = sorted(set(self.outcome.missing.values()))
            raise BackendError.of("XT0808", f"the kernel refused every probe: {'; '.join(reasons)}")
        return [f"{events[n].probe}: {reason}" for n, reason in self.outcome.missing.items()]

    def stop(self) -> None:
        """Record nothing more; what was recorded can still be read."""
        self.tracefs.write(f"{self.path}/tracing_on", b"0")

    def close(self) -> list[str]:
        """Undo everything; gives what could not be undone, in words."""
        while self.files:
            os.close(self.files.pop())
        return removal.remove(self.tracefs, self.name)


def refusal(purpose: str, command: str, reason: str, error: OSError) -> BackendError | PrivilegeError:
    """The complaint about a step that the kernel refused, in its own words where it has some."""
    shown = f" ({command.strip()})" if command.strip() and len(command) < 200 else ""
    message = f"the kernel refused to {purpose}: {reason}{shown}"
    if error.errno in (errno.EPERM, errno.EACCES):
        hint = "run as root" if os.geteuid() else "kernel lockdown or a security module forbids it; see xtrace doctor"
        return PrivilegeError(Diagnostic("XT0807", message, hints=(hint,)))
    return BackendError(Diagnostic("XT0808", message, hints=_hints(error)))


def _hints(error: OSError) -> tuple[str, ...]:
    if error.errno == errno.ENOENT:
        return ("the event or the symbol is not on this host: `xtrace list` shows what is",)
    if error.errno in (errno.ENOMEM, errno.ENOSPC):
        return ("the kernel has no memory for buffers this large: ask for less by --buffer-size",)
    if error.errno == errno.EROFS:
        return ("tracefs is mounted read-only: mount -o remount,rw /sys/kernel/tracing (its place is in /proc/mounts)",)
    return ()


def buffer_kb(cpus: int) -> int:
    """Each CPU's buffer in kilobytes where nobody asked for a size: 8 MB on small machines, a share of 64 MB on large
    ones."""
    return max(BUFFER_MIN_KB, min(BUFFER_MAX_KB, BUFFER_TOTAL_KB // cpus))
