"""One ELF file, and what xtrace asks of it; each answer is read when it is first asked for."""

from __future__ import annotations

import io
from functools import cached_property
from pathlib import Path

from xtrace.core.elf.functions import ByName
from xtrace.core.elf.image import Image
from xtrace.core.elf.notes import build_id, notes_of
from xtrace.core.elf.usdt import UsdtNote, usdt_notes


class Elf(Image):
    """A program, library, object or kernel. Raises ValueError for what is no ELF file, or damaged."""

    @classmethod
    def of(cls, data: bytes) -> Elf:
        """The file with this content. Raises ValueError."""
        return cls(io.BytesIO(data))

    @cached_property
    def functions(self) -> dict[str, int]:
        """File offsets of functions by name (`ByName.offsets`)."""
        return self._named.offsets

    @property
    def indirect(self) -> frozenset[str]:
        """Functions whose symbol is that of a chooser (STT_GNU_IFUNC)."""
        return self._named.indirect

    @cached_property
    def usdt(self) -> tuple[UsdtNote, ...]:
        return tuple(usdt_notes(self))

    @cached_property
    def build_id(self) -> str | None:
        """The GNU build id in hexadecimal."""
        return build_id(notes_of(self))

    @cached_property
    def _named(self) -> ByName:
        return ByName(self)


def section(path: Path, name: str) -> bytes:
    """The bytes of a section; b"" where the file has none, or is no ELF file. Raises OSError."""
    with path.open("rb") as file:
        try:
            image = Image(file)
        except ValueError:
            return b""
        return image.content(image.section(name))
