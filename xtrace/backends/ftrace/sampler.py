"""A timer on every CPU that samples what runs there: `profile` probes, by perf_event_open(2) and nothing else.

Layout: include/uapi/linux/perf_event.h, struct perf_event_attr and struct perf_event_mmap_page. Python's `mmap` refuses
perf's files, so the C library's is called.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import time
from collections import Counter
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path

from xtrace.backends.ftrace.ring_buffer import Record
from xtrace.core.attach import Profile
from xtrace.core.errors import BackendError, Diagnostic, PrivilegeError

_CALL = {"x86_64": 298, "i686": 336, "aarch64": 241, "riscv64": 241, "loongarch64": 241, "ppc64le": 319, "ppc64": 319,
         "s390x": 331, "armv7l": 364}  # fmt: skip
"""The number of perf_event_open(2) by architecture (arch/*/kernel/syscalls/)."""

_SOFTWARE, _CPU_CLOCK = 1, 0
_IP, _TID, _TIME, _CALLCHAIN = 1, 2, 4, 1 << 5
_FREQUENCY, _USE_CLOCK, _DISABLED = 1 << 10, 1 << 25, 1
_CLOCK_BOOTTIME = 7
_ATTRIBUTE = struct.Struct("=IIQQQQQIIQQQQIiQIHH")
_ENABLE = 0x2400
_LOST, _SAMPLE = 2, 9
_KERNEL_MARK, _USER_MARK = (1 << 64) - 128, (1 << 64) - 512
_MARKS = (1 << 64) - 4095
_PAGES = 64
_HEAD, _TAIL = 1024, 1032
_HEADER = struct.Struct("=IHH").unpack_from
_FIXED = struct.Struct("=QIIQ").unpack_from

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


class Sampler:
    """Samples as records: (boot clock, CPU, (0, kind, tid, tgid, kernel addresses, (tgid, user addresses))).

    `kind` is a negative number that stands for the probe where records of the trace buffer have an event's id. Raises
    BackendError or PrivilegeError when the kernel refuses.
    """

    def __init__(self, probe: Profile, kind: int, stacks: bool) -> None:
        self.lost: Counter[int] = Counter()
        self._kind = kind
        self._stacks = stacks
        self._rings: list[_Ring] = []
        self._has_clock = True
        try:
            for cpu in online_cpus():
                self._rings.append(_Ring(cpu, self._open(probe, cpu)))
        except OSError as error:
            self.close()
            raise _refusal(probe, error) from error

    def _open(self, probe: Profile, cpu: int) -> int:
        try:
            return _perf_event_open(_attribute(probe, self._stacks, self._has_clock), cpu)
        except OSError as error:
            # Clocks came with Linux 34f439278cef, v4.1; older kernels find bits set that they do not know.
            if error.errno not in (errno.E2BIG, errno.EINVAL) or not self._has_clock:
                raise
            self._has_clock = False
            return self._open(probe, cpu)

    def start(self) -> None:
        for ring in self._rings:
            ioctl(ring.handle, _ENABLE, 0)

    def read(self, into: list[Record]) -> None:
        """Append the samples that have come."""
        now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        for ring in self._rings:
            for kind, body in ring.records():
                if kind == _SAMPLE:
                    stamp, row = self._row(body)
                    into.append((stamp if self._has_clock else now, ring.cpu, row))
                elif kind == _LOST:
                    self.lost[ring.cpu] += struct.unpack_from("=QQ", body)[1]

    def _row(self, body: bytes) -> tuple[int, tuple[object, ...]]:
        _, tgid, tid, stamp = _FIXED(body, 0)
        kernel: list[int] = []
        user: list[int] = []
        if self._stacks:
            (count,) = struct.unpack_from("=Q", body, 24)
            target = kernel
            for address in struct.unpack_from(f"={count}Q", body, 32):
                if address >= _MARKS:
                    target = user if address == _USER_MARK else kernel
                else:
                    target.append(address)
        return stamp, (0, self._kind, tid, tgid, tuple(kernel), (tgid, tuple(user)))

    def close(self) -> None:
        while self._rings:
            self._rings.pop().close()


class _Ring:
    """The mapped buffer of one CPU's event."""

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


def _attribute(probe: Profile, stacks: bool, clock: bool) -> bytes:
    sample = _IP | _TID | _TIME | (_CALLCHAIN if stacks else 0)
    flags = _DISABLED | (_FREQUENCY if probe.hz else 0) | (_USE_CLOCK if clock else 0)
    rate = probe.hz or probe.nsecs
    clockid = _CLOCK_BOOTTIME if clock else 0
    return _ATTRIBUTE.pack(
        _SOFTWARE, _ATTRIBUTE.size, _CPU_CLOCK, rate, sample, 0, flags, 0, 0, 0, 0, 0, 0, 0, clockid, 0, 0, 0, 0
    )


def _perf_event_open(attribute: bytes, cpu: int) -> int:
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


def _refusal(probe: Profile, error: OSError) -> BackendError | PrivilegeError:
    message = f"perf_event_open(2) refused {probe.name}: {error.strerror}"
    if error.errno in (errno.EPERM, errno.EACCES):
        return PrivilegeError(Diagnostic("XT0812", message, hints=("run as root",)))
    return BackendError(Diagnostic("XT0812", message, hints=("--backend bcc or systemtap may serve",)))
