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
    """`expected` begins a line that the program prints, or is the name of a map that must not be empty. Each canary
    has its own, so that several may run as one program.

    `needs_program`: it probes the program of `xtrace.doctor.program`, whose path stands for PATH in the text.
    """

    name: str
    text: str
    expected: str
    needs_program: bool = False

    @property
    def once(self) -> str:
        """The program that ends when it has seen its event."""
        return f"{self.text[:-1]}exit(); }}"


def _prints(name: str, probe: str, format_: str = "", *values: str, expects: str = "") -> Canary:
    arguments = "".join(f", {value}" for value in values)
    text = f'{probe} {{ printf("{name} seen {format_}\\n"{arguments}); }}'
    return Canary(name, text, f"{name} seen {expects}", "PATH" in probe)


def _counts(name: str, probe: str, key: str = "", value: str = "count()") -> Canary:
    seen = f"@{name.replace(' ', '_')}"
    return Canary(name, f"{probe} {{ {seen}{key} = {value}; }}", seen, "PATH" in probe)


_UPROBE = f'uprobe:"PATH":{FUNCTION}'

CANARIES = (
    _prints("tracepoint", _TRACEPOINT),
    _prints("kprobe", f"kprobe:{_FUNCTION}"),
    _prints("kretprobe", f"kretprobe:{_FUNCTION}"),
    _prints("uprobe", _UPROBE),
    _prints("uretprobe", f'uretprobe:"PATH":{FUNCTION}', "%d", "retval", expects=str(RESULT)),
    _prints("usdt", f'usdt:"PATH":{PROVIDER}:{PROBE}'),
    _prints("interval", "interval:ms:10"),
    _prints("profile", "profile:hz:999"),
    _counts("count", _TRACEPOINT),
    _counts("histogram", _TRACEPOINT, value="hist(pid)"),
    _prints("user string", _UPROBE, "%s", "str(arg0)", expects=TEXT),
    _prints("kernel struct", _TRACEPOINT, "%d", "curtask->tgid"),
    _counts("kernel stack", _TRACEPOINT, "[kstack]"),
    _counts("user stack", _UPROBE, "[ustack]"),
)
