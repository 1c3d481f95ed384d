"""perf_event_open(2) and its ring buffers, by nothing but the C library.

Layout: include/uapi/linux/perf_event.h, struct perf_event_attr and struct perf_event_mmap_page. Python's `mmap` refuses
perf's files, so the C library's is called.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path

_CALL = {"x86_64": 298, "i686": 336, "aarch64": 241, "riscv64": 241, "loongarch64": 241, "ppc64le": 319, "ppc64": 319,
         "s390x": 331, "armv7l": 364}  # fmt: skip
"""The number of perf_event_open(2) by architecture (arch/*/kernel/syscalls/)."""

SOFTWARE = 1
DISABLED = 1
_ATTRIBUTE = struct.Struct("=IIQQQQQIIQQQQIiQIHH")
_ENABLE = 0x2400
LOST = 2
"""The kind of record that tells of lost ones."""
_PAGES = 64
_HEAD, _TAIL = 1024, 1032
_HEADER = struct.Struct("=IHH").unpack_from

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


def attribute(config: int, flags: int, rate: int = 0, sample: int = 0, clock: int = 0) -> bytes:
    """A perf_event_attr of a software event; `clock` is a clockid for which `flags` asks."""
    return _ATTRIBUTE.pack(
        SOFTWARE, _ATTRIBUTE.size, config, rate, sample, 0, flags, 0, 0, 0, 0, 0, 0, 0, clock, 0, 0, 0, 0
    )


class Ring:
    """The mapped buffer of one CPU's event. Raises OSError."""

    def __init__(self, cpu: int, handle: int) -> None:
        self.cpu = cpu
        self.handle = handle
        page = os.sysconf("SC_PAGE_SIZE")
        self._size = _PAGES * page
        self._length = self._size + page
        address = _libc.mmap(None, self._length, 3, 1, handle, 0)
        if address in (None, ctypes.c_void_p(-1).value):
            number = ctypes.get_errno()
            os.close(handle)
            raise OSError(number, os.strerror(number))
        self._address: int = address
        self._head = ctypes.c_uint64.from_address(address + _HEAD)
        self._tail = ctypes.c_uint64.from_address(address + _TAIL)
        self._data = address + page

    def enable(self) -> None:
        ioctl(self.handle, _ENABLE, 0)

    def records(self) -> Iterator[tuple[int, bytes]]:
        """Kind and body of each record; the space is given back at the end."""
        head, tail = self._head.value, self._tail.value
        data = self._bytes(tail, head - tail)
        position = 0
        while position + 8 <= len(data):
            kind, _, size = _HEADER(data, position)
            if size < 8:
                break
            yield kind, data[position + 8 : position + size]
            position += size
        self._tail.value = head

    def _bytes(self, start: int, length: int) -> bytes:
        start %= self._size
        first = min(length, self._size - start)
        return ctypes.string_at(self._data + start, first) + ctypes.string_at(self._data, length - first)

    def close(self) -> None:
        _libc.munmap(self._address, self._length)
        os.close(self.handle)


def perf_event_open(attribute: bytes, cpu: int) -> int:
    """A descriptor of an event on all processes of one CPU. Raises OSError."""
    number = _CALL.get(os.uname().machine)
    if number is None:
        raise OSError(errno.ENOSYS, f"perf_event_open's number on {os.uname().machine} is not known")
    buffer = ctypes.create_string_buffer(attribute, len(attribute))
    cloexec = ctypes.c_ulong(8)
    handle = _libc.syscall(ctypes.c_long(number), buffer, -1, cpu, -1, cloexec)
    if handle < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return int(handle)


def online_cpus() -> list[int]:
    """CPUs by the kernel's list, `0-3,8` (Documentation/admin-guide/cputopology.rst)."""
    found: list[int] = []
    for part in Path("/sys/devices/system/cpu/online").read_text().strip().split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found
