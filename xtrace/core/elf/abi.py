"""Whose system calls a program makes, by the first bytes of its file (elf(5))."""

from __future__ import annotations

from typing import Optional

from xtrace.core.syscall_abi import COMPAT, NATIVE

HEADER_BYTES = 20
"""As far as e_machine."""
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
