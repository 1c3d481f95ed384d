"""The functions of an ELF file: by name for attach points, by address for naming what is on a stack."""

from __future__ import annotations

import io
import struct
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property

from xtrace.core.elf.image import Image, Section, string_at

_SYMBOL_SECTIONS = (2, 11)
"""SHT_SYMTAB and SHT_DYNSYM."""
_INDIRECT = 10
_FUNCTIONS = (2, _INDIRECT)
"""STT_FUNC and STT_GNU_IFUNC."""
_VERSION_SECTION = 0x6FFFFFFF
_HIDDEN = 0x8000
_MOST_UNPACKED = 64 << 20


Row = tuple[int, int, int, int, bool]
"""Address, size, offset of the name in the table's strings, number in the table, chosen when the program starts?"""


class Table:
    """The functions that are defined in one symbol table."""

    def __init__(self, image: Image, section: Section) -> None:
        self._image, self._section = image, section
        self.strings = image.content(image.sections[section.link]) if section.link < len(image.sections) else b""

    def rows(self) -> list[Row]:
        return [
            (value, size, name, index, info & 15 == _INDIRECT)
            for index, (name, info, _, home, value, size) in enumerate(self._entries())
            if value and home and info & 15 in _FUNCTIONS
        ]

    def defined(self) -> Iterator[tuple[int, int, int]]:
        """Offset of the name in the strings, address and size of whatever is defined here, variables included."""
        return ((name, value, size) for name, _, _, home, value, size in self._entries() if value and home)

    def _entries(self) -> Iterator[tuple[int, ...]]:
        layout = self._image.layout("IBBHQQ", "IIIBBH")
        data = self._image.content(self._section)
        entries = layout.iter_unpack(data[: len(data) - len(data) % layout.size])
        if self._image.wide:
            return entries
        return ((name, info, 0, home, value, size) for name, value, size, info, _, home in entries)

    def name(self, offset: int) -> str:
        """The name at an offset of the strings, its version (`@GLIBC_2.2.5`) cut off."""
        return string_at(self.strings, offset).partition("@")[0]

    @cached_property
    def versions(self) -> tuple[int, ...]:
        """The version of each symbol by its number, hidden where only old programs get it (LSB core, 10.7.2)."""
        for section in self._image.sections:
            if section.kind == _VERSION_SECTION and section.link == self._section.number:
                data = self._image.content(section)
                return struct.unpack(f"{self._image.order}{len(data) // 2}H", data[: len(data) & ~1])
        return ()


def tables(image: Image) -> Iterator[Table]:
    """The file's symbol tables, and those that a distribution left in `.gnu_debugdata`."""
    for section in image.of_kind(*_SYMBOL_SECTIONS):
        yield Table(image, section)
    packed = image.section(".gnu_debugdata")
    inner = _unpacked(image.content(packed)) if packed else None
    if inner:
        yield from (Table(inner, section) for section in inner.of_kind(*_SYMBOL_SECTIONS))


def _unpacked(data: bytes) -> Image | None:
    """MiniDebugInfo, an ELF file of symbols compressed into a section (gdb's manual, 22.5); None where damaged."""
    import lzma

    try:
        return Image(io.BytesIO(lzma.LZMADecompressor().decompress(data, _MOST_UNPACKED)))
    except (lzma.LZMAError, ValueError, EOFError):
        return None


class ByName:
    """What programs that are linked today get under a name."""

    def __init__(self, image: Image) -> None:
        found: dict[str, int] = {}
        old: dict[str, int] = {}
        indirect = set()
        for table in tables(image):
            versions = table.versions
            for address, _, at, index, chosen in table.rows():
                name, offset = table.name(at), image.file_offset(address)
                if chosen:
                    indirect.add(name)
                if offset is not None:
                    outdated = index < len(versions) and versions[index] & _HIDDEN
                    (old if outdated else found).setdefault(name, offset)
        self.offsets: dict[str, int] = {**old, **found}
        """Offsets into the file. Of equal names the version for new programs counts, else the first."""
        self.indirect = frozenset(indirect)
        """Functions whose code is chosen when the program starts: the symbol is that of the chooser."""


class ByAddress:
    """Which function holds a place of the file. Names are read when they are asked for; the file may be closed."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self._tables = tuple(tables(image))
        self._rows = sorted(
            [(row[0], row[1], number, row[2]) for number, table in enumerate(self._tables) for row in table.rows()]
        )
        self._starts = [row[0] for row in self._rows]
        self._names: dict[int, str] = {}

    def at(self, file_offset: int) -> tuple[str, int] | None:
        """Name of the function at an offset into the file, and how far into the function that is in bytes."""
        address = self._image.address(file_offset)
        if address is None:
            return None
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        start, size, table, at = self._rows[index]
        if size and address - start >= size:
            return None
        name = self._names.get(index)
        if name is None:
            name = self._names[index] = self._tables[table].name(at)
        return name, address - start
