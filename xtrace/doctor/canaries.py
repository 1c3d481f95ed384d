"""Small programs, one for each kind of thing that tracing can do: planned on every host, and run where asked."""

from __future__ import annotations

from dataclasses import dataclass

from xtrace.doctor.program import FUNCTION, PROBE, PROVIDER, RESULT, TEXT

_TRACEPOINT = "tracepoint:sched:sched_process_exit"
_FUNCTION = "mmput"
"""Every process calls it when it starts a program and when it ends; it is exported, so compilers keep it whole
(kernel/fork.c; there since 2.5)."""


@dataclass(frozen=True)
class Canary:
    """`expected` begins a line that the program prints, or is the name of a map that must not be empty.

    `needs_program`: it probes the program of `xtrace.doctor.program`, whose path stands for PATH in the text.
    """

    name: str
    text: str
    expected: str
    needs_program: bool = False


def _prints(name: str, probe: str, format_: str = "seen", *values: str, **more: bool) -> Canary:
    arguments = "".join(f", {value}" for value in values)
    return Canary(name, f'{probe} {{ printf("{format_}\\n"{arguments}); }}', format_.split("%")[0], **more)


CANARIES = (
    _prints("tracepoint", _TRACEPOINT),
    _prints("kprobe", f"kprobe:{_FUNCTION}"),
    _prints("kretprobe", f"kretprobe:{_FUNCTION}"),
    _prints("uprobe", f'uprobe:"PATH":{FUNCTION}', needs_program=True),
    Canary(
        "uretprobe",
        f'uretprobe:"PATH":{FUNCTION} {{ printf("seen %d\\n", retval); }}',
        f"seen {RESULT}",
        needs_program=True,
    ),
    _prints("usdt", f'usdt:"PATH":{PROVIDER}:{PROBE}', needs_program=True),
    _prints("interval", "interval:ms:10"),
    _prints("profile", "profile:hz:999"),
    Canary("count", f"{_TRACEPOINT} {{ @seen = count(); }}", "@seen"),
    Canary("histogram", f"{_TRACEPOINT} {{ @seen = hist(pid); }}", "@seen"),
    Canary(
        "user string",
        f'uprobe:"PATH":{FUNCTION} {{ printf("seen %s\\n", str(arg0)); }}',
        f"seen {TEXT}",
        needs_program=True,
    ),
    _prints("kernel struct", _TRACEPOINT, "seen %d", "curtask->tgid"),
    Canary("kernel stack", f"{_TRACEPOINT} {{ @seen[kstack] = count(); }}", "@seen"),
    Canary("user stack", f'uprobe:"PATH":{FUNCTION} {{ @seen[ustack] = count(); }}', "@seen", needs_program=True),
)
