"""What programs print is what the guest's own bpftrace prints, but for what its releases do differently."""

from __future__ import annotations

from tests.lab.case import case
from tests.lab.inside import command
from tests.lab.output_programs import differences, output_of, version_of


@case(timeout=420, long=True)
def as_bpftrace() -> None:
    """Maps, histograms, tuples, printf and times of programs that give the same at each run."""
    _compared("text")


@case(timeout=420, long=True)
def as_bpftrace_in_json() -> None:
    """The same programs with `-f json`, line by line as data."""
    _compared("json")


def _compared(form: str) -> None:
    version = version_of(command("bpftrace", "--version").stdout)
    different = differences(version, output_of, output_of, form, [])
    assert not different, "\n".join(different)
