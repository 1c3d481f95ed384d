"""bpf(2) and perf_event_open(2) with the least that they accept. What they make is closed at once."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import struct

MAP_CREATE, PROG_LOAD = 0, 5
MAP_ARRAY, MAP_RINGBUF = 2, 27
PROG_KPROBE, PROG_TRACEPOINT, PROG_PERF_EVENT, PROG_RAW_TRACEPOINT = 2, 5, 7, 17
"""Numbers of linux/bpf.h."""

RETURN_0 = struct.pack("=BBhi", 0xB7, 0, 0, 0) + struct.pack("=BBhi", 0x95, 0, 0, 0)
"""`r0 = 0; exit`"""
LOOP = (
    struct.pack("=BBhi", 0xB7, 0, 0, 0)
    + struct.pack("=BBhi", 0x07, 0, 0, 1)
    + struct.pack("=BBhi", 0xA5, 0, -2, 8)
    + struct.pack("=BBhi", 0x95, 0, 0, 0)
)
"""`r0 = 0; do { r0 += 1; } while (r0 < 8); exit`"""

_NUMBERS = {
    "x86_64": (321, 298), "aarch64": (280, 241), "riscv64": (280, 241), "s390x": (351, 331),
    "ppc64le": (361, 319), "ppc64": (361, 319), "i686": (357, 336), "armv7l": (386, 364), "loongarch64": (280, 241),
}  # fmt: skip
"""bpf and perf_event_open by `uname -m`."""
_SOFTWARE, _CPU_CLOCK, _DISABLED = 1, 0, 1
_ATTR_SIZE_VER0 = 64


def _call(index: int, *arguments: object) -> int:
    """The error number of a system call that gives a file descriptor, which is closed; 0 for success."""
    numbers = _NUMBERS.get(os.uname().machine)
    if numbers is None:
        return errno.EOPNOTSUPP
    libc = ctypes.CDLL(None, use_errno=True)
    found = libc.syscall(ctypes.c_long(numbers[index]), *arguments)
    if found < 0:
        return ctypes.get_errno()
    os.close(found)
    return 0


def bpf(command: int, attributes: bytes) -> int:
    """bpf(2). Returns the error number; 0 for success."""
    buffer = ctypes.create_string_buffer(attributes, len(attributes) or 1)
    return _call(0, ctypes.c_int(command), buffer, ctypes.c_uint(len(attributes)))


def create_map(kind: int, key_size: int, value_size: int, entries: int) -> int:
    """Make a map and close it. Returns the error number; 0 for success."""
    return bpf(MAP_CREATE, struct.pack("=IIII", kind, key_size, value_size, entries))


def load_program(kind: int, code: bytes, release: str) -> int:
    """Verify and load a program and close it. Returns the error number; 0 for success.

    Kernels before v5.0 (Linux 6c4fc209fcf9) want their own version in a kprobe program.
    """
    instructions = ctypes.create_string_buffer(code, len(code))
    license_ = ctypes.create_string_buffer(b"GPL")
    attributes = struct.pack(
        "=IIQQIIQI",
        kind,
        len(code) // 8,
        ctypes.addressof(instructions),
        ctypes.addressof(license_),
        0,
        0,
        0,
        version_code(release),
    )
    return bpf(PROG_LOAD, attributes)


def version_code(release: str) -> int:
    """LINUX_VERSION_CODE of a release such as `3.10.0-1160.el7`; 0 where it has none."""
    match = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", release)
    if not match:
        return 0
    major, minor, patch = (int(part or 0) for part in match.groups())
    return (major << 16) + (minor << 8) + min(patch, 255)


def open_cpu_clock(pid: int, cpu: int) -> int:
    """Open a stopped sampling timer and close it. Returns the error number; 0 for success."""
    attributes = bytearray(_ATTR_SIZE_VER0)
    struct.pack_into("=IIQQQQQ", attributes, 0, _SOFTWARE, _ATTR_SIZE_VER0, _CPU_CLOCK, 10_000_000, 0, 0, _DISABLED)
    buffer = ctypes.create_string_buffer(bytes(attributes), len(attributes))
    return _call(1, buffer, ctypes.c_int(pid), ctypes.c_int(cpu), ctypes.c_int(-1), ctypes.c_ulong(0))
