"""However a trace ends, it shows what it has and leaves nothing behind. (The runner looks after every case.)"""

from __future__ import annotations

import signal
import subprocess
import sys

from tests.lab.capability import TRACEFS
from tests.lab.case import BACKENDS, case
from tests.lab.cases.programs import COUNT, GETPPID, LATENCY, SYSCALLS, trace
from tests.lab.inside import Background, equal, lines, maps, workload, xtrace
from tests.lab.workload import tag

ATTACHED = '"xtrace.attached/1"'


@case(backends=BACKENDS, probes=["tracepoint"], stap=[("-e", SYSCALLS)], timeout=90)
def interrupted(backend: str) -> None:
    """Ctrl-C ends a trace normally, with the maps so far."""
    running = Background("xtrace", *trace(backend, SYSCALLS, "--json"))
    running.wait_for(ATTACHED)
    subprocess.run(workload("getppids", COUNT).split(), check=True)
    done = running.end(signal.SIGINT)
    equal(done.returncode, 0, "exit status")
    equal(maps(done)["@numbers"].get((tag("getppids"), GETPPID)), COUNT, "calls of getppid")


@case(backends=["ftrace", "bcc"], timeout=90)
@case(backends=["systemtap"], probes=["tracepoint"], stap=[("-e", SYSCALLS)], timeout=90)
def killed(backend: str) -> None:
    """After kill -9 somebody else cleans up."""
    program = SYSCALLS if backend == "systemtap" else LATENCY
    running = Background("xtrace", *trace(backend, program, "--json"))
    running.wait_for(ATTACHED)
    if backend == "ftrace":
        assert list((TRACEFS / "instances").glob("xtrace_*")), "no instance to clean"
    equal(running.end(signal.SIGKILL).returncode, -signal.SIGKILL, "exit status")


@case(needs=["ftrace"], timeout=90)
def reader_gone() -> None:
    """A closed pipe ends a trace without a complaint."""
    program = 'kprobe:vfs_read { printf("%s\\n", comm); }'
    reader = "import sys; sys.stdout.write(sys.stdin.readline())"
    pipeline = f"xtrace trace --backend ftrace -e '{program}' | {sys.executable} -c '{reader}'; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", pipeline], capture_output=True, text=True, timeout=200, check=False)
    found = (done.returncode, len(lines(done.stdout)), done.stderr)
    equal(found, (0, 1, "Attached 1 probe\n"), "exit status, lines and complaints")


@case(needs=["ftrace"], timeout=90)
def time_is_up() -> None:
    """-d ends a trace normally."""
    done = xtrace("trace", "-d", "0.5", "-e", 'END { printf("over\\n"); } kprobe:vfs_read { @ = count(); }')
    assert "over" in lines(done.stdout), done.stdout
    assert any(line.startswith("@: ") for line in lines(done.stdout)), done.stdout
