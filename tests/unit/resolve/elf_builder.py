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
    """A function `at` bytes after TEXT. `kind` is 2 for a function, 10 for an IFUNC; `version` as in .gnu.version."""

    name: str
    at: int
    kind: int = 2
    version: int = 1


@dataclass(frozen=True)
class Part:
    name: str
    kind: int
    data: bytes
    address: int = 0
    link: int = 0
    entry: int = 0


def usdt_note(provider: str, probe: str, at: int, arguments: str, base: int = 0, semaphore: int = 0) -> bytes:
    """A stapsdt note whose site is `at` bytes after TEXT."""
    words = b"".join(word.encode() + b"\0" for word in (provider, probe, arguments))
    body = struct.pack("<QQQ", BASE + TEXT + at, base, semaphore) + words
    head = struct.pack("<III", 8, len(body), 3) + b"stapsdt\0"
    return head + body + bytes(-len(body) % 4)


def symbol_parts(symbols: Sequence[Sym]) -> tuple[Part, Part, Part]:
    """.dynsym, .dynstr and .gnu.version, to be the sections 1, 2 and 3."""
    strings, entries = b"\0", [bytes(24)]
    for one in symbols:
        entries.append(struct.pack("<IBBHQQ", len(strings), 0x10 | one.kind, 0, 1, BASE + TEXT + one.at, 16))
        strings += one.name.encode() + b"\0"
    versions = struct.pack(f"<{len(symbols) + 1}H", 0, *(one.version for one in symbols))
    return (
        Part(".dynsym", 11, b"".join(entries), link=2, entry=24),
        Part(".dynstr", 3, strings),
        Part(".gnu.version", 0x6FFFFFFF, versions, link=1),
    )


def elf(symbols: Sequence[Sym] = (), *more: Part) -> bytes:
    """A 64-bit little-endian ELF file with these functions and further sections."""
    parts = [*symbol_parts(symbols), *more]
    names, offsets = b"\0", []
    for part in parts:
        offsets.append(len(names))
        names += part.name.encode() + b"\0"
    parts.append(Part(".shstrtab", 3, names))
    offsets.append(0)
    body = bytearray(0x2000)
    rows = [bytes(64)]
    for part, name in zip(parts, offsets):
        rows.append(
            struct.pack("<IIQQQQIIQQ", name, part.kind, 0, part.address, len(body), len(part.data), part.link, 0, 1,
                        part.entry)
        )  # fmt: skip
        body += part.data
    body += bytes(-len(body) % 8)
    table = len(body)
    body += b"".join(rows)
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, table, 0, 64, 56, 1, 64, len(rows), len(rows) - 1)
    body[: len(head)] = head
    body[64:120] = struct.pack("<IIQQQQQQ", 1, 5, 0, BASE, BASE, len(body), len(body), 0x1000)
    return bytes(body)
