"""User programs: where a function begins in the file, and which USDT probes there are (elf(5), stapsdt notes).

The file may be hostile: every offset is checked against its size, and damage is a ValueError, never a wild read.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from xtrace.core.attach import UsdtArgument, UsdtSite

_LOADABLE = 1
_SYMBOL_SECTIONS = (2, 11)
_NOTE_SECTION = 7
_FUNCTION_TYPES = (2, 10)
_NO_BITS = 8
_STAPSDT = 3
_VERSION_SECTION = 0x6FFFFFFF
_HIDDEN = 0x8000
_INDIRECT = 10
_MOST_UNPACKED = 64 << 20
_ARGUMENT = re.compile(r"(-?)(\d+)f?@((?:\[[^\]]*\]|\([^)]*\)|[^\s\[(])+)")


@dataclass(frozen=True)
class Section:
    name: str
    kind: int
    address: int
    offset: int
    size: int
    link: int
    entry: int


@dataclass(frozen=True)
class Function:
    """`outdated`: only programs linked long ago get this version of it."""

    name: str
    address: int
    outdated: bool = False
    indirect: bool = False


@dataclass(frozen=True)
class UsdtNote:
    provider: str
    probe: str
    site: UsdtSite


class Elf:
    """One ELF file of 32 or 64 bits, in either byte order. Raises ValueError for anything else."""

    def __init__(self, data: bytes) -> None:
        if data[:4] != b"\x7fELF" or len(data) < 52 or data[4] not in (1, 2) or data[5] not in (1, 2):
            raise ValueError("not an ELF file")
        self._data = data
        self._wide = data[4] == 2
        self._order = "<" if data[5] == 1 else ">"
        try:
            self._segments = list(self._read_segments())
            self.sections = list(self._read_sections())
        except (struct.error, OverflowError) as error:
            raise ValueError(f"damaged ELF file: {error}") from None

    def file_offset(self, address: int) -> int | None:
        """The offset into the file of a virtual address; None where no segment has it."""
        for offset, start, size in self._segments:
            if start <= address < start + size:
                return address - start + offset
        return None

    @cached_property
    def functions(self) -> dict[str, int]:
        """File offsets of functions by name, versions (`@GLIBC_2.2.5`) cut off.

        Of equal names the one that a program linked today would get, else the first. Symbols that a distribution left
        in `.gnu_debugdata` are among them.
        """
        found: dict[str, int] = {}
        old: dict[str, int] = {}
        for one in (*self._symbols, *self._hidden_away()):
            offset = self.file_offset(one.address)
            if offset is not None:
                (old if one.outdated else found).setdefault(one.name, offset)
        return {**old, **found}

    @cached_property
    def indirect(self) -> frozenset[str]:
        """Functions whose code is chosen when the program starts: the symbol is that of the chooser (STT_GNU_IFUNC)."""
        return frozenset(one.name for one in self._symbols if one.indirect)

    @cached_property
    def _symbols(self) -> tuple[Function, ...]:
        return tuple(self._read_functions())

    def _hidden_away(self) -> Iterator[Function]:
        """The functions of MiniDebugInfo, an ELF file of symbols compressed into a section (gdb's manual, 22.5)."""
        packed = next((section for section in self.sections if section.name == ".gnu_debugdata"), None)
        if packed is None:
            return
        import lzma

        try:
            data = lzma.LZMADecompressor().decompress(self._content(packed), _MOST_UNPACKED)
            yield from Elf(data)._symbols
        except (lzma.LZMAError, ValueError):
            return

    @cached_property
    def usdt(self) -> tuple[UsdtNote, ...]:
        """The USDT probes of all stapsdt notes, addresses moved by where `.stapsdt.base` really is (prelink)."""
        base = next((section.address for section in self.sections if section.name == ".stapsdt.base"), 0)
        notes = self._bounded((_NOTE_SECTION,))
        return tuple(note for section in notes for note in self._read_notes(section, base))

    def _unpack(self, layout: str, offset: int) -> tuple[int, ...]:
        return struct.unpack_from(self._order + layout, self._data, offset)

    def _read_segments(self) -> Iterator[tuple[int, int, int]]:
        table = self._unpack("Q", 32)[0] if self._wide else self._unpack("I", 28)[0]
        size, count = self._unpack("HH", 54 if self._wide else 42)
        for start in range(table, table + size * count, max(size, 1)):
            if self._wide:
                kind, _, offset, address, _, length = self._unpack("IIQQQQ", start)
            else:
                kind, offset, address, _, length = self._unpack("IIIII", start)
            if kind == _LOADABLE:
                yield offset, address, length

    def _read_sections(self) -> Iterator[Section]:
        table = self._unpack("Q", 40)[0] if self._wide else self._unpack("I", 32)[0]
        size, count, names = self._unpack("HHH", 58 if self._wide else 46)
        layout = "IIQQQQIIQQ" if self._wide else "IIIIIIIIII"
        rows = [self._unpack(layout, table + index * size) for index in range(count)]
        strings = rows[names][4] if names < len(rows) else 0
        for name, kind, _, address, offset, length, link, _, _, entry in rows:
            length = 0 if kind == _NO_BITS else min(length, max(0, len(self._data) - offset))
            yield Section(self._string(strings + name), kind, address, offset, length, link, entry)

    def _string(self, offset: int) -> str:
        end = self._data.find(b"\0", offset)
        return self._data[offset : end if end >= 0 else offset].decode("utf-8", "surrogateescape")

    def _content(self, section: Section) -> bytes:
        return self._data[section.offset : section.offset + section.size]

    def _bounded(self, kinds: tuple[int, ...]) -> Iterator[Section]:
        """Sections of these kinds, as long as they fit into the file side by side: more of them would be a trap."""
        left = len(self._data)
        for section in self.sections:
            if section.kind in kinds and section.size <= left:
                left -= section.size
                yield section

    def _read_functions(self) -> Iterator[Function]:
        layout = struct.Struct(self._order + ("IBBHQQ" if self._wide else "IIIBBH"))
        for section in self._bounded(_SYMBOL_SECTIONS):
            if section.link >= len(self.sections):
                continue
            strings = self.sections[section.link].offset
            versions = self._versions(section)
            whole = section.size - section.size % layout.size
            for index, entry in enumerate(layout.iter_unpack(self._content(section)[:whole])):
                name, info, home, value = (
                    (entry[0], entry[1], entry[3], entry[4]) if self._wide else (entry[0], entry[3], entry[5], entry[1])
                )
                if info & 15 in _FUNCTION_TYPES and home and value:
                    outdated = index < len(versions) and bool(versions[index] & _HIDDEN)
                    found = self._string(strings + name).partition("@")[0]
                    yield Function(found, value, outdated, info & 15 == _INDIRECT)

    def _versions(self, symbols: Section) -> tuple[int, ...]:
        """The version of each symbol of a table, hidden where only old programs get it (LSB core, 10.7.2)."""
        for section in self.sections:
            if section.kind == _VERSION_SECTION and self.sections[section.link : section.link + 1] == [symbols]:
                data = self._content(section)
                return struct.unpack(f"{self._order}{len(data) // 2}H", data[: len(data) & ~1])
        return ()

    def _read_notes(self, section: Section, base: int) -> Iterator[UsdtNote]:
        position, end = section.offset, section.offset + section.size
        while position + 12 <= end:
            name_size, size, kind = self._unpack("III", position)
            body = position + 12 + (name_size + 3 & ~3)
            if kind == _STAPSDT and self._data[position + 12 : position + 19] == b"stapsdt" and body + size <= end:
                note = self._note(body, size, base)
                if note:
                    yield note
            position = body + (size + 3 & ~3)

    def _note(self, body: int, size: int, base: int) -> UsdtNote | None:
        width = 24 if self._wide else 12
        words = self._data[body + width : body + size].split(b"\0")
        if size < width or len(words) < 3:
            return None
        address, recorded_base, semaphore = self._unpack("QQQ" if self._wide else "III", body)
        shift = base - recorded_base if base else 0
        offset = self.file_offset(address + shift)
        if offset is None:
            return None
        provider, probe, arguments = (word.decode("utf-8", "surrogateescape") for word in words[:3])
        guard = self.file_offset(semaphore + shift) if semaphore else 0
        return UsdtNote(provider, probe, UsdtSite(offset, guard or 0, usdt_arguments(arguments)))


def usdt_arguments(text: str) -> tuple[UsdtArgument, ...]:
    """The arguments of a stapsdt note, `-4@%edi 8@-16(%rbp)` say."""
    return tuple(UsdtArgument(int(size), sign == "-", operand) for sign, size, operand in _ARGUMENT.findall(text))


def matching(names: Iterator[str] | dict[str, int], pattern: str) -> list[str]:
    """Names that a shell pattern matches, sorted."""
    return sorted(name for name in names if fnmatchcase(name, pattern))
