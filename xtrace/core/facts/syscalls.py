"""System call numbers by architecture, for engines that only see the number.

The 64-bit ABI's numbers never change once given out; the tables are those of Linux 6.12's `asm/unistd_64.h`. A number
seen in an event belongs to the task's own ABI: a 32-bit task's numbers mean other calls and must not be looked up here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

_TABLES = Path(__file__).parent / "syscall_tables"


@lru_cache(maxsize=4)
def syscall_names(arch: str) -> Mapping[int, str]:
    """Names by number; empty for an architecture without a table."""
    try:
        lines = (_TABLES / f"{arch}.txt").read_text().splitlines()
    except FileNotFoundError:
        return {}
    return {int(number): name for number, name in (line.split() for line in lines)}


def syscall_number(arch: str, name: str) -> int | None:
    """The number of a system call, or None where the table does not have it.

    Tracepoints name some calls after the kernel's function (`sys_enter_newfstat` for `fstat`).
    """
    wanted = _TRACEPOINT_NAMES.get(name, name)
    return next((number for number, known in syscall_names(arch).items() if known == wanted), None)


_TRACEPOINT_NAMES = {
    "newstat": "stat",
    "newfstat": "fstat",
    "newlstat": "lstat",
    "sendfile64": "sendfile",
    "umount": "umount2",
    "newuname": "uname",
}
