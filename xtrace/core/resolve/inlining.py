"""What is known of inlining from other kernels: the DWARF of fifteen Ubuntu kernels for x86_64, 4.4 to 6.8.

A kernel's symbol table shows what can be attached to, and never what was inlined; BTF lists only what was emitted. So
this knowledge is what tells `inlined` from `removed`, and a function of which all calls are seen from one of which some
were inlined. Data: the DepSurf data set (EuroSys 2025); scripts/function_knowledge.py makes the files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_KNOWLEDGE = Path(__file__).parent / "knowledge"
_RELEASE = re.compile(r"(\d+)\.(\d+)")


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

    def near(self, release: str) -> str:
        """The letters of the kernels on both sides of a release, or of the one that is it.

        Only for words: a distribution's kernel may be unlike others of its number.
        """
        wanted = _numbers(release)
        numbers = [_numbers(kernel) for kernel in self.kernels]
        if wanted in numbers:
            return self.pattern[numbers.index(wanted)]
        below = [letter for number, letter in zip(numbers, self.pattern) if number < wanted]
        above = [letter for number, letter in zip(numbers, self.pattern) if number > wanted]
        return "".join(below[-1:] + above[:1])


def _numbers(release: str) -> tuple[int, int]:
    found = _RELEASE.match(release)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def partly_inlined(function: str) -> Inlining | None:
    """A function that was inlined in places on some known kernel; None for others."""
    return _find(_partly(), function)


def wholly_inlined(function: str) -> Inlining | None:
    """A function that was inlined everywhere on some known kernel; None for others."""
    return _find(_wholly(), function)


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
