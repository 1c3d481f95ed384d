"""The shell scripts of ftrace: the same events as a live trace, in every shell, and nothing left behind."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.lab.capability import LAB
from tests.lab.case import case
from tests.lab.inside import Background, equal, equal_counts, hidden, workload, xtrace
from tests.lab.leftovers import appeared, snapshot
from tests.lab.workload import MISSING, OPENED, tag

COUNT = 23
CANARY = "/etc/hostname"
SHELLS = {"dash": ("dash",), "busybox": ("busybox", "ash"), "bash": ("bash", "--posix")}
PAIR = "kprobe:vfs_read { @start[tid] = nsecs; } kretprobe:vfs_read { @ns[comm] = sum(nsecs - @start[tid]); }"
EXECS = "sched_process_exec"
_EXECUTED = re.compile(rf"{EXECS}: filename=(/bin/(?:true|false)) ")
_ENTRY = re.compile(rf"{tag('reads')}-(\d+).*: (\w+): \((?:\S+ <- )?vfs_read\S*\)")


def rendered(name: str, *words: str) -> Path:
    """Render a script to a file."""
    script = LAB / f"{name}.sh"
    script.write_text(xtrace("render", *words, "--backend", "ftrace").stdout)
    return script


def shown(shell: Sequence[str], script: Path, canary: str, work: str) -> str:
    """Run a script while *work* is done, between two readings of CANARY, which show as *canary*; everything it printed.
    Xtrace itself is not there."""
    with hidden(LAB / "tree/xtrace"):
        running = Background(*shell, str(script))
        running.wait_for(canary, meanwhile=["cat", CANARY])
        subprocess.run(shlex.split(work), check=True)
        subprocess.run(["/bin/date", "-r", CANARY], check=True)
        running.wait_for("date-")
        done = running.end()
    equal(done.returncode, 130, "exit status after Ctrl-C")
    equal(done.stderr, "", "complaints")
    return done.stdout


@case(needs=["ftrace"], timeout=120)
def opens_in_every_shell() -> None:
    """opensnoop's script shows every open, as the tool does."""
    script = rendered("opensnoop", "opensnoop")
    expected = [f"{folder}/{number}" for number in range(COUNT) for folder in (OPENED, OPENED, MISSING)]
    for shell in SHELLS.values():
        text = shown(shell, script, CANARY, workload("opens", COUNT))
        found = re.findall(rf"(?:{OPENED}|{MISSING})/\d+", text)
        equal_counts(found, expected, f"paths shown by {' '.join(shell)}")


@case(needs=["ftrace"], timeout=120)
def execs_as_the_tool_shows_them() -> None:
    """execsnoop's script shows the programs that were executed."""
    script = rendered("execsnoop", "execsnoop")
    text = shown(SHELLS["dash"], script, "filename=", workload("execs", COUNT))
    equal(sum(1 for _ in _EXECUTED.finditer(text)), COUNT, "programs")


@case(needs=["ftrace"], timeout=120)
def a_pair_of_kprobes() -> None:
    """A function's entries and exits are shown in turn, for each thread as many of the one as of the other."""
    script = rendered("pair", "-e", PAIR)
    text = shown(SHELLS["dash"], script, "vfs_read", workload("reads", COUNT))
    kinds = [found[2].rpartition("_")[2] for found in _ENTRY.finditer(text)]
    equal(kinds, ["0", "1"] * COUNT, "entries and exits")


@case(needs=["ftrace"], timeout=120)
def however_it_ends() -> None:
    """Ctrl-C, SIGTERM, a hang-up, time or a closed pipe: a script takes back what it did."""
    script = rendered("pair", "-e", PAIR)
    for shell in SHELLS.values():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            before = snapshot()
            running = Background(*shell, str(script))
            running.wait_for("vfs_read", meanwhile=["cat", CANARY])
            equal(running.end(number).returncode, 128 + number, f"exit status of {shell[0]}")
            equal(appeared(before), [], f"left by {shell[0]} after signal {number}")
        before = snapshot()
        done = subprocess.run([*shell, str(script), "-d", "1"], capture_output=True, text=True, timeout=60, check=False)
        equal((done.returncode, done.stderr, appeared(before)), (0, "", []), f"{shell[0]} when time is up")
        line = shlex.join([*shell, str(script)]) + " | head -n 1 >/dev/null"
        subprocess.run(["sh", "-c", line], timeout=60, check=True)
        equal(appeared(before), [], f"left by {shell[0]} after a closed pipe")
