"""Addresses of symbols: `kaddr()` from the kernel's own list, `uaddr()` as a distance inside a program."""

from __future__ import annotations

from pathlib import Path

import pytest

from xtrace.core import ir
from xtrace.core.attach import Uprobe
from xtrace.core.elf.file import Elf
from xtrace.core.elf.symbols import find_symbol
from xtrace.core.facts.symbols import KernelSymbols
from xtrace.core.lang.parser import parse
from xtrace.core.lang.source import Source, Span
from xtrace.core.plan.model import Request
from xtrace.core.resolve.resolve import resolve
from xtrace.core.resolve.user_symbols import user_symbol
from xtrace.testing.hosts import FakeHost

KALLSYMS = (
    b"ffff0010 T vfs_read\nffff0020 D avenrun\nffff0030 d avenrun_\t[mod]\n0000000000000000 T hidden\n t nameless\n"
)
BINARY = Path("/proc/self/exe").resolve()
SPAN = Span(Source("test", ""), 0, 0)


@pytest.mark.parametrize(
    ("name", "address"),
    [("vfs_read", 0xFFFF0010), ("avenrun", 0xFFFF0020), ("avenrun_", 0xFFFF0030), ("hidden", None), ("nothing", None)],
)
def test_addresses_of_kernel_symbols(name: str, address: int | None) -> None:
    assert KernelSymbols(KALLSYMS).address(name) == address


def test_a_symbol_of_a_program() -> None:
    elf = Elf.of(BINARY.read_bytes())
    name, offset = next(iter(elf.functions.items()))
    found = find_symbol(elf, name)
    assert found is not None
    assert elf.file_offset(found[0]) == offset
    assert find_symbol(elf, f"{name}_of_nobody") is None


def test_a_symbol_is_a_distance_from_the_probed_instruction() -> None:
    elf = Elf.of(BINARY.read_bytes())
    (one, here), (other, there) = list(elf.functions.items())[:2]
    host = FakeHost(binaries={str(BINARY): BINARY.read_bytes()})
    found = user_symbol(Uprobe("u", str(BINARY), one, here), other, host, SPAN)
    assert found is not None
    assert (found.register, found.distance) == ("ip", (elf.address(there) or 0) - (elf.address(here) or 0))
    assert user_symbol(Uprobe("u", str(BINARY), one, here, returns=True), other, host, SPAN) is None
    assert user_symbol(Uprobe("u", str(BINARY), one, here), "nobody", host, SPAN) is None


@pytest.mark.parametrize(("arch", "word"), [("x86_64", 0x0100000A), ("s390x", 0x0A000001)])
def test_addresses_compare_in_the_hosts_own_byte_order(arch: str, word: int) -> None:
    text = 'BEGIN { @n = (uint32)nsecs; if (ntop(@n) == "10.0.0.1") { exit(); } }'
    made = resolve(Request(parse(Source("-e", text)), "t"), FakeHost(arch=arch), lambda clause: ())
    assert made.program is not None
    assert any(isinstance(one, ir.Const) and one.value == word for one in _constants(made.program))


def _constants(program: ir.Program) -> list[ir.Expr]:
    from xtrace.core.plan.traverse import all_expressions

    return [one for clause in program.clauses for one in all_expressions(clause) if isinstance(one, ir.Const)]
