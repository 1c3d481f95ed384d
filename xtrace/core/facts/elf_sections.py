"""Sections of an ELF file by name (elf(5)): just enough for build ids and BTF, without pyelftools."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_MAX_SECTIONS = 100_000


@dataclass(frozen=True)
class Section:
    offset: int
    size: int


def sections(file: BinaryIO) -> Mapping[str, Section]:
    """Where each section lies in the file; empty for what is not an ELF file or is damaged."""
    try:
        return _sections(file)
    except (struct.error, ValueError, OverflowError):
        return {}


def _sections(file: BinaryIO) -> Mapping[str, Section]:
    file.seek(0)
    head = file.read(64)
    if head[:4] != b"\x7fELF" or len(head) < 52 or head[4] not in (1, 2) or head[5] not in (1, 2):
        return {}
    wide, order = head[4] == 2, "<" if head[5] == 1 else ">"
    table = struct.unpack_from(order + ("Q" if wide else "I"), head, 40 if wide else 32)[0]
    size, count, names = struct.unpack_from(order + "HHH", head, 58 if wide else 46)
    row = struct.Struct(order + ("IIQQQQIIQQ" if wide else "IIIIIIIIII"))
    if size < row.size or not 0 < count <= _MAX_SECTIONS or names >= count:
        return {}
    file.seek(table)
    data = file.read(size * count)
    rows = [row.unpack_from(data, i * size) for i in range(count)]
    file.seek(rows[names][4])
    strings = file.read(rows[names][5])
    found: dict[str, Section] = {}
    for entry in rows:
        end = strings.find(b"\0", entry[0])
        name = strings[entry[0] : end].decode("utf-8", "replace")
        if entry[1] != 8:
            found.setdefault(name, Section(entry[4], entry[5]))
    return found


def section(path: Path, name: str) -> bytes:
    """The bytes of one section; b"" where the file has none. Raises OSError."""
    with path.open("rb") as file:
        place = sections(file).get(name)
        if not place:
            return b""
        file.seek(place.offset)
        return file.read(place.size)
