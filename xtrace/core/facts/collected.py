"""The archive that the collector script writes: parsed, and as the files of a host.

Each section begins with a letter and a path: F text, B base64, H hexadecimal, D names in a directory, E exists,
S size, N may not be read, A absent, X program, R answer of a program, U a word of uname or id. Content lines begin with
a blank, and `Z end` closes the archive, so that one cut short is noticed.
"""

from __future__ import annotations

import base64
import binascii
import errno
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from xtrace.core.errors import XtraceError
from xtrace.core.facts.files import HostFiles, missing
from xtrace.core.facts.model import Fact, State

_HEAD = b"xtrace-collect 1"
_MAX_BYTES = 512 << 20


@dataclass
class Collected:
    """What the archive holds. `answers` are outputs of programs by `R` title, `words` what uname and id said."""

    files: dict[str, bytes] = field(default_factory=dict)
    directories: dict[str, list[str]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    there: set[str] = field(default_factory=set)
    denied: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    programs: set[str] = field(default_factory=set)
    answers: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)


def read_collected(stream: BinaryIO) -> Collected:
    """Parse an archive, which may be gzipped. Raises XtraceError XT0408, OSError."""
    data = stream.read(_MAX_BYTES + 1)
    if data[:2] == b"\x1f\x8b":
        data = _unpacked(data)
    if len(data) > _MAX_BYTES:
        raise _bad(f"it is larger than {_MAX_BYTES >> 20} MiB")
    # A transport may have turned line ends into CR LF.
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    if not lines or lines[0] != _HEAD:
        raise _bad(f"its first line is not `{_HEAD.decode()}`")
    found, at, ended = Collected(), 1, False
    while at < len(lines):
        head = lines[at]
        body_end = at + 1
        while body_end < len(lines) and lines[body_end][:1] == b" ":
            body_end += 1
        if head:
            ended = head == b"Z end"
            _section(found, head, lines[at + 1 : body_end])
        at = body_end
    if not ended:
        raise _bad("it does not end in `Z end`: it was cut short")
    return found


def _unpacked(data: bytes) -> bytes:
    import zlib

    unpacker = zlib.decompressobj(wbits=31)
    try:
        return unpacker.decompress(data, _MAX_BYTES + 1)
    except zlib.error as error:
        raise _bad(f"it cannot be unpacked: {error}") from error


def _bad(why: str) -> XtraceError:
    return XtraceError.of(
        "XT0408",
        f"the collector's archive cannot be read: {why}",
        hints=("run the script again: sh collect.sh > host.txt", "xtrace facts --script prints the script"),
    )


def _section(found: Collected, head: bytes, body: list[bytes]) -> None:
    kind, _, rest = head.decode("utf-8", "replace").partition(" ")
    lines = [line[1:] for line in body]
    if kind in ("F", "B", "H"):
        found.files[rest] = _content(kind, rest, lines)
    elif kind == "D":
        found.directories[rest] = [line.decode("utf-8", "replace") for line in lines]
    elif kind == "S":
        path, _, size = rest.rpartition(" ")
        found.sizes[path] = int(size) if size.isdecimal() else 0
    elif kind == "R":
        found.answers[rest] = b"\n".join(lines).decode("utf-8", "replace")
    elif kind == "U":
        name, _, value = rest.partition(" ")
        found.words[name] = value
    elif kind == "N":
        found.denied.add(rest)
        found.files.pop(rest, None)
    elif kind in ("A", "E", "X"):
        {"A": found.absent, "E": found.there, "X": found.programs}[kind].add(rest)
    elif kind != "Z":
        raise _bad(f"the section `{head[:40].decode('utf-8', 'replace')}` is not known")


def _content(kind: str, path: str, lines: list[bytes]) -> bytes:
    try:
        if kind == "B":
            return base64.b64decode(b"".join(lines), validate=True)
        if kind == "H":
            return bytes.fromhex(b" ".join(lines).decode("ascii"))
    except (binascii.Error, ValueError) as error:
        raise _bad(f"the content of {path} is damaged: {error}") from error
    return b"".join(line + b"\n" for line in lines)


class CollectedFiles(HostFiles):
    """The files that a collector copied. What it did not look at is neither there nor absent."""

    on_disk = False

    def __init__(self, collected: Collected) -> None:
        super().__init__("/nonexistent/collected")
        self.collected = collected

    def read(self, path: str) -> bytes:
        if path in self.collected.files:
            return self.collected.files[path]
        raise self._error(path)

    def size(self, path: str) -> int:
        if path in self.collected.sizes:
            return self.collected.sizes[path]
        return len(self.read(path))

    def executable(self, path: str) -> bool:
        return path in self.collected.programs

    def exists(self, path: str, value: object = None) -> Fact:
        known = self.collected
        if path in known.files or path in known.there or path in known.directories or path in known.sizes:
            return Fact(State.PRESENT, value, f"{path} is there")
        if any(name.startswith(path + "/") for name in known.files):
            return Fact(State.PRESENT, value, f"{path} is there")
        return missing(path, self._error(path))

    def names(self, path: str) -> list[str]:
        return sorted(self.collected.directories.get(path, ()))

    def _error(self, path: str) -> OSError:
        if path in self.collected.denied:
            number = errno.EPERM if self.collected.words.get("uid") == "0" else errno.EACCES
        elif path in self.collected.absent or Path(path).name not in self.collected.directories.get(
            str(Path(path).parent), (Path(path).name,)
        ):
            number = errno.ENOENT
        else:
            number = errno.ENODATA
        return OSError(number, os.strerror(number), path)
