"""Small ELF files made by hand: sections of given contents, one segment that maps the file at an address."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

BASE = 0x400000
TEXT = 0x1000
"""Where functions lie in the file; their addresses are `BASE + TEXT` and up."""


@dataclass(frozen=True)
class Sym:
    """A function of 16 bytes, `at` bytes after TEXT. `kind` is 2 or, for an IFUNC, 10; `version` as in .gnu.version."""

    name: str
    at: int
    kind: int = 2
    version: int = 1


@dataclass(frozen=True)
class Part:
    """A section."""

    name: str
    kind: int
    data: bytes
    address: int = 0
    link: int = 0
    entry: int = 0


@dataclass(frozen=True)
class Shape:
    """The class and byte order of a file."""

    wide: bool = True
    order: str = "<"

    def pack(self, wide: str, narrow: str, *values: int) -> bytes:
        return struct.pack(self.order + (wide if self.wide else narrow), *values)


def note(owner: bytes, kind: int, body: bytes, order: str = "<") -> bytes:
    padded = owner + bytes(-len(owner) % 4)
    return struct.pack(order + "III", len(owner), len(body), kind) + padded + body + bytes(-len(body) % 4)


def usdt_note(
    provider: str, probe: str, at: int, arguments: str, base: int = 0, semaphore: int = 0, shape: Shape = Shape()
) -> bytes:
    """A stapsdt note whose site is `at` bytes after TEXT."""
    words = b"".join(word.encode() + b"\0" for word in (provider, probe, arguments))
    return note(b"stapsdt\0", 3, shape.pack("QQQ", "III", BASE + TEXT + at, base, semaphore) + words, shape.order)


def symbol_parts(symbols: Sequence[Sym], shape: Shape = Shape()) -> tuple[Part, Part, Part]:
    """.dynsym, .dynstr and .gnu.version, to be the sections 1, 2 and 3."""
    strings, entries = b"\0", [bytes(24 if shape.wide else 16)]
    for one in symbols:
        name, info, address = len(strings), 0x10 | one.kind, BASE + TEXT + one.at
        fields = (name, info, 0, 1, address, 16) if shape.wide else (name, address, 16, info, 0, 1)
        entries.append(shape.pack("IBBHQQ", "IIIBBH", *fields))
        strings += one.name.encode() + b"\0"
    versions = struct.pack(f"{shape.order}{len(symbols) + 1}H", 0, *(one.version for one in symbols))
    return (
        Part(".dynsym", 11, b"".join(entries), link=2, entry=len(entries[0])),
        Part(".dynstr", 3, strings),
        Part(".gnu.version", 0x6FFFFFFF, versions, link=1),
    )


def elf(symbols: Sequence[Sym] = (), *more: Part, shape: Shape = Shape(), counted_in_header: bool = True) -> bytes:
    """An ELF file with these functions and further sections, their number in the header or in the first section."""
    parts = [*symbol_parts(symbols, shape), *more]
    names, offsets = b"\0", []
    for part in parts:
        offsets.append(len(names))
        names += part.name.encode() + b"\0"
    parts.append(Part(".shstrtab", 3, names))
    offsets.append(0)
    body, rows = bytearray(0x2000), []
    for part, name in zip(parts, offsets):
        fields = (name, part.kind, 0, part.address, len(body), len(part.data), part.link, 0, 1, part.entry)
        rows.append(shape.pack("IIQQQQIIQQ", "IIIIIIIIII", *fields))
        body += part.data
    body += bytes(-len(body) % 8)
    table, count = len(body), len(rows) + 1
    told = (0, 0) if counted_in_header else (count, count - 1)
    first = shape.pack("IIQQQQIIQQ", "IIIIIIIIII", 0, 0, 0, 0, 0, *told, 0, 0, 0)
    body += first + b"".join(rows)
    held = (count, count - 1) if counted_in_header else (0, 0xFFFF)
    head = _header(shape, table, len(first), *held)
    body[: len(head)] = head
    segment = _segment(shape, len(body))
    body[len(head) : len(head) + len(segment)] = segment
    return bytes(body)


def _header(shape: Shape, table: int, row: int, count: int, names: int) -> bytes:
    identity = b"\x7fELF" + bytes((2 if shape.wide else 1, 1 if shape.order == "<" else 2, 1)) + bytes(9)
    size, segment = (64, 56) if shape.wide else (52, 32)
    fields = (3, 62, 1, 0, size, table, 0, size, segment, 1, row, count, names)
    return identity + shape.pack("HHIQQQIHHHHHH", "HHIIIIIHHHHHH", *fields)


def _segment(shape: Shape, size: int) -> bytes:
    if shape.wide:
        return shape.pack("IIQQQQQQ", "", 1, 5, 0, BASE, BASE, size, size, 0x1000)
    return shape.pack("", "IIIIIIII", 1, 0, BASE, BASE, size, size, 5, 0x1000)
