"""Whose numbers system calls have.

A 64-bit kernel may also serve programs of a 32-bit ABI, whose numbers mean other calls: 20 is writev(2) to x86_64 and
getpid(2) to i386. A number that is to be shown as a name therefore travels with its ABI, in the bits above the 32 that
a call's number has (`syscall_get_nr` of include/asm-generic/syscall.h is an int). A number of the kernel's own ABI
is itself. Those of x32 need no mark, as they have one of their own (`__X32_SYSCALL_BIT`).
"""

from __future__ import annotations

NATIVE, COMPAT, UNKNOWN = 0, 1, 2
"""The kernel's own ABI; the 32-bit one that it also serves; one of the two."""

SHIFT = 32
X32_BIT = 1 << 30
"""arch/x86/include/uapi/asm/unistd.h"""

COMPAT_NAMES = {
    "x86_64": "i386",
    "aarch64": "arm",
    "s390x": "s390",
    "ppc64": "ppc",
    "ppc64le": "ppc",
    "riscv64": "rv32",
}
"""The 32-bit ABI by the architecture, as `uname -m` says it, of the kernels that may serve it."""


def split(value: int) -> tuple[int, int]:
    """Number and ABI of a value that carries both."""
    abi = (value + (1 << SHIFT - 1)) >> SHIFT
    return value - (abi << SHIFT), abi
