"""The frame of an ELF file: header, segments, sections. 32 and 64 bits, either byte order, read as it is asked for.

The file may be hostile: every offset is checked against its size, and damage is a ValueError, never a wild read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cached_property
from typing import BinaryIO, NamedTuple

_LOADABLE = 1
_NO_BITS = 8
_MOST_SECTIONS = 100_000
_LONGEST_NAME = 1 << 16


class Segment(NamedTuple):
    """A part of the file that is mapped (PT_LOAD): where it lies in the file and in memory, in bytes."""

    offset: int
    address: int
    size: int


class Section(NamedTuple):
    """A section header; `size` is what the file really holds of it, 0 for SHT_NOBITS."""

    number: int
    name: str
    kind: int
    address: int
    offset: int
    size: int
    link: int


class Image:
    """An ELF file open for reading. Raises ValueError for anything else, and where its tables lie outside it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, 2)
        self._head = self.read(0, 64)
        if self._head[:4] != b"\x7fELF" or len(self._head) < 52 or self._head[4] not in (1, 2):
            raise ValueError("not an ELF file")
        if self._head[5] not in (1, 2):
            raise ValueError("not an ELF file")
        self.wide = self._head[4] == 2
        self.order = "<" if self._head[5] == 1 else ">"
        try:
            self.segments = tuple(self._read_segments())
            self._rows = self._read_rows()
        except (struct.error, OverflowError) as error:
            raise ValueError(f"damaged ELF file: {error}") from None

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of the file: fewer than `size` where it ends before."""
        if offset >= self.size or size <= 0:
            return b""
        self._file.seek(offset)
        return self._file.read(min(size, self.size - offset))

    def layout(self, wide: str, narrow: str) -> struct.Struct:
        """The structure of a record in a file of 64 and of 32 bits, in this file's byte order."""
        return struct.Struct(self.order + (wide if self.wide else narrow))

    def file_offset(self, address: int) -> int | None:
        """The offset into the file of a virtual address; None where no segment has it."""
        for offset, start, size in self.segments:
            if start <= address < start + size:
                return address - start + offset
        return None

    def address(self, file_offset: int) -> int | None:
        """The virtual address of an offset into the file; None where no segment has it."""
        for offset, start, size in self.segments:
            if offset <= file_offset < offset + size:
                return file_offset - offset + start
        return None

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        return tuple(self._read_sections())

    def section(self, name: str) -> Section | None:
        """The first section of a name that has contents in this file."""
        return next((one for one in self.sections if one.name == name and one.kind != _NO_BITS), None)

    def content(self, section: Section | None) -> bytes:
        """The bytes of a section as they lie in the file; b"" for None."""
        return self.read(section.offset, section.size) if section else b""

    def of_kind(self, *kinds: int) -> Iterator[Section]:
        """Sections of these types, as long as they fit into the file side by side: more of them would be a trap."""
        left = self.size
        for section in self.sections:
            if section.kind in kinds and section.size <= left:
                left -= section.size
                yield section

    def _read_segments(self) -> Iterator[Segment]:
        table = self.layout("Q", "I").unpack_from(self._head, 32 if self.wide else 28)[0]
        size, count = struct.unpack_from(self.order + "HH", self._head, 54 if self.wide else 42)
        row = self.layout("IIQQQQ", "IIIII")
        data = self.read(table, size * count)
        for start in range(0, size * count, max(size, 1)):
            if self.wide:
                kind, _, offset, address, _, length = row.unpack_from(data, start)
            else:
                kind, offset, address, _, length = row.unpack_from(data, start)
            if kind == _LOADABLE:
                yield Segment(offset, address, length)

    def _read_rows(self) -> tuple[tuple[int, ...], ...]:
        """The section headers as they are. A file of many sections counts them in the first one (elf(5), e_shnum)."""
        table = self.layout("Q", "I").unpack_from(self._head, 40 if self.wide else 32)[0]
        size, count, _ = struct.unpack_from(self.order + "HHH", self._head, 58 if self.wide else 46)
        row = self.layout("IIQQQQIIQQ", "IIIIIIIIII")
        if not table:
            return ()
        if not count:
            count = row.unpack_from(self.read(table, row.size))[5]
        if not count:
            return ()
        if size < row.size or count > _MOST_SECTIONS:
            raise ValueError(f"damaged ELF file: {count} sections of {size} bytes")
        data = self.read(table, size * count)
        return tuple(row.unpack_from(data, index * size) for index in range(count))

    def _read_sections(self) -> Iterator[Section]:
        names = struct.unpack_from(self.order + "H", self._head, 62 if self.wide else 50)[0]
        if names == 0xFFFF and self._rows:
            names = self._rows[0][6]
        strings = self.read(self._rows[names][4], self._rows[names][5]) if names < len(self._rows) else b""
        for index, (name, kind, _, address, offset, length, link, _, _, _) in enumerate(self._rows):
            held = 0 if kind == _NO_BITS else min(length, max(0, self.size - offset))
            yield Section(index, string_at(strings, name), kind, address, offset, held, link)


def string_at(strings: bytes, offset: int) -> str:
    """A string of a string table; "" where it is not ended, or too long to be a name."""
    end = strings.find(b"\0", offset, offset + _LONGEST_NAME)
    return strings[offset:end].decode("utf-8", "surrogateescape") if end > 0 else ""
