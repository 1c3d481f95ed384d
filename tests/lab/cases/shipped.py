"""The tools that the guest's bpftrace package ships run as they are, or are refused by name."""

from __future__ import annotations

import os

from tests.lab.case import case
from tests.lab.shipped_tools import Fared, fare, tools, working

MD, XFS = "mdflush", "xfsdist"
"""They probe modules that the guests have not loaded."""
REFUSED = {
    "5.10": {MD, XFS, "tcpdrop"},
    "6.1.": {MD, XFS, "biolatency", "biosnoop", "biostacks"},
    "6.12": {MD, XFS, "biolatency-kp"},
    "7.2.": {MD, XFS, "biolatency-kp"},
}
"""By kernel, the tools whose functions it has not: `tcp_drop` and `blk_account_io_*` are inlined or lie elsewhere."""
OF_LIBRARIES = {"bashreadline", "gethostlatency", "ssllatency", "sslsnoop", "threadsnoop"}
"""They probe programs and libraries that an image may lack, or have stripped."""
REASONS = frozenset(("XT0501", "XT0502", "XT0506", "XT0514"))
"""A probe, a function or a program is not there, or its arguments lie elsewhere."""


def wrong(one: Fared, refused: set[str]) -> str:
    """What is not as it should be with a tool; "" if all is."""
    if one.status == 0:
        return f"{one.tool} runs, but is listed as refused" if one.tool in refused else ""
    if one.status == 4 and one.codes & REASONS and one.tool in refused | OF_LIBRARIES:
        return ""
    return f"{one.tool} ended with {one.status}: {one.complaint}"


@case(timeout=900, long=True)
def each_runs_or_says_why_not() -> None:
    """Every tool for a second."""
    refused = REFUSED[os.uname().release[:4]]
    found = []
    with working():
        for tool in tools():
            one = fare(tool)
            print(one.tool, one.status, sorted(one.codes), one.complaint, flush=True)
            found.append(one)
    assert len(found) > 30, "the package's tools are not installed"
    complaints = [complaint for one in found if (complaint := wrong(one, refused))]
    assert not complaints, "\n".join(complaints)
