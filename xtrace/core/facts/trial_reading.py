"""A trial that looks at what was recorded: do event probes read pointers of a record right?

Debian's 6.1.176 takes a field `const char *` of an event probe (`e:`) as one character instead of the pointer
(kernel/trace/trace_eprobe.c, get_event_field, FILTER_PTR_STRING), so every read through it faults; its 6.12 and 7.2 do
not. The definition is taken all the same, and only a record tells.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from xtrace.core.facts.files import missing
from xtrace.core.facts.model import Fact, State
from xtrace.core.facts.trials import append, hindrance, own_name, refused

if TYPE_CHECKING:
    from xtrace.core.facts.live import LiveHost

_EVENT = "syscalls.sys_enter_openat"
_FIELD = re.compile(r"\ba=(0x[0-9a-f]+)")


def eprobe_pointers(host: LiveHost) -> Fact:
    """Open a path of our own under an event probe that records the pointer, and compare."""
    why = hindrance(host)
    if why:
        return why
    known = host.fact("tracefs.eprobes")
    if not known.yes:
        return known
    name = own_name()
    text = f"e:{name}/pointer {_EVENT} a=$filename:x64"
    path = host.tracing("dynamic_events")
    try:
        append(path, text)
    except OSError as error:
        return refused(host, text, error)
    try:
        return _recorded(host, name)
    finally:
        with suppress(OSError):
            append(path, f"-:{name}/pointer")


def _recorded(host: LiveHost, name: str) -> Fact:
    instance = host.tracing(f"instances/{name}_reading")
    try:
        os.mkdir(instance)  # noqa: PTH102
    except OSError as error:
        return missing(f"mkdir {instance}", error)
    try:
        return _compared(host, instance, name)
    except OSError as error:
        return missing(instance, error)
    finally:
        with suppress(OSError):
            os.rmdir(instance)  # noqa: PTH106


def _compared(host: LiveHost, instance: str, name: str) -> Fact:
    import ctypes

    switch = f"{instance}/events/{name}/pointer/enable"
    append(f"{instance}/set_event_pid", str(os.getpid()))
    append(switch, "1")
    path = ctypes.create_string_buffer(b"/xtrace-trial-of-a-pointer")
    try:
        ctypes.CDLL(None).open(path, os.O_RDONLY)
    finally:
        append(switch, "0")
    seen = {int(text, 16) for text in _FIELD.findall(host.files.text(f"{instance}/trace"))}
    address = ctypes.addressof(path)
    if address in seen:
        return Fact(State.PRESENT, None, f"tried: an event probe on {_EVENT} recorded the pointer that was passed")
    if not seen:
        return Fact(State.UNPROBED, None, f"an event probe on {_EVENT} recorded nothing")
    return Fact(State.UNSUPPORTED, None, f"an event probe on {_EVENT} records a character instead of the pointer")
