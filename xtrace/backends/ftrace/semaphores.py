"""USDT semaphores in the memory of running processes, for kernels without `(ref_ctr_offset)` (before 4.20).

A program tests the 16-bit counter before it computes a probe's arguments (systemtap's sdt.h). The file offset of the
counter becomes an address by the mapping of /proc/PID/maps that holds it.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from xtrace.core.records import dataclass

_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) (\d+)")


@dataclass(frozen=True)
class Program:
    """A program's file as /proc/PID/maps names it. The device is not the one of stat(2) on btrfs and overlayfs."""

    device: str
    inode: int


@dataclass(frozen=True)
class Semaphore:
    """The counter at a file offset of a program, in the memory of a process."""

    pid: int
    address: int
    program: Program
    offset: int

    def line(self) -> bytes:
        place = f"{self.program.device} {self.program.inode} {self.offset}"
        return f"semaphore {self.pid} {self.address} {place}\n".encode()

    @classmethod
    def parse(cls, line: bytes) -> Semaphore | None:
        parts = line.decode().split()
        if len(parts) != 6 or parts[0] != "semaphore":
            return None
        return cls(int(parts[1]), int(parts[2]), Program(parts[3], int(parts[4])), int(parts[5]))

    def value(self) -> int:
        """Raises OSError where the process's memory cannot be read."""
        return _add(self, 0)

    def raise_(self) -> None:
        """Count up. Raises OSError where the process's memory cannot be written."""
        _add(self, 1)


def program_of(file: int) -> Program:
    """The program open as `file`. Raises OSError or ValueError for a file that cannot be mapped."""
    before = set(_maps(os.getpid()))
    with mmap.mmap(file, 1, mmap.MAP_PRIVATE, mmap.PROT_READ):
        inode = os.fstat(file).st_ino
        found = [Program(one[5], int(one[6])) for one in set(_maps(os.getpid())) - before if int(one[6]) == inode]
    if not found:
        raise OSError("its mapping does not show")
    return found[0]


def semaphores_in(pid: int, program: Program, offsets: Iterable[int]) -> list[Semaphore]:
    """The program's semaphores in every mapping that process `pid` has of it. Raises OSError."""
    mappings = [one for one in _mappings(pid, program) if "w" in one[2]]
    found = []
    for offset in offsets:
        for start, end, _, at in mappings:
            if at <= offset < at + end - start:
                found.append(Semaphore(pid, start + offset - at, program, offset))
    return found


def lower_all(raised: Iterable[Semaphore]) -> list[str]:
    """Count down again those that are still where they were and up: by now a process may have ended or run another
    program, and another process may have its id. Gives what could not be done, in words."""
    remains = []
    for one in raised:
        try:
            if one in semaphores_in(one.pid, one.program, (one.offset,)) and one.value() > 0:
                _add(one, -1)
        except OSError as error:
            if not has_ended(error):
                remains.append(f"a USDT semaphore of process {one.pid}: {error.strerror or error}")
    return remains


def has_ended(error: OSError) -> bool:
    """Is it that the process is gone?"""
    return error.errno in (errno.ENOENT, errno.ESRCH)


def processes_with(program: Program) -> list[int]:
    """Processes that have the program mapped, of those that may be looked at."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and any(True for _ in _mappings(int(entry.name), program)):
                found.append(int(entry.name))
    return found


def _mappings(pid: int, program: Program) -> Iterator[tuple[int, int, str, int]]:
    """Address, end, permissions and file offset of each mapping of the program."""
    wanted = (program.device, str(program.inode))
    for found in _maps(pid):
        if found[5:] == wanted:
            yield int(found[1], 16), int(found[2], 16), found[3], int(found[4], 16)


def _maps(pid: int) -> Iterator[tuple[str, ...]]:
    """The mappings of files that a process has, in the words of /proc/PID/maps: all, then address, end, permissions,
    offset, device, inode. Raises OSError where they cannot be read."""
    try:
        text = Path(f"/proc/{pid}/maps").read_text("utf-8", "surrogateescape")
    except OSError as error:
        if has_ended(error):
            return
        raise
    for line in text.splitlines():
        found = _MAPPING.match(line)
        if found is not None and found[6] != "0":
            yield (found[0], *found.groups())


def _add(semaphore: Semaphore, by: int) -> int:
    """Add to the counter; gives what it was."""
    handle = os.open(f"/proc/{semaphore.pid}/mem", (os.O_RDWR if by else os.O_RDONLY) | os.O_CLOEXEC)
    try:
        value = int.from_bytes(os.pread(handle, 2, semaphore.address), sys.byteorder)
        if by:
            os.pwrite(handle, ((value + by) & 0xFFFF).to_bytes(2, sys.byteorder), semaphore.address)
        return value
    finally:
        os.close(handle)
