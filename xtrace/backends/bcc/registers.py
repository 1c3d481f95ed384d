"""Where a probe's context keeps the registers: offsets in bytes, by architecture.

The context of kprobe, uprobe and perf event programs is, or begins with, the user view of `struct pt_regs`
(bpf_user_pt_regs_t): arch/x86/include/asm/ptrace.h, arch/arm64/include/uapi/asm/ptrace.h,
arch/s390/include/uapi/asm/ptrace.h.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Registers:
    """`arguments` are those passed in registers, in order, each by its offset. Further ones lie on the stack, the first
    of them `stack_skip` bytes above the stack pointer at a function's entry."""

    arguments: tuple[int, ...]
    result: int
    stack_pointer: int
    stack_skip: int
    by_name: Mapping[str, int]
    big_endian: bool = False
    overlapping: bool = False
    """User and kernel addresses may be equal numbers, so an address does not tell its space."""


def _row(names: str) -> dict[str, int]:
    return {name: 8 * index for index, name in enumerate(names.split())}


_X86 = _row("r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di orig_ax ip cs flags sp ss")
_ARM64 = _row(" ".join(f"r{n}" for n in range(31)) + " sp pc pstate")
_S390 = {**{f"r{n}": 24 + 8 * n for n in range(16)}, "pswmask": 8, "pswaddr": 16, "orig_gpr2": 152}

ARCHITECTURES: Mapping[str, Registers] = {
    "x86_64": Registers(
        tuple(_X86[name] for name in ("di", "si", "dx", "cx", "r8", "r9")), _X86["ax"], _X86["sp"], 8, _X86
    ),
    "aarch64": Registers(tuple(8 * n for n in range(8)), 0, _ARM64["sp"], 0, _ARM64),
    "s390x": Registers(
        tuple(24 + 8 * n for n in range(2, 7)),
        _S390["r2"],
        _S390["r15"],
        160,
        _S390,
        big_endian=True,
        overlapping=True,
    ),
}

_X86_PARTS = {
    **{name: (full, 4) for full, name in (("ax", "eax"), ("bx", "ebx"), ("cx", "ecx"), ("dx", "edx"))},
    **{name: (full, 4) for full, name in (("si", "esi"), ("di", "edi"), ("bp", "ebp"), ("sp", "esp"))},
    **{f"r{full}": (full, 8) for full in ("ax", "bx", "cx", "dx", "si", "di", "bp", "sp", "ip")},
    **{full: (full, 2) for full in ("ax", "bx", "cx", "dx", "si", "di", "bp", "sp")},
    **{f"{letter}l": (f"{letter}x", 1) for letter in "abcd"},
    **{f"{name}l": (name, 1) for name in ("si", "di", "bp", "sp")},
    **{
        f"r{number}{suffix}": (f"r{number}", size)
        for number in range(8, 16)
        for suffix, size in (("", 8), ("d", 4), ("w", 2), ("b", 1))
    },
}
_ARM64_PARTS = {
    **{f"x{n}": (f"r{n}", 8) for n in range(31)},
    **{f"w{n}": (f"r{n}", 4) for n in range(31)},
    "sp": ("sp", 8),
}
_S390_PARTS = {f"r{n}": (f"r{n}", 8) for n in range(16)}
_PARTS: Mapping[str, Mapping[str, tuple[str, int]]] = {
    "x86_64": _X86_PARTS,
    "aarch64": _ARM64_PARTS,
    "s390x": _S390_PARTS,
}


def assembler_register(arch: str, name: str) -> tuple[int, int] | None:
    """Offset and size in bytes of a register as assemblers spell it (`edi`, `w3`, no `%`); None for an unknown one."""
    part = _PARTS.get(arch, {}).get(name)
    if part is None:
        return None
    return ARCHITECTURES[arch].by_name[part[0]], part[1]


def named_register(arch: str, name: str) -> int | None:
    """Offset of a register by the kernel's name (`di`, `r0`, `pc`), as `reg()` takes it; None for an unknown one."""
    return ARCHITECTURES[arch].by_name.get(name)
