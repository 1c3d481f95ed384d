"""USDT semaphores counted up in a running process's memory, for kernels without `(ref_ctr_offset)` (before 4.20).

A program tests the 16-bit counter before it computes a probe's arguments (systemtap's sdt.h). The file offset of the
counter becomes an address by the mapping of /proc/PID/maps that holds it.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from xtrace.core.records import dataclass

_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) ([0-9a-f]+):([0-9a-f]+) (\d+)")


@dataclass(frozen=True)
class Raised:
    """A counter that this session counted up once."""

    pid: int
    address: int

    def line(self) -> bytes:
        return f"semaphore {self.pid} {self.address}\n".encode()

    @classmethod
    def parse(cls, line: bytes) -> Raised | None:
        parts = line.split()
        if len(parts) != 3 or parts[0] != b"semaphore":
            return None
        return cls(int(parts[1]), int(parts[2]))


def raise_in(pid: int, file: int, offsets: Iterable[int]) -> list[Raised]:
    """Count up the semaphores of the program open as `file` in every mapping that process `pid` has of it.

    Gives those that were raised. Raises OSError where the process's memory cannot be written.
    """
    found = []
    for offset in offsets:
        for address in _addresses(pid, file, offset):
            _add(pid, address, 1)
            found.append(Raised(pid, address))
    return found


def lower_all(raised: Iterable[Raised]) -> None:
    """Count the semaphores down again; a process that is gone needs it no more."""
    for one in raised:
        with contextlib.suppress(OSError):
            _add(one.pid, one.address, -1)


def processes_with(file: int) -> list[int]:
    """Processes that have the program open as `file` mapped."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if any(True for _ in _mappings(pid, file))]


def _mappings(pid: int, file: int) -> Iterable[tuple[int, int, str, int]]:
    """Address, end, permissions and file offset of each mapping of the file."""
    status = os.fstat(file)
    device = (os.major(status.st_dev), os.minor(status.st_dev))
    try:
        lines = Path(f"/proc/{pid}/maps").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        found = _MAPPING.match(line)
        if found is None or int(found[7]) != status.st_ino:
            continue
        if (int(found[5], 16), int(found[6], 16)) == device:
            yield int(found[1], 16), int(found[2], 16), found[3], int(found[4], 16)


def _addresses(pid: int, file: int, offset: int) -> list[int]:
    return [
        start + offset - at
        for start, end, permissions, at in _mappings(pid, file)
        if "w" in permissions and at <= offset < at + end - start
    ]


def _add(pid: int, address: int, by: int) -> None:
    handle = os.open(f"/proc/{pid}/mem", os.O_RDWR | os.O_CLOEXEC)
    try:
        value = int.from_bytes(os.pread(handle, 2, address), sys.byteorder)
        os.pwrite(handle, ((value + by) & 0xFFFF).to_bytes(2, sys.byteorder), address)
    finally:
        os.close(handle)
