"""The lab's own checks: the engines of each release do what the other cases assume, without xtrace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.lab import leftovers
from tests.lab.capability import TRACEFS, facts
from tests.lab.case import case
from tests.lab.inside import command, equal, lines, stap_module, staprun, workload
from tests.lab.workload import rename, tag

COUNT = 23

BCC_PROGRAM = """
import subprocess, sys
from bcc import BPF

bpf = BPF(text='''
BPF_ARRAY(seen, u64, 1);
TRACEPOINT_PROBE(raw_syscalls, sys_enter) {
    char name[16], tag[] = "lab-getppids";
    bpf_get_current_comm(name, sizeof(name));
    for (int i = 0; i < sizeof(tag); i++)
        if (name[i] != tag[i])
            return 0;
    if (args->id == 110)
        seen.increment(0);
    return 0;
}
''')
subprocess.check_call(sys.argv[1:])
print(bpf["seen"][0].value)
"""

CANARIES = {
    "kprobe": """
        global n
        probe kprobe.function("vfs_read") { if (execname() == "lab-reads") n++ }
        probe end { printf("%d\\n", n) }
    """,
    "tracepoint": """
        global n
        probe kernel.trace("sys_enter") { if ($id == 110 && execname() == "lab-getppids") n++ }
        probe end { printf("%d\\n", n) }
    """,
    "uprobe": """
        global n
        probe process("/lib/x86_64-linux-gnu/libc.so.6").function("getppid") {
            if (execname() == "lab-getppids") n++
        }
        probe end { printf("%d\\n", n) }
    """,
    "timer": f"""
        global n
        probe timer.ms(20) {{ if (++n == {COUNT}) exit() }}
        probe end {{ printf("%d\\n", n) }}
    """,
}


@case()
def tracefs_kprobe() -> None:
    """A kprobe event in an instance of its own records each read of one process, and nothing else."""
    instance = TRACEFS / "instances/lab_self"
    definitions = TRACEFS / "kprobe_events"
    reader = _waiting_reader()
    _append(definitions, "p:lab_self/read vfs_read\n")
    instance.mkdir()
    event = instance / "events/lab_self/read"
    try:
        (event / "filter").write_text(f"common_pid == {reader}")
        (event / "enable").write_text("1")
        os.kill(reader, signal.SIGUSR1)
        os.waitpid(reader, 0)
        records = [line for line in (instance / "trace").read_text().splitlines() if "vfs_read" in line]
    finally:
        (event / "enable").write_text("0")
        instance.rmdir()
        _append(definitions, "-:lab_self/read\n")
    equal(len(records), COUNT, "records")
    assert all(tag("reads") in record for record in records), records


@case()
def leftovers_are_found() -> None:
    """What a careless tracer leaves is seen, named and removed."""
    before = leftovers.snapshot()
    (TRACEFS / "instances/lab_left").mkdir()
    _append(TRACEFS / "uprobe_events", "p:lab_self/left /bin/dash:0x1000\n")
    sleeper = subprocess.Popen(["sleep", "600"])
    new = leftovers.appeared(before)
    leftovers.remove(new)
    sleeper.wait()
    for trace in ("tracefs instance lab_left", "uprobe_events: p:lab_self/left", f"process {sleeper.pid}: sleep 600"):
        assert any(line.startswith(trace) for line in new), (trace, new)
    equal(leftovers.appeared(before), [], "left after the removal")


def _append(file: Path, text: str) -> None:
    # Python's own append mode seeks, which tracefs refuses.
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _waiting_reader() -> int:
    """Fork a process that does its reads when it gets SIGUSR1."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    zero = os.open("/dev/zero", os.O_RDONLY)
    child = os.fork()
    if child == 0:
        rename(tag("reads"))
        signal.sigwait([signal.SIGUSR1])
        for _ in range(COUNT):
            os.read(zero, 1)
        os._exit(0)
    return child


@case(needs=["bcc"], timeout=180)
def bcc_tracepoint() -> None:
    """The release's own BCC attaches to a tracepoint and counts in the kernel."""
    done = command(sys.executable, "-c", BCC_PROGRAM, *workload("getppids", COUNT).split())
    equal(lines(done.stdout), [str(COUNT)], "calls of getppid")


@case(needs=["command:bpftrace"], timeout=120)
def bpftrace_kprobe() -> None:
    """The release's own bpftrace counts by a kprobe."""
    program = 'kprobe:vfs_read /comm == "lab-reads"/ { @n = count(); }'
    done = command("bpftrace", "-e", program, "-c", f"/usr/bin/env {workload('reads', COUNT)}")
    equal([line for line in lines(done.stdout) if line.startswith("@n")], [f"@n: {COUNT}"], "map")


@case(stap=[CANARIES["kprobe"]])
def systemtap_kprobe() -> None:
    """SystemTap's kprobes work on exactly the releases that releases.py says."""
    _canary("kprobe", "reads")


@case(stap=[CANARIES["tracepoint"]])
def systemtap_tracepoint() -> None:
    """SystemTap's tracepoints work on exactly the releases that releases.py says."""
    _canary("tracepoint", "getppids")


@case(stap=[CANARIES["uprobe"]])
def systemtap_uprobe() -> None:
    """SystemTap's uprobes work on exactly the releases that releases.py says."""
    _canary("uprobe", "getppids")


@case(stap=[CANARIES["timer"]])
def systemtap_timer() -> None:
    """SystemTap's timers work on exactly the releases that releases.py says."""
    _canary("timer", "")


def _canary(probe: str, kind: str) -> None:
    classes = facts()["systemtap"]
    assert isinstance(classes, list)
    try:
        module = stap_module(CANARIES[probe])
        done = staprun(module, *(workload(kind, COUNT).split() if kind else ()))
        equal((done.returncode, lines(done.stdout)), (0, [str(COUNT)]), "staprun's status and count")
    except AssertionError:
        if probe in classes:
            raise
    else:
        assert probe in classes, f"{probe} works here; releases.py says: {facts()['systemtap_broken']}"
