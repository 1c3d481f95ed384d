"""Command lines run in this process, and a recorded host for them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from xtrace.cli.main import run
from xtrace.core.facts.bundle import write_files
from xtrace.core.facts.recording import document, formats_text


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def codes(self) -> list[str]:
        """The codes of the diagnostics on standard error, which `--json` gives as objects."""
        return [json.loads(line)["code"] for line in self.err.splitlines() if line.startswith("{")]


class Shell:
    """Runs `xtrace WORDS` in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> Done:
        self._capsys.readouterr()
        code = run(list(words))
        found = self._capsys.readouterr()
        return Done(code, found.out, found.err)

    def document(self, *words: str) -> Any:
        """The JSON document that a command prints."""
        done = self(*words, "--json")
        assert done.code == 0, done.err
        return json.loads(done.out)


_FORMAT = """name: {name}
ID: {number}
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

{fields}
print fmt: ""
"""


def _field(declaration: str, offset: int, size: int) -> str:
    return f"\tfield:{declaration};\toffset:{offset};\tsize:{size};\tsigned:1;\n"


_EXEC = _field("__data_loc char[] filename", 8, 4) + _field("pid_t pid", 12, 4)
_SWITCH = _field("char prev_comm[16]", 8, 16) + _field("pid_t prev_pid", 24, 4)
_SYMBOLS = "T vfs_read\nT vfs_write\nt tcp_v4_rcv.isra.0\nT do_exit\n"


def recorded_host(place: Path) -> str:
    """A small host's bundle: two tracepoints, four functions, ftrace as on RHEL 7."""
    present = {"state": "present", "value": True, "evidence": "recorded for a test", "errno": None}
    facts: dict[str, object] = {
        "tracefs.path": {**present, "value": "/sys/kernel/debug/tracing"},
        "kernel.kallsyms": present,
        "stap.path": {**present, "state": "absent", "value": None},
        **dict.fromkeys(("tracefs.instances", "kprobe.usable", "uprobe.usable", "tracefs.filter.string"), present),
    }
    formats = {
        "sched:sched_process_exec": _FORMAT.format(name="sched_process_exec", number=70, fields=_EXEC),
        "sched:sched_switch": _FORMAT.format(name="sched_switch", number=71, fields=_SWITCH),
    }
    files = {
        "facts.json": document("3.10.0-test", "x86_64", facts),
        "events.txt": "".join(f"{name}\n" for name in formats).encode(),
        "formats.txt": formats_text(formats).encode(),
        "symbols.txt": _SYMBOLS.encode(),
    }
    path = place / "host.xfacts"
    with path.open("wb") as stream:
        write_files(files, stream)
    return str(path)
