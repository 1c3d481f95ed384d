"""Make the resolver's knowledge of inlined functions from the DepSurf data: python scripts/function_knowledge.py TRUTH

TRUTH is function-truth.jsonl.xz of the recorded hosts, made from the public data set of DepSurf (EuroSys 2025), which
took it from DWARF. Written are two files of xtrace/core/resolve/knowledge:

- partly_inlined.txt: functions that were inlined in places on at least one kernel while their symbol stayed;
- inlined.txt.xz: functions that were inlined everywhere on at least one kernel.

The first line names the kernels; each other line is a pattern of one letter per kernel (N not inlined, S in places, F
everywhere, - not there), followed by the functions that have it.
"""

from __future__ import annotations

import json
import lzma
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

KNOWLEDGE = Path(__file__).parents[1] / "xtrace" / "core" / "resolve" / "knowledge"
_OTHERS = ("arm64", "armhf", "ppc64el", "riscv64", "aws", "azure", "gcp", "lowlatency")
"""Columns of other architectures and flavours, whose inlining says little about the others."""


def rows(truth: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Each function with its letter per kernel."""
    with lzma.open(truth, "rt") as lines:
        for line in lines:
            row = json.loads(line)
            kernels = {kernel: seen for kernel, seen in row["v"].items() if kernel not in _OTHERS}
            yield row["n"], {kernel: seen["i"][0] if seen else "-" for kernel, seen in kernels.items()}


def table(letters: Mapping[str, Mapping[str, str]], wanted: str) -> bytes:
    """The functions that have the letter `wanted` somewhere, by pattern."""
    grouped: dict[str, list[str]] = defaultdict(list)
    kernels: list[str] = []
    for function, seen in letters.items():
        kernels = list(seen)
        if wanted in seen.values():
            grouped["".join(seen.values())].append(function)
    lines = [" ".join(kernels), *(" ".join((pattern, *sorted(grouped[pattern]))) for pattern in sorted(grouped))]
    return "".join(f"{line} \n" for line in lines).encode()


def main() -> None:
    letters = dict(rows(Path(sys.argv[1])))
    (KNOWLEDGE / "partly_inlined.txt").write_bytes(table(letters, "S"))
    packed = lzma.compress(table(letters, "F"), preset=9 | lzma.PRESET_EXTREME)
    (KNOWLEDGE / "inlined.txt.xz").write_bytes(packed)


if __name__ == "__main__":
    main()
