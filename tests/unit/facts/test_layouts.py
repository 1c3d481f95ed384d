"""Member chains become numbers, and every source of types gives the same ones."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from xtrace.core.elf.file import section
from xtrace.core.errors import XtraceError
from xtrace.core.facts.btf import Btf
from xtrace.core.facts.dwarf_types import DwarfTypes
from xtrace.core.facts.layouts import FirstOf, Source, layout
from xtrace.core.facts.model import TypeSource
from xtrace.core.facts.types import BtfTypes, NoTypes
from xtrace.core.types import Int, Member, Struct
from xtrace.testing.hosts import FakeTypes

PROGRAM = """
struct bits { unsigned a : 3; int b : 5; unsigned long long c : 40; };
struct __attribute__((packed)) tight { unsigned char x; unsigned y : 20; };
enum color { RED, GREEN = 7, BLUE = -1 };
typedef struct { int counter; } atomic_t;
struct outer {
    char name[16];
    union { int x; struct { short low, high; }; };
    struct bits in;
    enum color color;
    struct outer *next;
    atomic_t refs;
    unsigned char flag : 1, other : 2;
    const char *text;
    int numbers[3];
    _Bool ok;
    struct { long deep; } named;
};
struct outer global;
struct tight tight;
int f(struct outer *o, int n) { return o->x + n; }
"""
CHAINS = ("name", "x", "high", "in", "in.a", "in.b", "in.c", "color", "next", "refs.counter", "flag", "other", "text",
          "numbers", "ok", "named.deep")  # fmt: skip


def compiled(folder: Path, name: str, *command: str) -> Path:
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    source, result = folder / "types.c", folder / name
    source.write_text(PROGRAM)
    done = subprocess.run([*command, "-c", "-o", str(result), str(source)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{' '.join(command)}: {done.stderr.splitlines()[0]}")
    return result


def source(kind: str, folder: Path) -> TypeSource:
    if kind == "dwarf4":
        return DwarfTypes(compiled(folder, "dwarf4.o", "gcc", "-gdwarf-4"))
    if kind == "dwarf2":
        return DwarfTypes(compiled(folder, "dwarf2.o", "gcc", "-gdwarf-2", "-gstrict-dwarf"))
    if kind == "dwarf5":
        return DwarfTypes(compiled(folder, "dwarf5.o", "gcc", "-gdwarf-5"))
    if kind == "clang":
        return DwarfTypes(compiled(folder, "clang.o", "clang", "-g"))
    command = ("gcc", "-gbtf") if kind == "gcc btf" else ("clang", "-target", "bpf", "-g")
    return BtfTypes(Btf(section(compiled(folder, "btf.o", *command), ".BTF"), kind))


def numbers(types: TypeSource) -> Mapping[str, object]:
    """Every chain as numbers; nameless structs are called differently by each source."""
    found = {chain: layout(types, "outer", chain) for chain in CHAINS}
    return {chain: (one.offset, replace(one.member, offset=0)) for chain, one in found.items()}


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, object]:
    return numbers(source("clang btf", tmp_path_factory.mktemp("truth")))


@pytest.mark.parametrize("kind", ["gcc btf", "dwarf2", "dwarf4", "dwarf5", "clang"])
def test_sources_agree(kind: str, tmp_path: Path, truth: Mapping[str, object]) -> None:
    types = source(kind, tmp_path)
    assert numbers(types) == truth
    assert types.enum_values("color") == {0: "RED", 7: "GREEN", -1: "BLUE"}
    assert types.enumerator("GREEN") == 7
    assert types.struct("nothing") is None
    assert types.member("tight", "y") == Member("y", Int(4, False), 0, 4, 8, 20)
    prototype = types.prototype("f")
    assert prototype is not None
    assert prototype.result == Int(4, True)


FAKE = FakeTypes(
    structs={
        "sock_common": {"skc_dport": ("__be16", 12), "skc_state": ("unsigned char", 18)},
        "sock": {"__sk_common": "struct sock_common", "sk_err": "int", "sk_next": "struct sock *"},
    }
)


def test_offsets_of_a_chain_add_up() -> None:
    assert layout(FAKE, "sock", "__sk_common.skc_dport").offset == 12
    assert layout(FAKE, "sock", "sk_err").member.type == Int(4, True)


@pytest.mark.parametrize(
    ("struct", "path", "message", "hint"),
    [
        ("sock", "sk_er", "no member sk_er", "sk_err"),
        ("socks", "x", "socks is not known", "debuginfo"),
        ("sock", "sk_next.sk_err", "not a struct", ""),
    ],
)
def test_unknown_members(struct: str, path: str, message: str, hint: str) -> None:
    with pytest.raises(XtraceError, match=message) as caught:
        layout(FAKE, struct, path)
    assert caught.value.diagnostics[0].code == "XT0410"
    assert hint in " ".join(caught.value.diagnostics[0].hints)


def test_sources_are_opened_when_those_before_do_not_know() -> None:
    opened: list[str] = []

    def opening(name: str, types: TypeSource | None) -> Source:
        def open_it() -> TypeSource | None:
            opened.append(name)
            return types

        return Source(name, open_it)

    late = FakeTypes(structs={"late": {"a": "int"}}, prototypes={"f": "int a"})
    types = FirstOf([opening("first", FAKE), opening("none", None), opening("last", late)])
    assert types.struct("sock") == Struct("sock", 32)
    assert opened == ["first"]
    assert types.member("late", "a") == Member("a", Int(4, True), 0, 4)
    assert opened == ["first", "none", "last"]
    assert types.member("sock", "a") is None
    assert types.prototype("f") is not None
    assert types.struct("nowhere") is None
    assert types.enum_values("x") == NoTypes().enum_values("x") == {}
