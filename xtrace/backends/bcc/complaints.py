"""Why the worker failed, in the words of whoever refused: clang, the verifier, the kernel."""

from __future__ import annotations

import re
from typing import Union

from xtrace.core.errors import BackendError, Diagnostic, PrivilegeError

SHOWN_LINES = 6
_CLANG = re.compile(r"error: |stack limit")
_VERIFIER_END = re.compile(
    r"invalid |not allowed|unbounded|R\d+ |too (?:many|large|complex)|unknown func|back-edge|cannot|Permission denied"
)
_NOISE = re.compile(r"^(?:processed \d+|\d+: \(|verification time|stack depth|; |from \d+ to|\s*$|Traceback|  File)")


def complaint(stage: str, text: str, said: str) -> Union[BackendError, PrivilegeError]:
    """The exception for a worker that failed while compiling, loading, attaching or running."""
    lines = relevant_lines(said)
    detail = "".join(f"\n  {line}" for line in lines)
    hints = _hints(text, said)
    if _lacks_privilege(text, said):
        hint = "run it as root (sudo), or with CAP_BPF and CAP_PERFMON (CAP_SYS_ADMIN before Linux 5.8)"
        return PrivilegeError(Diagnostic("XT0706", f"BCC may not load programs: {text}{detail}", hints=(hint, *hints)))
    code = {"compile": "XT0707", "run": "XT0708"}.get(stage, "XT0709")
    words = {"compile": "BCC could not compile the program", "run": "BCC could not run the program"}.get(
        stage, "BCC stopped"
    )
    return BackendError(Diagnostic(code, f"{words}: {text}{detail}", hints=hints))


def relevant_lines(said: str) -> list[str]:
    """The first lines that clang or the verifier complain with, else the last that were written."""
    lines = [line.rstrip() for line in said.splitlines() if not _NOISE.match(line)]
    complaints = [line for line in lines if _CLANG.search(line)]
    if not complaints:
        complaints = [line for line in lines if _VERIFIER_END.search(line)]
    return complaints[:SHOWN_LINES] if complaints else lines[-SHOWN_LINES:]


def _lacks_privilege(text: str, said: str) -> bool:
    """BCC says "super-user" for every EPERM; only without root is that the reason."""
    import os

    return os.geteuid() != 0 and ("super-user" in text or "not permitted" in text + said)


def _hints(text: str, said: str) -> tuple[str, ...]:
    if "No module named" in text + said or "ImportError" in text + said:
        return ("install the distribution's BCC for this Python: python3-bpfcc, python3-bcc",)
    if "file not found" in said or "kernel headers" in said:
        return ("this BCC wants a header that xtrace does not ship: please report it with `xtrace doctor --json`",)
    if "super-user" in text or "not permitted" in text + said:
        return (
            "root was refused: it lacks CAP_SYS_ADMIN and CAP_BPF (a container without --privileged), or kernel"
            " lockdown, a seccomp filter or an LSM forbids bpf(2): xtrace doctor --check XT-ENGINE-BCC tells",
        )
    return ("--backend ftrace or --backend systemtap may serve; `xtrace plan` says why or why not",)
