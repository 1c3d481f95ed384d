"""What programs print is what the guest's own bpftrace prints, to the character."""

from __future__ import annotations

import re

from tests.lab.case import case
from tests.lab.inside import command, xtrace
from tests.lab.output_programs import PROGRAMS, Version, text_of, version_of

FIRST_ON_STANDARD_ERROR = (0, 24)
"""From this version on bpftrace tells on standard error how many probes are attached, as xtrace does."""


def results(text: str, version: Version) -> str:
    """What a bpftrace printed, less what its releases do differently from one another: the greeting, the blank behind
    the title of a histogram, and how many blank lines stand before maps that are not there."""
    if version < FIRST_ON_STANDARD_ERROR:
        text = re.sub(r"\AAttaching \d+ probes?\.\.\.\n", "", text)
    return re.sub(r"^(@.*:) $", r"\1", text, flags=re.MULTILINE).strip("\n")


@case(timeout=600, long=True)
def as_bpftrace() -> None:
    """Maps, histograms, tuples, printf and times of programs that give the same at each run."""
    version = version_of(command("bpftrace", "--version").stdout)
    different = []
    for name, shown in PROGRAMS.items():
        if shown.since > version:
            continue
        theirs = command("bpftrace", "-e", text_of(name))
        assert theirs.returncode == 0, f"bpftrace refuses {name!r}: {theirs.stderr}"
        ours = xtrace("trace", "--backend", "ftrace", "-e", text_of(name))
        if results(ours.stdout, version) != results(theirs.stdout, version):
            different.append(f"{name}:\n{theirs.stdout}\n--- xtrace:\n{ours.stdout}")
    assert not different, "\n".join(different)
