"""Files of a host as facts: what a read gave, or why it gave nothing."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Callable, Optional

from xtrace.core.facts.model import Fact, State

_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.ENXIO)
_DENIED = (errno.EACCES, errno.EPERM)


class HostFiles:
    """The files below `root`; absolute paths mean that root's. With a root other than `/`, nothing can be tried."""

    on_disk = True
    """Can files be opened in place? A collector's archive holds only those it copied."""

    def __init__(self, root: str = "/") -> None:
        self.root = Path(root)

    @property
    def own(self) -> bool:
        """Are these the files of the machine that xtrace runs on?"""
        return self.root == Path("/")

    def path(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def read(self, path: str) -> bytes:
        """The whole file. Raises OSError."""
        return self.path(path).read_bytes()

    def text(self, path: str) -> str:
        return self.read(path).decode("utf-8", "replace")

    def content(self, path: str, parse: Callable[[str], object] = str.strip) -> Fact:
        """The file's content, as `parse` reads it; a ValueError of `parse` means that nobody understands it."""
        try:
            text = self.text(path)
        except OSError as error:
            return missing(path, error)
        try:
            return Fact(State.PRESENT, parse(text), f"{path} holds {shortened(text)}")
        except ValueError:
            return Fact(State.UNPROBED, None, f"{path} holds {shortened(text)}, which is not understood")

    def size(self, path: str) -> int:
        """Bytes of a file. Raises OSError."""
        return self.path(path).stat().st_size

    def executable(self, path: str) -> bool:
        """May the caller run this file?"""
        return os.access(self.path(path), os.X_OK) and self.path(path).is_file()

    def exists(self, path: str, value: object = None) -> Fact:
        """Is there such a file? What lies in a directory that the caller may not enter is denied, not absent."""
        try:
            self.path(path).stat()
        except OSError as error:
            return missing(path, error)
        return Fact(State.PRESENT, value, f"{path} is there")

    def first(self, paths: Iterable[str]) -> Fact:
        """The first of several files that is there, as the value; else the best known reason why none is."""
        seen: list[Fact] = []
        for path in paths:
            fact = self.exists(path, path)
            if fact.yes:
                return fact
            seen.append(fact)
        denied = next((fact for fact in seen if fact.state is State.DENIED), None)
        return denied or Fact(State.ABSENT, None, "; ".join(fact.evidence for fact in seen), errno.ENOENT)

    def names(self, path: str) -> list[str]:
        """Names in a directory, sorted; none where it cannot be listed."""
        try:
            return sorted(entry.name for entry in self.path(path).iterdir())
        except OSError:
            return []


def missing(what: str, error: OSError) -> Fact:
    """What an OSError says about the thing that was looked for."""
    number = error.errno or 0
    state = State.ABSENT if number in _ABSENT else State.DENIED if number in _DENIED else State.UNPROBED
    return Fact(state, None, f"{what}: {errno_name(number)}", number)


def errno_name(number: Optional[int]) -> str:
    """`ENOENT (No such file or directory)`"""
    return f"{errno.errorcode.get(number or 0, str(number))} ({os.strerror(number or 0)})"


def shortened(text: str, limit: int = 60) -> str:
    plain = " ".join(text.split())
    return repr(plain if len(plain) <= limit else plain[: limit - 3] + "...")
