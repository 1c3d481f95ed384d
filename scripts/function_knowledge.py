"""Make the resolver's knowledge of inlined functions from recorded kernels: python scripts/function_knowledge.py HOSTS

HOSTS is the folder of recorded hosts; its function-truth.jsonl.xz is made from the public data set of DepSurf (EuroSys
2025), which took it from DWARF. Written are three files of xtrace/core/resolve/knowledge:

- partly_inlined.txt: functions that were inlined in places on at least one kernel while their symbol stayed;
- inlined.txt.xz: functions that were inlined everywhere on at least one kernel;
- kernel_events.txt: tracepoints, which tell what kernel of these a host is most like.

The first line names the kernels; each other line is a pattern of one letter per kernel (N not inlined, S in places, F
everywhere, E there is such a tracepoint, - not there), followed by the names that have it.
"""

from __future__ import annotations

import json
import lzma
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

KNOWLEDGE = Path(__file__).parents[1] / "xtrace" / "core" / "resolve" / "knowledge"
VERSIONS = {
    "4.4": "16.04", "4.8": "16.10", "4.10": "17.04", "4.13": "17.10", "4.15": "18.04", "4.18": "18.10", "5.0": "19.04",
    "5.3": "19.10", "5.4": "20.04", "5.8": "20.10", "5.11": "21.04", "5.15": "22.04", "5.19": "22.10", "6.5": "23.10",
    "6.8": "24.04",
}  # fmt: skip
"""The Ubuntu release of each kernel. The data has other architectures and flavours too, whose inlining says little
about these."""


def rows(truth: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Each function with its letter per kernel."""
    with lzma.open(truth, "rt") as lines:
        for line in lines:
            row = json.loads(line)
            seen = {kernel: row["v"][kernel] for kernel in VERSIONS}
            yield row["n"], {kernel: there["i"][0] if there else "-" for kernel, there in seen.items()}


def tracepoints(hosts: Path) -> Mapping[str, Mapping[str, str]]:
    """Each tracepoint, without its system, with a letter per kernel."""
    there: dict[str, set[str]] = {}
    for kernel, version in VERSIONS.items():
        lines = (hosts / f"ubuntu-{version}-depsurf" / "tracepoints.txt").read_text().split()
        there[kernel] = {line.partition(":")[2] for line in lines}
    names = sorted(set().union(*there.values()))
    return {name: {kernel: "E" if name in there[kernel] else "-" for kernel in VERSIONS} for name in names}


def table(letters: Mapping[str, Mapping[str, str]], wanted: str) -> bytes:
    """The names that have the letter `wanted` somewhere, by pattern."""
    grouped: dict[str, list[str]] = defaultdict(list)
    kernels: list[str] = []
    for function, seen in letters.items():
        kernels = list(seen)
        if wanted in seen.values():
            grouped["".join(seen.values())].append(function)
    lines = [" ".join(kernels), *(" ".join((pattern, *sorted(grouped[pattern]))) for pattern in sorted(grouped))]
    return "".join(f"{line} \n" for line in lines).encode()


def main() -> None:
    hosts = Path(sys.argv[1])
    letters = dict(rows(hosts / "function-truth.jsonl.xz"))
    (KNOWLEDGE / "kernel_events.txt").write_bytes(table(tracepoints(hosts), "E"))
    (KNOWLEDGE / "partly_inlined.txt").write_bytes(table(letters, "S"))
    packed = lzma.compress(table(letters, "F"), preset=9 | lzma.PRESET_EXTREME)
    (KNOWLEDGE / "inlined.txt.xz").write_bytes(packed)


if __name__ == "__main__":
    main()
