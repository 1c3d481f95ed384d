"""What is known of inlining from other kernels: the DWARF of fifteen Ubuntu kernels for x86_64, 4.4 to 6.8.

A kernel's symbol table shows what can be attached to, and never what was inlined; BTF lists only what was emitted. So
this knowledge is what tells `inlined` from `removed`, and a function of which all calls are seen from one of which some
were inlined. Which of the known kernels a host is most like is told by its tracepoints, not by its number: those of
RHEL 8's 4.18 are most like 5.3's. Data: the DepSurf data set (EuroSys 2025); scripts/function_knowledge.py makes the
files.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

from xtrace.core.records import dataclass

_KNOWLEDGE = Path(__file__).parent / "knowledge"
_NEAREST = 3
"""Three neighbours of an unknown kernel leave missed calls unsaid for 0.3 % of its functions and warn without need for
2.5 %; two would be 0.5 % and 1.4 %, all of them 0.2 % and 8 % (bench/function_verdicts.py)."""
_SAME = 0.98
"""Two kernels with so large a part of their tracepoints in common are builds of one source."""


@dataclass(frozen=True)
class Inlining:
    """One function on the known kernels: a letter each, N not inlined, S in places, F everywhere, - not there."""

    kernels: tuple[str, ...]
    pattern: str

    def kernels_with(self, letter: str) -> str:
        """The kernels that have a letter, in words: `4.8 to 5.4, 6.5`."""
        runs: list[list[str]] = []
        before = ""
        for kernel, seen in zip(self.kernels, self.pattern):
            if seen == letter:
                if before == letter:
                    runs[-1][1:] = [kernel]
                else:
                    runs.append([kernel])
            before = seen
        return ", ".join(" to ".join(run) for run in runs)

    def on(self, kernels: Iterable[str]) -> str:
        """The letters of some of the kernels."""
        return "".join(seen for kernel, seen in zip(self.kernels, self.pattern) if kernel in kernels)


def partly_inlined(function: str) -> Inlining | None:
    """A function that was inlined in places on some known kernel; None for others."""
    return _find(_partly(), function)


def wholly_inlined(function: str) -> Inlining | None:
    """A function that was inlined everywhere on some known kernel; None for others."""
    return _find(_wholly(), function)


@lru_cache(maxsize=128)
def kin(events: frozenset[str]) -> tuple[str, ...]:
    """The known kernels that are most like one with these tracepoints (`system:event`): one that is of the same
    source, else the nearest. Those of single system calls are left out; not every record has them."""
    own = {name.partition(":")[2] for name in events if not name.startswith("syscalls:")}
    likeness = {kernel: len(own & names) / len(own | names) for kernel, names in known_events().items()}
    order = sorted(likeness, key=lambda kernel: -likeness[kernel])
    return tuple(order[:1] if likeness[order[0]] >= _SAME else order[:_NEAREST])


@cache
def known_events() -> dict[str, frozenset[str]]:
    """The names of the tracepoints of each known kernel."""
    head, *lines = (_KNOWLEDGE / "kernel_events.txt").read_text().splitlines()
    kernels = head.split()
    rows = [line.split() for line in lines]
    return {
        kernel: frozenset(name for pattern, *names in rows if pattern[place] == "E" for name in names)
        for place, kernel in enumerate(kernels)
    }


@cache
def _partly() -> bytes:
    return (_KNOWLEDGE / "partly_inlined.txt").read_bytes()


@cache
def _wholly() -> bytes:
    import lzma

    return lzma.decompress((_KNOWLEDGE / "inlined.txt.xz").read_bytes())


def _find(table: bytes, function: str) -> Inlining | None:
    place = table.find(b" " + function.encode("utf-8", "surrogateescape") + b" ", table.find(b"\n"))
    if place < 0:
        return None
    start = table.rfind(b"\n", 0, place) + 1
    pattern = table[start : table.find(b" ", start)].decode()
    return Inlining(tuple(table[: table.find(b"\n")].decode().split()), pattern)
