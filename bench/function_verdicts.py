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
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from xtrace.core.facts.model import State
from xtrace.core.facts.symbols import KernelSymbols
from xtrace.core.resolve import functions, inlining
from xtrace.core.resolve.functions import FunctionState, judge
from xtrace.core.resolve.inlining import Inlining
from xtrace.testing.hosts import FakeHost

_UBUNTU = {
    "4.4": "16.04", "4.8": "16.10", "4.10": "17.04", "4.13": "17.10", "4.15": "18.04", "4.18": "18.10", "5.0": "19.04",
    "5.3": "19.10", "5.4": "20.04", "5.8": "20.10", "5.11": "21.04", "5.15": "22.04", "5.19": "22.10", "6.5": "23.10",
    "6.8": "24.04",
}  # fmt: skip
_FACTS = {"kernel.kallsyms": State.PRESENT, "os.id": "ubuntu"}
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


def truth(hosts: Path) -> Iterator[tuple[str, Mapping[str, Mapping[str, object] | None]]]:
    with lzma.open(hosts / "function-truth.jsonl.xz", "rt") as lines:
        for line in lines:
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


class HeldOut:
    """The shipped knowledge without one kernel."""

    def __init__(self, kernel: str) -> None:
        self.kernel = kernel
        self.partly, self.wholly = inlining.partly_inlined, inlining.wholly_inlined

    def _without(self, known: Inlining | None, letter: str) -> Inlining | None:
        if known is None:
            return None
        rest = [(kernel, seen) for kernel, seen in zip(known.kernels, known.pattern) if kernel != self.kernel]
        left = replace(known, kernels=tuple(k for k, _ in rest), pattern="".join(seen for _, seen in rest))
        return left if letter in left.pattern else None

    def partly_inlined(self, function: str) -> Inlining | None:
        return self._without(self.partly(function), "S")

    def wholly_inlined(self, function: str) -> Inlining | None:
        return self._without(self.wholly(function), "F")


def indexed(table: bytes) -> Mapping[str, Inlining]:
    """A knowledge file as a mapping, since the measure asks for every name."""
    head, *lines = table.decode().splitlines()
    kernels = tuple(head.split())
    return {name: Inlining(kernels, line.split(" ", 1)[0]) for line in lines for name in line.split()[1:]}


def measure(hosts: Path, held_out: bool) -> Iterator[tuple[str, Counter[str]]]:
    rows = list(truth(hosts))
    partly, wholly = indexed(inlining._partly()), indexed(inlining._wholly())
    inlining.partly_inlined, inlining.wholly_inlined = partly.get, wholly.get
    for kernel, version in _UBUNTU.items():
        known = HeldOut(kernel)
        functions.partly_inlined = known.partly_inlined if held_out else known.partly
        functions.wholly_inlined = known.wholly_inlined if held_out else known.wholly
        symbols = Symbols(lzma.decompress((hosts / f"ubuntu-{version}-depsurf" / "symbols.txt.xz").read_bytes()))
        host = FakeHost(release=f"{kernel}.0", symbols=symbols, facts=_FACTS)
        counted: Counter[str] = Counter()
        for name, seen in rows:
            verdict = judge(name, host)
            counted[grade(seen[kernel], verdict.state, verdict.attachable, bool(symbols.lookup(name)))] += 1
            counted["functions"] += seen[kernel] is not None
        yield kernel, counted


def main() -> None:
    hosts, held_out = Path(sys.argv[1]), "--held-out" in sys.argv
    print("| " + " | ".join(_COLUMNS) + " |")
    print("|---" * len(_COLUMNS) + "|")
    for kernel, counted in measure(hosts, held_out):
        print("| " + " | ".join((kernel, *(f"{counted[column]:,}" for column in _COLUMNS[1:]))) + " |")


if __name__ == "__main__":
    main()
