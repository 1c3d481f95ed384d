"""What programs print is what the guest's own bpftrace prints, but for what its releases do differently."""

from __future__ import annotations

import re

from tests.lab.case import case
from tests.lab.inside import command, xtrace
from tests.lab.output_programs import PROGRAMS, Version, text_of, version_of

CURRENT = (0, 24)
"""From this version on bpftrace greets on standard error, shows stats() as a struct, and no longer sorts numbers."""


def results(text: str, version: Version) -> list[str]:
    """The lines of an output, without what bpftrace's releases do differently from one another: the greeting, the blank
    behind the title of a histogram, blank lines, and what CURRENT says."""
    found = [line.rstrip() for line in text.splitlines() if line.strip()]
    if version < CURRENT:
        return [line for line in found if not re.fullmatch(r"Attaching \d+ probes?\.\.\.", line)]
    stats = r"\{ \.count = (-?\d+), \.average = (-?\d+), \.total = (-?\d+) \}"
    return sorted(re.sub(stats, r"count \1, average \2, total \3", line) for line in found)


@case(timeout=300, long=True)
def as_bpftrace() -> None:
    """Maps, histograms, tuples, printf and times of programs that give the same at each run."""
    version = version_of(command("bpftrace", "--version").stdout)
    different = []
    for name, shown in PROGRAMS.items():
        if not shown.since <= version <= shown.until:
            continue
        theirs = command("bpftrace", "-e", text_of(name))
        assert theirs.returncode == 0, f"bpftrace refuses {name!r}: {theirs.stderr}"
        ours = xtrace("trace", "--backend", "ftrace", "-e", text_of(name))
        if results(ours.stdout, version) != results(theirs.stdout, version):
            different.append(f"{name}:\n{theirs.stdout}\n--- xtrace:\n{ours.stdout}")
    assert not different, "\n".join(different)
