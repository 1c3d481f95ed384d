"""Where the kernel's file systems are mounted (proc(5), /proc/mounts)."""

from __future__ import annotations

import re

from xtrace.core.facts.files import HostFiles
from xtrace.core.facts.model import Fact, State

TRACEFS_PLACES = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
_MAGIC = {0x74726163: "tracefs", 0x64626720: "debugfs"}
"""linux/magic.h"""


def mounted(files: HostFiles) -> list[tuple[str, str]]:
    """Type and mount point of every mount that /proc/mounts names, in its order."""
    try:
        lines = files.text("/proc/mounts").splitlines()
    except OSError:
        return []
    parts = [line.split() for line in lines]
    return [(part[2], _unescaped(part[1])) for part in parts if len(part) > 2]


def _unescaped(text: str) -> str:
    """The kernel writes blanks and backslashes of a path as three octal digits."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def tracefs(files: HostFiles) -> Fact:
    """The tracing directory: tracefs (Linux 4.1 and later), else `tracing` of debugfs."""
    found = mounted(files)
    for kind, point in found:
        if kind == "tracefs" and not point.startswith("/sys/kernel/debug/"):
            return Fact(State.PRESENT, point, f"/proc/mounts: tracefs on {point}")
    for kind, point in found:
        if kind in ("tracefs", "debugfs"):
            path = point if kind == "tracefs" else f"{point}/tracing"
            fact = files.exists(path)
            if fact.yes or fact.state is State.DENIED:
                return Fact(State.PRESENT, path, f"/proc/mounts: {kind} on {point}")
    for path in TRACEFS_PLACES if files.own else ():
        if file_system(path) in _MAGIC.values() and files.exists(f"{path}/trace").yes:
            return Fact(State.PRESENT, path, f"{path} has the magic number of {file_system(path)}")
    if not found:
        return Fact(State.UNPROBED, None, "/proc/mounts cannot be read")
    return Fact(State.ABSENT, None, "/proc/mounts names neither tracefs nor debugfs")


def file_system(path: str) -> str:
    """`tracefs` or `debugfs` by statfs(2), else ""; the mount table of a container may not name what it sees."""
    import ctypes

    buffer = ctypes.create_string_buffer(256)
    if ctypes.CDLL(None).statfs(path.encode(), buffer) != 0:
        return ""
    return _MAGIC.get(ctypes.c_long.from_buffer(buffer).value, "")
