"""A child process that undoes a session when its owner dies without doing so (kill -9, a crash of the interpreter).

It waits on a pipe that only the owner holds. A line tells it what to undo besides tracefs; end of file without the
last word means that the owner is gone.
"""

from __future__ import annotations

import contextlib
import os
import signal

from xtrace.backends.ftrace import removal, semaphores
from xtrace.backends.ftrace.tracefs import Tracefs

DONE = b"done\n"
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE)


class Watchdog:
    """The owner's end. Make it before the first write to tracefs. Raises OSError where there can be no child."""

    def __init__(self, tracefs: Tracefs, name: str) -> None:
        reader, self._writer = os.pipe2(os.O_CLOEXEC)
        try:
            self._pid = os.fork()
        except OSError:
            os.close(reader)
            os.close(self._writer)
            raise
        if self._pid == 0:
            try:
                _watch(reader, tracefs, name)
            finally:
                os._exit(0)
        os.close(reader)

    def remember(self, semaphore: semaphores.Semaphore) -> None:
        """Tell the child of a USDT semaphore that will be counted up in a process's memory."""
        os.write(self._writer, semaphore.line())

    def dismiss(self) -> None:
        """Everything is undone: let the child go."""
        if self._writer < 0:
            return
        with contextlib.suppress(OSError):
            os.write(self._writer, DONE)
        os.close(self._writer)
        self._writer = -1
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)

    def abandon(self) -> None:
        """Leave what could not be undone to the child, which is more patient."""
        if self._writer >= 0:
            os.close(self._writer)
            self._writer = -1


def _watch(reader: int, tracefs: Tracefs, name: str) -> None:
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    os.setsid()
    _close_others(reader)
    lines = _read_all(reader)
    if lines and lines[-1] + b"\n" == DONE:
        return
    semaphores.lower_all(dict.fromkeys(filter(None, map(semaphores.Semaphore.parse, lines))))
    removal.remove(tracefs, name, patience=10.0)


def _close_others(keep: int) -> None:
    """Hold neither the owner's output nor its end of the pipe."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.closerange(3, keep)
    os.closerange(keep + 1, os.sysconf("SC_OPEN_MAX") if keep < 256 else keep + 256)


def _read_all(reader: int) -> list[bytes]:
    held = b""
    while piece := os.read(reader, 4096):
        held += piece
    return held.splitlines()
