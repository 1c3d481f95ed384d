"""Finding the file that a uprobe or USDT attach point means: a path, a program on PATH, or a library's short name."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path

from xtrace.core.elf.file import Elf
from xtrace.core.errors import Diagnostic
from xtrace.core.facts.model import HostFacts
from xtrace.core.lang.source import Span

_LIBRARY_DIRECTORIES = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib")


class NoBinaryError(Exception):
    """The file cannot serve; carries the diagnostic."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def find(name: str, span: Span) -> str:
    """The path of a program or library. Raises NoBinaryError with XT0506."""
    if "/" in name:
        return name
    from shutil import which

    path = _library(name) or which(name)
    if path is None:
        hint = "give the path of a program or library"
        raise NoBinaryError(Diagnostic("XT0506", f"no program or library {name!r} is found", span, (hint,)))
    return path


def _library(name: str) -> str | None:
    """`libc` or `libc.so.6` in the usual places and their multiarch folders, the newest version first."""
    if not name.startswith("lib"):
        return None
    wanted = re.compile(re.escape(name) + (r"\Z" if ".so" in name else r"(-[\d.]+)?\.so(\.\d+)*\Z"))
    for directory in _LIBRARY_DIRECTORIES:
        for place in (Path(directory), *sorted(Path(directory).glob("*-linux-gnu*"))):
            found = sorted((e.name for e in _entries(place) if wanted.match(e.name)), reverse=True)
            if found:
                return str(place / found[0])
    return None


def _entries(place: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(place) as entries:
            return list(entries)
    except OSError:
        return []


def load(path: str, facts: HostFacts, span: Span) -> Elf:
    """The ELF file at a path. Raises NoBinaryError: XT0506 unreadable, XT0507 not ELF, XT0508 a recorded host."""
    try:
        return _parsed(path, facts.read_binary(path))
    except OSError as error:
        if facts.recorded:
            hint = "user programs are not part of a recording; plan this on the host itself"
            raise NoBinaryError(
                Diagnostic("XT0508", f"{path} of a recorded host cannot be read", span, (hint,))
            ) from None
        words = error.strerror or str(error)
        raise NoBinaryError(Diagnostic("XT0506", f"cannot read {path}: {words}", span)) from None
    except ValueError as error:
        hint = "uprobes and USDT probes attach to ELF programs and libraries, not to scripts"
        raise NoBinaryError(Diagnostic("XT0507", f"{path}: {error}", span, (hint,))) from None


@lru_cache(maxsize=8)
def _parsed(path: str, data: bytes) -> Elf:
    return Elf.of(data)
