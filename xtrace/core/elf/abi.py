"""Whose system calls a program makes, by the first bytes of its file (elf(5))."""

from __future__ import annotations

import os
from typing import Optional

from xtrace.core.syscall_abi import COMPAT, NATIVE

HEADER_BYTES = 20
"""As far as e_machine."""
START_BYTES = 256
"""What the kernel looks at to tell how a file is run (BINPRM_BUF_SIZE, include/uapi/linux/binfmts.h)."""
_CLASS, _ORDER, _MACHINE = 4, 5, 18
_64_BIT, _BIG_ENDIAN = 2, 2

_MACHINES = {
    "x86_64": {62: NATIVE, 3: COMPAT, 6: COMPAT},
    "aarch64": {183: NATIVE, 40: COMPAT},
    "ppc64": {21: NATIVE, 20: COMPAT},
    "ppc64le": {21: NATIVE, 20: COMPAT},
}
"""EM_* of what a kernel runs itself. x32 has x86-64's machine and a mark in the numbers of its calls."""
_BY_CLASS = {"s390x": 22, "riscv64": 243}
"""Of these the class of the file decides."""


def abi_of(start: bytes, arch: str) -> Optional[int]:
    """The ABI by the start of an ELF file; None where it is none, or one that needs an emulator."""
    if len(start) < HEADER_BYTES or start[:4] != b"\x7fELF":
        return None
    machine = int.from_bytes(start[_MACHINE:HEADER_BYTES], "big" if start[_ORDER] == _BIG_ENDIAN else "little")
    if _BY_CLASS.get(arch) == machine:
        return NATIVE if start[_CLASS] == _64_BIT else COMPAT
    return _MACHINES.get(arch, {}).get(machine)


def start_of(path: str) -> bytes:
    """The first bytes of a file; b"" where they cannot be read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return b""
    try:
        return os.pread(handle, START_BYTES, 0)
    except OSError:
        return b""
    finally:
        os.close(handle)
