"""Where `uaddr()` finds a symbol: a distance from the instruction that a uprobe stands on.

A position-independent program lies elsewhere at each start, but its parts keep their distances. A register holds the
address of the probed instruction when the probe fires (`handle_swbp` of kernel/events/uprobes.c sets it before the
handlers run), so no load address is needed.
"""

from __future__ import annotations

from xtrace.core.attach import Attach, Uprobe
from xtrace.core.elf.symbols import find_symbol
from xtrace.core.facts.model import HostFacts
from xtrace.core.lang.source import Span
from xtrace.core.lang.typing.host import UserSymbol
from xtrace.core.resolve.binaries import NoBinaryError, load

INSTRUCTION = {"x86_64": "ip", "i686": "ip", "aarch64": "pc", "armv7l": "pc", "s390x": "pswaddr", "riscv64": "pc"}
"""The register that holds the address of the probed instruction, by the kernel's name for it (arch/*/ptrace.c)."""


def user_symbol(attach: Attach, name: str, facts: HostFacts, span: Span) -> UserSymbol | None:
    """A symbol of the program that a uprobe is in; None where the program has none of that name, cannot be read, or the
    architecture is not known."""
    register = INSTRUCTION.get(facts.arch)
    if register is None or not isinstance(attach, Uprobe) or attach.returns:
        return None
    try:
        elf = load(attach.path, facts, span)
    except NoBinaryError:
        return None
    found = find_symbol(elf, name)
    here = elf.address(attach.offset)
    if found is None or here is None:
        return None
    address, size = found
    return UserSymbol(register, address - here, size)
