"""Whose system calls a thread makes, told by the program that it runs.

The kernel's records of system calls have the number alone. A program's file tells its ABI: read from /proc when the
trace starts, and by its path when the kernel tells of an exec, because the process may run another one by then, or be
gone. A call that a 64-bit program makes by another ABI's door (`int 0x80`) is not told from its others.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Optional

from xtrace.core.elf.abi import abi_of, start_of
from xtrace.core.syscall_abi import UNKNOWN

_INTERPRETERS = 5
"""A script's interpreter may be a script, so often (fs/exec.c, exec_binprm)."""
_OF_THE_PROCESS = ("/dev/fd/", "/proc/")
"""Paths that mean something to the process alone."""


class Programs:
    """Threads by id. Events must be told in the order of their time."""

    def __init__(self, arch: str = "") -> None:
        self.unknown = 0
        """Programs of which nobody could tell, because they had ended before anybody looked."""
        self._arch = arch or os.uname().machine
        self._abis: dict[int, int] = {}

    def look(self, threads: Iterable[int]) -> None:
        """Learn from /proc what threads run now."""
        for tid in threads:
            abi = self._running(tid)
            if abi is not None:
                self._abis[tid] = abi

    def forked(self, parent: int, child: int) -> None:
        """A thread runs what the one that made it runs."""
        abi = self._abis.get(parent)
        if abi is None:
            self._abis.pop(child, None)
        else:
            self._abis[child] = abi

    def executed(self, tid: int, path: str) -> None:
        """sched:sched_process_exec, with the path that was asked for."""
        abi = self._of_file(tid, path, _INTERPRETERS)
        self._abis[tid] = self._known(self._running(tid) if abi is None else abi)

    def abi(self, tid: int) -> int:
        """The ABI of a thread's system calls, UNKNOWN where nobody can tell."""
        found = self._abis.get(tid)
        if found is None:
            found = self._abis[tid] = self._known(self._running(tid))
        return found

    def _known(self, abi: Optional[int]) -> int:
        if abi is None:
            self.unknown += 1
            return UNKNOWN
        return abi

    def _running(self, tid: int) -> Optional[int]:
        return abi_of(start_of(f"/proc/{tid}/exe"), self._arch)

    def _of_file(self, tid: int, path: str, depth: int) -> Optional[int]:
        start = next(filter(None, map(start_of, _places(tid, path))), b"")
        if start.startswith(b"#!") and depth:
            words = start[2:].split(b"\n", 1)[0].split()
            return self._of_file(tid, os.fsdecode(words[0]), depth - 1) if words else None
        return abi_of(start, self._arch)


def _places(tid: int, path: str) -> Iterator[str]:
    """Where a file of a process may be found: as the process sees it while it lives, then as xtrace does."""
    if not path.startswith("/"):
        yield f"/proc/{tid}/cwd/{path}"
    elif not path.startswith(_OF_THE_PROCESS):
        yield f"/proc/{tid}/root{path}"
        yield path
