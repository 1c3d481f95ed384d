"""One symbol of an ELF file by its name, function or variable."""

from __future__ import annotations

from xtrace.core.elf.functions import tables
from xtrace.core.elf.image import Image


def find_symbol(image: Image, name: str) -> tuple[int, int] | None:
    """Virtual address and size in bytes of the first symbol of that name which the file defines; None without one."""
    wanted = name.encode("utf-8", "surrogateescape")
    for table in tables(image):
        places = _places(table.strings, wanted)
        for at, address, size in table.defined() if places else ():
            if at in places:
                return address, size
    return None


def _places(strings: bytes, wanted: bytes) -> frozenset[int]:
    """Where names that are `wanted`, with a version behind it or without, begin. Tables share the ends of names."""
    found = set()
    at = strings.find(wanted)
    while at >= 0:
        if strings[at + len(wanted) : at + len(wanted) + 1] in (b"\0", b"@"):
            found.add(at)
        at = strings.find(wanted, at + 1)
    return frozenset(found)
