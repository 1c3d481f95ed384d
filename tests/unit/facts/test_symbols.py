"""kallsyms is searched in place: exact names, compiler's variants, globs, modules, near names."""

from __future__ import annotations

from tests.unit.facts.trees import FILES
from xtrace.core.facts.model import KernelSymbol
from xtrace.core.facts.symbols import KernelSymbols

SYMBOLS = KernelSymbols(str(FILES["proc/kallsyms"]).encode())


def test_lookup_is_exact() -> None:
    assert SYMBOLS.lookup("vfs_read") == (KernelSymbol("vfs_read", "T", 0x10),)
    assert SYMBOLS.lookup("vfs_rea") == SYMBOLS.lookup("fs_read") == SYMBOLS.lookup("helper") == ()


def test_data_is_not_text() -> None:
    assert SYMBOLS.lookup("jiffies") == ()


def test_one_name_may_be_several_symbols() -> None:
    assert [symbol.module for symbol in SYMBOLS.lookup("start")] == ["ext4", "xfs"]


def test_variants_of_the_compiler() -> None:
    assert [symbol.name for symbol in SYMBOLS.variants("helper")] == ["helper.isra.0"]
    assert SYMBOLS.variants("vfs_read") == ()


def test_glob_in_name_order() -> None:
    assert [symbol.name for symbol in SYMBOLS.glob("*")] == ["helper.isra.0", "start", "start", "vfs_read"]
    assert [symbol.name for symbol in SYMBOLS.glob("vfs_[a-r]*")] == ["vfs_read"]
    assert SYMBOLS.glob("jiff*") == ()


def test_lines_without_addresses() -> None:
    bare = KernelSymbols(b"t vfs_read\nT vfs_write\t[mod]\n")
    assert bare.lookup("vfs_read") == (KernelSymbol("vfs_read", "t"),)
    assert bare.glob("vfs_w*") == (KernelSymbol("vfs_write", "T", 0, "mod"),)


def test_near_names() -> None:
    many = KernelSymbols.of(["vfs_read", "vfs_write", "tcp_close", "do_sys_open", *(f"other_{n}" for n in range(500))])
    assert many.near("vfs_raed")[0] == "vfs_read"
    assert many.near("zzzz") == ()


def test_nothing_is_found_among_nothing() -> None:
    empty = KernelSymbols(b"")
    assert empty.lookup("x") == empty.glob("*") == empty.variants("x") == ()
