"""This host's symbols: the kernel's from kallsyms, a process's from its mappings and the files mapped.

Nothing is read before the first stack or symbol is shown, but the mappings of processes that may end (`remember`).
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from pathlib import Path
from typing import Optional

from xtrace.core.elf.functions import ByAddress
from xtrace.core.elf.image import Image
from xtrace.core.messages import Mapped
from xtrace.core.records import dataclass
from xtrace.core.session.symboliser import Place

_TEXT = frozenset(b"tTwW")


class KernelNames:
    """Text symbols by address from lines of kallsyms: `ADDRESS TYPE NAME[\\t[MODULE]]` (proc(5))."""

    def __init__(self, text: bytes) -> None:
        lines = [line.split(None, 3) for line in text.splitlines()]
        found = [(int(p[0], 16), p[2], p[3] if len(p) > 3 else b"") for p in lines if len(p) > 2 and p[1][0] in _TEXT]
        self._found = sorted(symbol for symbol in found if symbol[0])
        self._starts = [symbol[0] for symbol in self._found]

    def at(self, address: int) -> Optional[Place]:
        """The last symbol at or before an address; None below all of them, or where addresses are hidden."""
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        start, name, module = self._found[index]
        return Place(name.decode(), address - start, module.strip(b"[]").decode())


@dataclass(frozen=True)
class Mapping:
    """One executable mapping of a process: `offset` of its start in the file."""

    start: int
    end: int
    offset: int
    path: str


def executable_mappings(text: str) -> tuple[Mapping, ...]:
    """The executable mappings in the text of /proc/PID/maps (proc_pid_maps(5)), by address."""
    found = []
    for line in text.splitlines():
        parts = line.split(None, 5)
        if len(parts) == 6 and "x" in parts[1]:
            start, end = (int(part, 16) for part in parts[0].split("-"))
            found.append(Mapping(start, end, int(parts[2], 16), parts[5]))
    return tuple(sorted(found, key=lambda mapping: mapping.start))


class HostSymbols:
    """`Symboliser` of the running host. `root` is where its /proc lies."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._mappings: dict[int, tuple[Mapping, ...]] = {}
        self._files: dict[str, Optional[ByAddress]] = {}
        self._kernel_places: dict[int, Optional[Place]] = {}

    @cached_property
    def _kernel(self) -> KernelNames:
        try:
            return KernelNames((self._proc / "kallsyms").read_bytes())
        except OSError:
            return KernelNames(b"")

    def kernel(self, address: int) -> Optional[Place]:
        """The kernel function that holds an address; None where kallsyms hides addresses."""
        if address not in self._kernel_places:
            self._kernel_places[address] = self._kernel.at(address)
        return self._kernel_places[address]

    def remember(self, pid: int) -> None:
        """Read the mappings of a process; those of one that has ended stay as they were last seen."""
        try:
            found = executable_mappings((self._proc / str(pid) / "maps").read_text(errors="surrogateescape"))
        except OSError:
            return
        if not found or found == self._mappings.get(pid):
            return
        self._mappings[pid] = found
        for mapping in found:
            self._functions(pid, mapping.path)

    def mapped(self, one: Mapped) -> None:
        """Remember a mapping; what it lies over is gone."""
        if one.path.startswith("/"):
            others = (old for old in self._mappings.get(one.pid, ()) if old.end <= one.start or one.end <= old.start)
            self._mappings[one.pid] = (Mapping(one.start, one.end, one.offset, one.path), *others)

    def forked(self, pid: int, parent: int) -> None:
        """Remember a process's parent's mappings as its own."""
        if parent not in self._mappings:
            self.remember(parent)
        if parent in self._mappings:
            self._mappings[pid] = self._mappings[parent]

    def user(self, pid: int, address: int) -> Optional[Place]:
        """What holds an address of a process; looks at the process anew when the address is in no known mapping."""
        mapping = self._mapping(pid, address)
        if mapping is None:
            self.remember(pid)
            mapping = self._mapping(pid, address)
        if mapping is None:
            return None
        functions = self._functions(pid, mapping.path)
        found = functions.at(address - mapping.start + mapping.offset) if functions else None
        return Place(*(found or ("", address - mapping.start)), mapping.path)

    def _mapping(self, pid: int, address: int) -> Optional[Mapping]:
        return next((m for m in self._mappings.get(pid, ()) if m.start <= address < m.end), None)

    def _functions(self, pid: int, path: str) -> Optional[ByAddress]:
        """The functions of a mapped file as the process sees it, which may be in another mount namespace."""
        if path not in self._files:
            self._files[path] = self._read(pid, path) if path.startswith("/") else None
        return self._files[path]

    def _read(self, pid: int, path: str) -> Optional[ByAddress]:
        name = path.removesuffix(" (deleted)")
        for place in (self._proc / str(pid) / "root" / name[1:], Path(name)):
            try:
                with place.open("rb") as file:
                    return ByAddress(Image(file))
            except (OSError, ValueError):
                continue
        return None
