"""One program, one workload, several engines: xtrace's backends and the installed peers give the same answer.

Values that differ by nature (times, process ids) are compared by what does not: how many, and of whom.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab.cases.arithmetic import OPERATORS, PROGRAM
from tests.lab.workload import tag

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(os.geteuid() != 0, reason="tracing needs root"),
]
ROOT = Path(__file__).parents[2]
COUNT = 23
LIBC = "/lib/x86_64-linux-gnu/libc.so.6"
GETPPID = f'comm == "{tag("getppids")}"'

# kind of workload, program: its output must be the same on every engine, to the character.
PROGRAMS = {
    "count by key": ("getppids", f"tracepoint:raw_syscalls:sys_enter /{GETPPID} && args->id == 110/ "
                     "{ @[comm, args->id] = count(); }"),
    "sum min max": ("getppids", f"tracepoint:syscalls:sys_enter_getppid /{GETPPID}/ "
                    "{ @i += 1; @sum = sum(@i); @low = min(3); @high = max(3); }"),
    "histograms": ("opens", f'tracepoint:syscalls:sys_exit_openat /comm == "{tag("opens")}"/ '
                   "{ @neg = hist(args->ret); @lin = lhist(args->ret, 0, 5, 2); }"),
    "if and printf": ("getppids", f"tracepoint:syscalls:sys_enter_getppid /{GETPPID}/ {{ @n++; "
                      'if (@n == 7) { printf("%s %d %x\\n", comm, @n * -1, @n); } }'),
    "strings of user memory": ("opens", f'tracepoint:syscalls:sys_enter_openat /comm == "{tag("opens")}"/ '
                               "{ @path[tid] = args->filename; } tracepoint:syscalls:sys_exit_openat /@path[tid]/ "
                               '{ printf("%s %d\\n", str(@path[tid]), args->ret < 0); delete(@path[tid]); }'),
    "uprobe argument": ("lookups", f'uprobe:{LIBC}:getaddrinfo /comm == "{tag("lookups")}"/ '
                        '{ printf("%s\\n", str(arg0)); @ = count(); }'),
    "end and order": ("getppids", 'BEGIN { printf("first\\n"); @a = 1; } '
                      f"tracepoint:syscalls:sys_enter_getppid /{GETPPID}/ {{ @b = count(); }} "
                      'END { printf("last\\n"); clear(@a); }'),
}  # fmt: skip


def workload(kind: str) -> str:
    return f"{sys.executable} -m tests.lab.workload {kind} {COUNT}"


def xtrace(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xtrace", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def shown(text: str) -> list[str]:
    """Output without blank lines and the greeting, histogram titles without their trailing blank."""
    lines = [line.rstrip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("Attaching ")]


@pytest.fixture(params=["ftrace", "bcc"])
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    yield str(request.param)


def needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_bpftrace(name: str, backend: str) -> None:
    needs("bpftrace")
    kind, program = PROGRAMS[name]
    ours = xtrace("trace", "--backend", backend, "-q", "-e", program, "-c", workload(kind))
    if name == "strings of user memory" and backend == "ftrace":
        # No kprobes and no event probes here: a tracepoint's string is out of ftrace's reach, and it must say so.
        assert ours.returncode == 4
        assert "XT080" in ours.stderr
        return
    assert ours.returncode == 0, ours.stderr
    peer = ["bpftrace", "-e", program, "-c", workload(kind)]
    theirs = subprocess.run(peer, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert shown(ours.stdout) == shown(theirs.stdout)


def test_arithmetic_as_the_evaluator() -> None:
    """ftrace runs BEGIN in the evaluator, BCC compiles it: all operators, signs, shifts, wraps and casts."""
    expected = xtrace("trace", "--backend", "ftrace", "-e", PROGRAM)
    compiled = xtrace("trace", "--backend", "bcc", "-e", PROGRAM)
    if compiled.returncode == 4:
        pytest.skip("BCC is not installed")
    assert len(shown(expected.stdout)) > len(OPERATORS)
    assert sorted(shown(compiled.stdout)) == sorted(shown(expected.stdout))


def rows(tool: str, backend: str, kind: str, *words: str) -> list[dict[str, object]]:
    done = xtrace("run", tool, "--backend", backend, "--json", *words, "-c", workload(kind))
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [row for row in found if row.get("schema") == "xtrace.event/1"]


class Peer:
    """A libbpf tool that watches from the moment it first shows anything, its lines gathered as they come."""

    def __init__(self, tool: str) -> None:
        command = ["stdbuf", "-oL", tool]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.lines: list[list[str]] = []
        threading.Thread(target=self._gather, daemon=True).start()

    def _gather(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.split())

    def __enter__(self) -> Peer:
        self.wait(lambda: len(self.lines) > 1, between=lambda: subprocess.run(["/bin/true"], check=True))
        return self

    def __exit__(self, *error: object) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)

    def wait(self, seen: Callable[[], bool], between: Callable[[], object] = lambda: None) -> None:
        limit = time.monotonic() + 30
        while not seen() and time.monotonic() < limit:
            between()
            time.sleep(0.1)


def peer_lines(tool: str, kind: str, wanted: Callable[[list[str]], bool], count: int) -> list[list[str]]:
    """The lines of a peer about our workload, once `count` of them have come."""
    with Peer(tool) as peer:
        subprocess.run(workload(kind).split(), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        peer.wait(lambda: sum(map(wanted, peer.lines)) >= count)
        return [line for line in peer.lines if wanted(line)]


def test_opensnoop_as_libbpf_tools() -> None:
    needs("opensnoop")
    name = tag("opens")
    ours = Counter((str(row["path"]), row["err"]) for row in rows("opensnoop", "bcc", "opens") if row["comm"] == name)
    lines = peer_lines("opensnoop", "opens", lambda line: name in line, 2 * COUNT)
    theirs = Counter((line[-1], int(line[-2])) for line in lines)
    assert sum(theirs.values()) == 2 * COUNT
    assert ours == theirs


def test_execsnoop_as_libbpf_tools(backend: str) -> None:
    needs("execsnoop")
    ours = Counter(row["comm"] for row in rows("execsnoop", backend, "execs") if row["path"] != sys.executable)
    lines = peer_lines("execsnoop", "execs", lambda line: "lab-execs" in line, COUNT)
    theirs = Counter(line[0] for line in lines)
    assert sum(theirs.values()) == COUNT
    assert {comm: ours[comm] for comm in theirs} == dict(theirs)


def test_syscount_as_strace(backend: str) -> None:
    needs("strace")
    # The first run of a module writes its bytecode.
    subprocess.run(workload("getppids").split(), cwd=ROOT, check=True)
    done = xtrace("run", "syscount", "--backend", backend, "-c", workload("getppids"))
    counts = dict(re.findall(r"^@calls\[(\w+)\]: (\d+)$", done.stdout, re.MULTILINE))
    peer = ["strace", "-f", "-c", "-U", "name,calls", *workload("getppids").split()]
    table = subprocess.run(peer, cwd=ROOT, capture_output=True, text=True, timeout=120).stderr
    theirs = dict(re.findall(r"^(\w+)\s+(\d+)$", table, re.MULTILINE))
    assert counts["getppid"] == theirs["getppid"] == str(COUNT)
    # strace sees execve from inside; exit_group does not return, so a count of returns lacks it. One read is that with
    # which the command waited to be released.
    assert int(counts["read"]) == int(theirs["read"]) + 1
    compared = set(theirs) - {"exit_group", "total", "execve", "read"}
    assert {name: counts.get(name) for name in compared} == {name: theirs[name] for name in compared}
