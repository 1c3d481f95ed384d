"""Taking a session out of tracefs: the one way for the end of a session, its watchdog, and `xtrace clean`.

The order matters (kernel/trace/trace.c, kernel/trace/trace_dynevent.c): an instance with an open file cannot be
removed, removing it disables its events, and a definition can only be deleted when nobody has it enabled.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from xtrace.backends.ftrace.hist import CPU_KEY, CPU_KEY_TWICE
from xtrace.backends.ftrace.tracefs import SYNTHETIC, Tracefs, is_busy, start_time

_Item = TypeVar("_Item")

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
    remains: list[str] = []
    synthetic = [event for event in _listed(tracefs.synthetic, remains) if owner_of(event) == name]
    if synthetic:
        disarm(tracefs, f"instances/{name}")
    problem = _remove_instance(tracefs, name, patience)
    if problem:
        remains.append(problem)
    mine = [(file, event) for file, group, event in _listed(tracefs.defined, remains) if group == name]
    deletions = [(SYNTHETIC, event, f"!{event}\n") for event in synthetic]
    deletions += [(file, f"{name}/{event}", f"-:{name}/{event}\n") for file, event in mine]
    for file, event, deletion in deletions:
        problem = _attempt(partial(tracefs.append, file, deletion.encode()), patience)
        if problem:
            remains.append(f"probe {event}: {problem}")
    return remains


def _listed(look: Callable[[], Iterable[_Item]], remains: list[str]) -> list[_Item]:
    """What is defined; what cannot be looked at may remain."""
    try:
        return list(look())
    except OSError as error:
        remains.append(f"what is defined cannot be read: {error.strerror or error}")
        return []


def owner_of(event: str) -> str:
    """The session that a synthetic event is named after, as `session__0` is, if it is one of xtrace's. Its group is
    `synthetic`, like everybody's."""
    return event.partition("__")[0]


def _remove_instance(tracefs: Tracefs, name: str, patience: float) -> str:
    path = f"instances/{name}"
    problem = _attempt(partial(tracefs.remove, path), patience)
    if problem:
        # A trigger may hold it that could not be taken off the first time, when its synthetic event was still there.
        disarm(tracefs, path)
        problem = _attempt(partial(tracefs.remove, path), 0)
    if not problem:
        return ""
    _attempt(partial(tracefs.write, f"{path}/events/enable", b"0"), 0)
    return f"instance {name}: {problem}"


def disarm(tracefs: Tracefs, instance: str) -> None:
    """Take the triggers of timed events off an instance one by one. Those with variables hold it (save_hist_vars of
    kernel/trace/trace_events_hist.c), and a synthetic event counts down the tables on it only as they are taken off
    by name (event_hist_trigger_parse, same file). A trigger that reads another's variable must go first, and the kernel
    refuses any other order."""
    try:
        armed = [(path, line) for path in tracefs.triggers(instance) for line in _timing_lines(tracefs, path)]
    except OSError:
        return
    while armed:
        left = [
            one
            for one in armed
            if _attempt(partial(tracefs.append, one[0], f"!{one[1]}".encode("utf-8", "surrogateescape")), 0)
        ]
        if len(left) == len(armed):
            return
        armed = left


def _timing_lines(tracefs: Tracefs, path: str) -> list[str]:
    """The triggers of one event that take part, without the state that the kernel prints behind them."""
    try:
        lines = tracefs.read(path).splitlines()
    except OSError:
        return []
    found = [line for line in lines if line.startswith("hist:")]
    if "/events/synthetic/" not in path:
        found = [line for line in found if "common_timestamp" in line]
    return [line.rpartition(" [")[0].replace(CPU_KEY_TWICE, CPU_KEY) for line in found]


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
