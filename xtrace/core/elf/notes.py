"""Notes of ELF files (elf(5), "Notes"), and the build id among them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from xtrace.core.elf.image import Image

_NOTE_SECTION = 7
_BUILD_ID = 3
"""NT_GNU_BUILD_ID."""


class Note(NamedTuple):
    owner: bytes
    kind: int
    body: bytes


def notes(data: bytes, order: str) -> Iterator[Note]:
    """The notes in a section's bytes; `order` is "<" or ">". What follows damage is not read."""
    head = struct.Struct(order + "III")
    at = 0
    while at + head.size <= len(data):
        name_size, size, kind = head.unpack_from(data, at)
        body = at + head.size + (name_size + 3 & ~3)
        if body + size > len(data):
            return
        yield Note(data[at + head.size : at + head.size + name_size].rstrip(b"\0"), kind, data[body : body + size])
        at = body + (size + 3 & ~3)


def notes_of(image: Image) -> Iterator[Note]:
    """The notes of all note sections."""
    for section in image.of_kind(_NOTE_SECTION):
        yield from notes(image.content(section), image.order)


def build_id(found: Iterator[Note]) -> str | None:
    """The GNU build id among notes, in hexadecimal."""
    return next((note.body.hex() for note in found if note.owner == b"GNU" and note.kind == _BUILD_ID), None)
