"""The functions of an ELF file by file offset, for naming user addresses (elf(5))."""

from __future__ import annotations

import struct
from bisect import bisect_right
from typing import Optional

_MAGIC = b"\x7fELF"
_SYMBOL_SECTIONS = (2, 11)
"""SHT_SYMTAB and SHT_DYNSYM."""
_LOADABLE = 1
_FUNCTIONS = (2, 10)
"""STT_FUNC and STT_GNU_IFUNC."""


class ElfFunctions:
    """Sorted functions of one file. Raises ValueError for what is no ELF file of 64 or 32 bits."""

    def __init__(self, data: bytes) -> None:
        if data[:4] != _MAGIC or len(data) < 52 or data[4] not in (1, 2):
            raise ValueError("not an ELF file")
        self._data = data
        self._wide = data[4] == 2
        self._order = "<" if data[5] == 1 else ">"
        try:
            self._segments = self._read_segments()
            found = sorted(self._read_functions())
        except (struct.error, OverflowError, ValueError) as error:
            raise ValueError(f"damaged ELF file: {error}") from None
        self._starts = [start for start, _, _ in found]
        self._found = found

    def at(self, file_offset: int) -> Optional[tuple[str, int]]:
        """Name of the function at an offset into the file, and how far into the function that is."""
        for offset, address, size in self._segments:
            if offset <= file_offset < offset + size:
                return self._at_address(file_offset - offset + address)
        return None

    def _at_address(self, address: int) -> Optional[tuple[str, int]]:
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        start, size, name = self._found[index]
        inside = address - start < size if size else True
        return (self._text(name), address - start) if inside else None

    def _unpack(self, layout: str, offset: int) -> tuple[int, ...]:
        return struct.unpack_from(self._order + layout, self._data, offset)

    def _read_segments(self) -> list[tuple[int, int, int]]:
        """(file offset, address, size) of each loadable segment."""
        table = self._unpack("Q", 32)[0] if self._wide else self._unpack("I", 28)[0]
        size, count = self._unpack("HH", 54 if self._wide else 42)
        segments = []
        for start in range(table, table + size * count, size):
            if self._wide:
                kind, _, offset, address, _, length = self._unpack("IIQQQQ", start)
            else:
                kind, offset, address, _, length = self._unpack("IIIII", start)
            if kind == _LOADABLE:
                segments.append((offset, address, length))
        return segments

    def _read_functions(self) -> list[tuple[int, int, int]]:
        """(address, size, where its name lies in the file) of each function."""
        table = self._unpack("Q", 40)[0] if self._wide else self._unpack("I", 32)[0]
        size, count = self._unpack("HH", 58 if self._wide else 46)
        sections = [self._section(table + index * size) for index in range(count)]
        found: list[tuple[int, int, int]] = []
        for kind, offset, length, link in sections:
            if kind in _SYMBOL_SECTIONS and link < len(sections):
                found += self._symbols(offset, length, sections[link][1])
        return found

    def _section(self, start: int) -> tuple[int, int, int, int]:
        """Type, file offset, size and link of a section header."""
        if self._wide:
            _, kind, _, _, offset, length, link = self._unpack("IIQQQQI", start)
        else:
            _, kind, _, _, offset, length, link = self._unpack("IIIIIII", start)
        return kind, offset, length, link

    def _symbols(self, offset: int, length: int, names: int) -> list[tuple[int, int, int]]:
        layout = struct.Struct(self._order + ("IBBHQQ" if self._wide else "IIIBBH"))
        found = []
        whole = self._data[offset : offset + length - length % layout.size]
        for entry in layout.iter_unpack(whole):
            if self._wide:
                name, info, _, section, value, size = entry
            else:
                name, value, size, info, _, section = entry
            if info & 15 in _FUNCTIONS and section and value:
                found.append((value, size, names + name))
        return found

    def _text(self, offset: int) -> str:
        end = self._data.find(b"\0", offset)
        return self._data[offset:end].decode("utf-8", "surrogateescape").partition("@")[0]
