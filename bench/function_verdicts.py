"""How often the resolver is right about a function: python -m bench.function_verdicts ../shared/hosts [--held-out]

For every function and kernel of the DepSurf data (truth from DWARF) the resolver is given what the host shows, its
symbols, and the knowledge that ships; its verdict is compared. With --held-out the knowledge of the kernel in question
is taken away first: that is what to expect of a kernel that nobody has recorded. The table is Markdown.
"""

from __future__ import annotations

import json
import lzma
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path
from unittest.mock import patch

from scripts.function_knowledge import VERSIONS
from xtrace.core.facts.symbols import KernelSymbols
from xtrace.core.resolve import functions, inlining
from xtrace.core.resolve.functions import FunctionState, judge
from xtrace.core.resolve.inlining import Inlining
from xtrace.testing.hosts import FakeHost

_COLUMNS = (
    "kernel", "functions", "right", "not visible", "too careful", "calls missed", "said inlined, gone", "wrong",
)  # fmt: skip


class Symbols(KernelSymbols):
    """A recorded symbol list, indexed: the measure asks it two million questions."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self._exact: Counter[str] = Counter()
        self._suffixed: dict[str, list[str]] = {}
        for line in text.decode().splitlines():
            kind, name = line.split()[:2]
            if kind in "tTwW":
                self._exact[name] += 1
                if "." in name:
                    self._suffixed.setdefault(name.split(".")[0], []).append(name)

    def lookup(self, name: str) -> tuple[functions.KernelSymbol, ...]:
        return tuple(functions.KernelSymbol(name, "t") for _ in range(self._exact[name]))

    def variants(self, name: str) -> tuple[functions.KernelSymbol, ...]:
        return tuple(functions.KernelSymbol(one, "t") for one in sorted(self._suffixed.get(name, ())))

    def near(self, name: str, count: int = 3) -> tuple[str, ...]:
        return ()


def truth(hosts: Path, every: int) -> Iterator[tuple[str, Mapping[str, Mapping[str, object] | None]]]:
    """One function in `every`, with what DWARF says of it per kernel; None where a kernel does not have it."""
    with lzma.open(hosts / "function-truth.jsonl.xz", "rt") as lines:
        for line in islice(lines, 0, None, every):
            row = json.loads(line)
            yield row["n"], row["v"]


def grade(seen: Mapping[str, object] | None, state: FunctionState, attachable: bool, whole: bool) -> str:
    """The column that a verdict counts in. `whole`: a symbol with the function's own name is there."""
    if seen is None:
        return "wrong" if attachable else "said inlined, gone" if state is FunctionState.INLINED else ""
    if seen["i"] == "Full":
        return "wrong" if attachable else "right" if state is FunctionState.INLINED else "not visible"
    if state in (FunctionState.ABSENT, FunctionState.INLINED, FunctionState.RENAMED):
        return "wrong"
    if not whole or state is FunctionState.AMBIGUOUS:
        return "right"
    if seen["i"] == "Selective":
        return "right" if state is FunctionState.INCOMPLETE else "calls missed"
    return "too careful" if state is FunctionState.INCOMPLETE else "right"


class Knowledge:
    """The shipped knowledge, without one kernel where one is named, in place of the one that the resolver reads."""

    def __init__(self, without: str = "") -> None:
        self.without = without

    def _known(self, table: Mapping[str, Inlining], function: str, letter: str) -> Inlining | None:
        known = table.get(function)
        if known is None:
            return None
        rest = [(kernel, seen) for kernel, seen in zip(known.kernels, known.pattern) if kernel != self.without]
        left = replace(known, kernels=tuple(k for k, _ in rest), pattern="".join(seen for _, seen in rest))
        return left if letter in left.pattern else None

    def partly_inlined(self, function: str) -> Inlining | None:
        return self._known(_partly(), function, "S")

    def wholly_inlined(self, function: str) -> Inlining | None:
        return self._known(_wholly(), function, "F")

    def events(self) -> dict[str, frozenset[str]]:
        return {kernel: names for kernel, names in _events().items() if kernel != self.without}

    @contextmanager
    def used(self) -> Iterator[None]:
        """While in this context, the resolver knows this and no more."""
        with (
            patch.object(functions, "partly_inlined", self.partly_inlined),
            patch.object(functions, "wholly_inlined", self.wholly_inlined),
            patch.object(inlining, "known_events", self.events),
        ):
            inlining.kin.cache_clear()
            yield
        inlining.kin.cache_clear()


@cache
def _partly() -> Mapping[str, Inlining]:
    return indexed(inlining._partly())


@cache
def _wholly() -> Mapping[str, Inlining]:
    return indexed(inlining._wholly())


@cache
def _events() -> Mapping[str, frozenset[str]]:
    return inlining.known_events()


def indexed(table: bytes) -> Mapping[str, Inlining]:
    """A knowledge file as a mapping, since the measure asks for every name."""
    head, *lines = table.decode().splitlines()
    kernels = tuple(head.split())
    return {name: Inlining(kernels, line.split(" ", 1)[0]) for line in lines for name in line.split()[1:]}


def host_of(hosts: Path, version: str) -> FakeHost:
    """What an Ubuntu release shows of itself."""
    folder = hosts / f"ubuntu-{version}-depsurf"
    symbols = Symbols(lzma.decompress((folder / "symbols.txt.xz").read_bytes()))
    events: dict[str, dict[str, str]] = {name: {} for name in (folder / "tracepoints.txt").read_text().split()}
    return FakeHost(symbols=symbols, facts={"kernel.kallsyms": True}, events=events)


def measure(
    hosts: Path, kernels: Collection[str], held_out: bool, every: int = 1
) -> Iterator[tuple[str, Counter[str]]]:
    """Each kernel with the number of its functions in each column, of one function in `every`."""
    rows = list(truth(hosts, every))
    for kernel in kernels:
        host = host_of(hosts, VERSIONS[kernel])
        counted: Counter[str] = Counter()
        _events()  # before the knowledge is replaced
        with Knowledge(kernel if held_out else "").used():
            for name, seen in rows:
                verdict = judge(name, host)
                whole = bool(host.symbols.lookup(name))
                counted[grade(seen[kernel], verdict.state, verdict.attachable, whole)] += 1
                counted["functions"] += seen[kernel] is not None
        yield kernel, counted


def main() -> None:
    hosts, held_out = Path(sys.argv[1]), "--held-out" in sys.argv
    print("| " + " | ".join(_COLUMNS) + " |")
    print("|---" * len(_COLUMNS) + "|")
    for kernel, counted in measure(hosts, VERSIONS, held_out):
        print("| " + " | ".join((kernel, *(f"{counted[column]:,}" for column in _COLUMNS[1:]))) + " |")


if __name__ == "__main__":
    main()
