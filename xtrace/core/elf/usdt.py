"""USDT probes of an ELF file: the stapsdt notes that <sys/sdt.h> leaves in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xtrace.core.attach import UsdtArgument, UsdtSite
from xtrace.core.elf.image import Image
from xtrace.core.elf.notes import notes_of
from xtrace.core.records import dataclass

_STAPSDT = 3
_ARGUMENT = re.compile(r"(-?)(\d+)f?@((?:\[[^\]]*\]|\([^)]*\)|[^\s\[(])+)")


@dataclass(frozen=True)
class UsdtNote:
    provider: str
    probe: str
    site: UsdtSite


def usdt_notes(image: Image) -> Iterator[UsdtNote]:
    """The probes of all stapsdt notes, addresses moved by where `.stapsdt.base` really is (prelink)."""
    base = next((section.address for section in image.sections if section.name == ".stapsdt.base"), 0)
    for note in notes_of(image):
        if note.owner == b"stapsdt" and note.kind == _STAPSDT:
            found = _note(image, note.body, base)
            if found:
                yield found


def _note(image: Image, body: bytes, base: int) -> UsdtNote | None:
    layout = image.layout("QQQ", "III")
    words = body[layout.size :].split(b"\0")
    if len(body) < layout.size or len(words) < 3:
        return None
    address, recorded_base, semaphore = layout.unpack_from(body)
    shift = base - recorded_base if base else 0
    offset = image.file_offset(address + shift)
    if offset is None:
        return None
    provider, probe, arguments = (word.decode("utf-8", "surrogateescape") for word in words[:3])
    guard = image.file_offset(semaphore + shift) if semaphore else 0
    return UsdtNote(provider, probe, UsdtSite(offset, guard or 0, usdt_arguments(arguments)))


def usdt_arguments(text: str) -> tuple[UsdtArgument, ...]:
    """The arguments of a stapsdt note, `-4@%edi 8@-16(%rbp)` say."""
    return tuple(UsdtArgument(int(size), sign == "-", operand) for sign, size, operand in _ARGUMENT.findall(text))
