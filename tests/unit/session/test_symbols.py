"""Names for addresses."""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path

from xtrace.core.messages import Mapped
from xtrace.core.session.symboliser import Place
from xtrace.core.session.symbols import HostSymbols, KernelNames, Mapping, executable_mappings

KALLSYMS = b"""0000000000001000 T f
0000000000001100 t g
0000000000001200 D data
0000000000002000 t h\t[ext4]
"""


def test_kernel_addresses_belong_to_the_function_before_them() -> None:
    names = KernelNames(KALLSYMS)
    assert names.at(0x1000) == Place("f", 0)
    assert names.at(0x1210) == Place("g", 0x110)
    assert names.at(0x2010) == Place("h", 0x10, "ext4")
    assert names.at(0xFFF) is None


def test_hidden_addresses_name_nothing() -> None:
    assert KernelNames(b"0000000000000000 T f\n").at(0x1000) is None


def test_only_executable_mappings_of_files_count() -> None:
    text = (
        "00400000-00401000 r--p 00000000 08:01 1 /bin/x\n"
        "00401000-00402000 r-xp 00001000 08:01 1 /bin/with blank\n"
        "7f000000-7f001000 rwxp 00000000 00:00 0 \n"
    )
    (mapping,) = executable_mappings(text)
    assert (mapping.start, mapping.offset, mapping.path) == (0x401000, 0x1000, "/bin/with blank")


def libc_address(name: str) -> int:
    address = ctypes.cast(getattr(ctypes.CDLL(None), name), ctypes.c_void_p).value
    assert address
    return address


def test_functions_of_this_process() -> None:
    place = HostSymbols().user(os.getpid(), libc_address("getpid") + 2)
    assert place is not None
    assert place.name in ("getpid", "__getpid") and place.offset == 2
    assert "libc" in place.module


def test_mappings_told_as_they_happen_name_processes_that_have_ended() -> None:
    symbols, gone, child = HostSymbols(), 1 << 22, (1 << 22) + 1
    mappings = executable_mappings(Path("/proc/self/maps").read_text())
    address = libc_address("getpid")
    libc = next(one for one in mappings if one.start <= address < one.end)
    symbols.mapped(Mapped(gone, libc.start, libc.end, 0, "/bin/true"))
    symbols.mapped(Mapped(gone, libc.start, libc.end, libc.offset, libc.path))
    symbols.forked(child, gone)
    for pid in (gone, child):
        place = symbols.user(pid, address)
        assert place is not None and place.name in ("getpid", "__getpid")
    assert symbols.user(gone, libc.end) is None


def test_a_process_that_has_ended_is_still_known() -> None:
    symbols = HostSymbols()
    child = subprocess.Popen(["sleep", "60"])
    mappings: tuple[Mapping, ...] = ()
    try:
        while not any("sleep" in mapping.path for mapping in mappings):  # it is executed before it is mapped
            mappings = executable_mappings(Path(f"/proc/{child.pid}/maps").read_text())
        symbols.remember(child.pid)
    finally:
        child.kill()
        child.wait()
    inside = next(mapping for mapping in mappings if "sleep" in mapping.path)
    place = symbols.user(child.pid, inside.start)
    assert place is not None and "sleep" in place.module


def test_an_unknown_process_names_nothing() -> None:
    assert HostSymbols().user(1 << 22, 0x1000) is None
