"""Taking a session out of tracefs: the one way for the end of a session, its watchdog, and `xtrace clean`.

The order matters (kernel/trace/trace.c, kernel/trace/trace_dynevent.c): an instance with an open file cannot be
removed, removing it disables its events, and a definition can only be deleted when nobody has it enabled.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from functools import partial

from xtrace.backends.ftrace.tracefs import Tracefs, is_busy, start_time

PREFIX = "xtrace_"
PATIENCE = 1.0
"""Seconds to wait for files of the instance that a dying process still holds."""


def session_name(pid: int, serial: int) -> str:
    """The name of a session's instance and of the group of its definitions: who owns it, and since when."""
    name = f"{PREFIX}{pid}_{start_time(pid) or 0}"
    return f"{name}_{serial}" if serial else name


def remove(tracefs: Tracefs, name: str, patience: float = PATIENCE) -> list[str]:
    """Remove the instance and all definitions of a session; gives what could not be removed, in words.

    What is not there is no problem: this runs after every failure, at any step, and twice.
    """
    remains = []
    problem = _remove_instance(tracefs, name, patience)
    if problem:
        remains.append(problem)
    mine = [(file, event) for file, group, event in tracefs.defined() if group == name]
    for file, event in mine:
        deletion = f"-:{name}/{event}\n".encode()
        problem = _attempt(partial(tracefs.append, file, deletion), patience)
        if problem:
            remains.append(f"probe {name}/{event}: {problem}")
    return remains


def _remove_instance(tracefs: Tracefs, name: str, patience: float) -> str:
    path = f"instances/{name}"
    if not tracefs.exists(path):
        return ""
    problem = _attempt(partial(tracefs.remove, path), patience)
    if not problem:
        return ""
    _attempt(partial(tracefs.write, f"{path}/events/enable", b"0"), 0)
    return f"instance {name}: {problem}"


def _attempt(action: Callable[[], None], patience: float) -> str:
    """Do it, waiting for what is busy; gives the reason when it cannot be done."""
    until = time.monotonic() + patience
    while True:
        try:
            action()
        except OSError as error:
            if error.errno == errno.ENOENT:
                return ""
            if not is_busy(error) or time.monotonic() >= until:
                return error.strerror or str(error)
            time.sleep(0.01)
        else:
            return ""
