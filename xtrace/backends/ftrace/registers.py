"""Registers by architecture: where functions get their arguments, and what tracefs calls a register of a USDT note.

Names are those of each architecture's regs_query_register_offset() (arch/*/kernel/ptrace.c). Calling conventions: the
psABI of each architecture; they hold for kernel and user functions alike, except on 32-bit x86.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Optional

from xtrace.core.attach import UsdtArgument
from xtrace.core.records import dataclass

ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "x86_64": ("di", "si", "dx", "cx", "r8", "r9"),
    "aarch64": tuple(f"x{i}" for i in range(8)),
    "armv7l": tuple(f"r{i}" for i in range(4)),
    "ppc64": tuple(f"gpr{i}" for i in range(3, 11)),
    "ppc64le": tuple(f"gpr{i}" for i in range(3, 11)),
    "s390x": tuple(f"r{i}" for i in range(2, 7)),
    "riscv64": tuple(f"a{i}" for i in range(8)),
    "i686": ("ax", "dx", "cx"),
    "loongarch64": tuple(f"r{i}" for i in range(4, 12)),
}
"""Registers of a function's integer arguments, in order."""

STACK_SLOT: Mapping[str, int] = {"x86_64": 1, "aarch64": 0, "armv7l": 0, "riscv64": 0, "loongarch64": 0}
"""The `$stackN` of the first argument that is not in a register; architectures with a save area are left out."""

_X86_FAMILIES = {
    "ax": ("rax", "eax", "ax", "al"),
    "bx": ("rbx", "ebx", "bx", "bl"),
    "cx": ("rcx", "ecx", "cx", "cl"),
    "dx": ("rdx", "edx", "dx", "dl"),
    "si": ("rsi", "esi", "si", "sil"),
    "di": ("rdi", "edi", "di", "dil"),
    "bp": ("rbp", "ebp", "bp", "bpl"),
    "sp": ("rsp", "esp", "sp", "spl"),
    "ip": ("rip", "eip", "ip"),
    **{f"r{i}": (f"r{i}", f"r{i}d", f"r{i}w", f"r{i}b") for i in range(8, 16)},
}
_X86 = {alias: register for register, aliases in _X86_FAMILIES.items() for alias in aliases}
_NUMBERED = {"armv7l": r"r\d+|sp|lr|pc", "riscv64": r"[ast]\d+|ra|sp|gp|tp", "loongarch64": r"r\d+"}

_OPERAND = re.compile(r"(?P<offset>[-+]?\w*)\(%?(?P<base>\w+)\)", re.ASCII)
_ARM_MEMORY = re.compile(r"\[(?P<base>\w+)(?:, *#?(?P<offset>-?\d+))?\]", re.ASCII)


def argument(arch: str, index: int) -> Optional[str]:
    """The fetch argument of a function's argument `index` at its entry, or None where the convention is not known."""
    registers = ARGUMENTS.get(arch, ())
    if index < len(registers):
        return f"%{registers[index]}"
    if arch in STACK_SLOT:
        return f"$stack{index - len(registers) + STACK_SLOT[arch]}"
    return None


def register(arch: str, name: str) -> Optional[str]:
    """What tracefs calls the register `name` of an assembler or of bpftrace's `reg()`; None for an unknown one."""
    name = name.lower().lstrip("%$")
    if arch in ("x86_64", "i686"):
        return _X86.get(name)
    if arch == "aarch64":
        return re.sub(r"^[wr](?=\d)", "x", name) if re.fullmatch(r"[xwr]\d+|sp|pc", name) else None
    if arch.startswith("ppc64"):
        return f"gpr{name.lstrip('gpr')}" if re.fullmatch(r"(gpr|r)?\d+", name) else None
    if arch == "s390x":
        return name if re.fullmatch(r"r\d+", name) else None
    return name if re.fullmatch(_NUMBERED.get(arch, "(?!)"), name) else None


@dataclass(frozen=True)
class Operand:
    """A USDT operand taken apart: a constant, or `fetch`; `memory` says that the fetch reads memory."""

    fetch: str = ""
    constant: Optional[int] = None
    memory: bool = False


def operand(arch: str, argument_: UsdtArgument) -> Optional[Operand]:
    """What a USDT note's operand means to tracefs. None for one it cannot express: a scaled index, a floating-point
    register, a symbol."""
    text = argument_.operand.strip()
    constant = re.fullmatch(r"[$#]?(-?(?:0x[0-9a-fA-F]+|\d+))", text)
    if constant and not (arch.startswith("ppc") and text.isdigit()):  # there a bare number names a register
        return Operand(constant=int(constant.group(1), 0))
    memory = _OPERAND.fullmatch(text) or _ARM_MEMORY.fullmatch(text)
    if memory:
        return _memory(arch, memory["base"], memory["offset"] or "0")
    name = register(arch, text)
    return Operand(fetch=f"%{name}") if name else None


def _memory(arch: str, base: str, offset: str) -> Optional[Operand]:
    name = register(arch, base)
    try:
        value = int(offset or "0", 0)
    except ValueError:
        return None
    return Operand(fetch=f"{value:+d}(%{name})", memory=True) if name and name != "ip" else None
