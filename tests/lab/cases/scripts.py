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
DASH = ("dash",)
OTHERS = (("busybox", "ash"), ("bash", "--posix"))
PAIR = "kprobe:vfs_read { @start[tid] = nsecs; } kretprobe:vfs_read { @ns[comm] = sum(nsecs - @start[tid]); }"
EXECS = "sched_process_exec"
WITH_HIST = ("6.1", "6.12", "7.2")
"""Debian's cloud kernel 5.10 is built without CONFIG_HIST_TRIGGERS."""
READS = f'/comm == "{tag("sizes")}"/'
TIMED = f"""tracepoint:syscalls:sys_enter_read {READS} {{ @start[tid] = nsecs; @begun = count(); }}
tracepoint:syscalls:sys_exit_read /@start[tid]/ {{
  @ns[cpu] = hist(nsecs - @start[tid]); @n[args.ret] = count(); delete(@start[tid]);
}}"""
_HITS = re.compile(r"# trigger info: hist:keys=(?:\w+,)?(common_type|lat\.log2):.*?Hits: (\d+)", re.DOTALL)
"""The last keys of a table, and how many events it has counted."""
_EXECUTED = re.compile(rf"{EXECS}: filename=(/bin/(?:true|false)) ")
_CALL = re.compile(r"-(\d+) .*: vfs_read_(\d): \(.*?\)(?: a0=\"(.*)\")?$", re.MULTILINE)
"""Process, 0 for an entry or 1 for an exit, and the name that exits carry. The name in front of the process may be an
older one."""


def rendered(name: str, *words: str) -> Path:
    """Render a script to a file."""
    script = LAB / f"{name}.sh"
    script.write_text(xtrace("render", *words, "--backend", "ftrace").stdout)
    return script


def shown(shell: Sequence[str], script: Path, canary: str, work: str, last: str) -> str:
    """Run a script, whose first lines show *canary*, while *work* is done and date(1) after it, until it shows *last*;
    everything it printed. Xtrace itself is not there."""
    with hidden(LAB / "tree/xtrace"):
        running = Background(*shell, str(script))
        running.wait_for(canary, meanwhile=["cat", CANARY])
        subprocess.run(shlex.split(work), check=True)
        subprocess.run(["/bin/date"], check=True, stdout=subprocess.DEVNULL)
        running.wait_for(last, timeout=60)
        done = running.end()
    equal(done.returncode, 130, "exit status after Ctrl-C")
    equal(done.stderr, "", "complaints")
    return done.stdout


@case(needs=["ftrace"], timeout=120)
def opens_in_other_shells() -> None:
    """opensnoop's script shows every open, as the tool does, in other shells than Debian's sh."""
    script = rendered("opensnoop", "opensnoop")
    expected = [f"{folder}/{number}" for number in range(COUNT) for folder in (OPENED, OPENED, MISSING)]
    for shell in OTHERS:
        text = shown(shell, script, CANARY, workload("opens", COUNT), f"{MISSING}/{COUNT - 1}")
        found = re.findall(rf"(?:{OPENED}|{MISSING})/\d+", text)
        equal_counts(found, expected, f"paths shown by {' '.join(shell)}")


@case(needs=["ftrace"], timeout=120)
def execs_as_the_tool_shows_them() -> None:
    """execsnoop's script shows the programs that were executed."""
    script = rendered("execsnoop", "execsnoop")
    text = shown(DASH, script, "filename=", workload("execs", COUNT), "filename=/bin/date")
    equal(sum(1 for _ in _EXECUTED.finditer(text)), COUNT, "programs")


@case(needs=["ftrace"], timeout=120)
def a_pair_of_kprobes() -> None:
    """A function's entries and exits are shown in turn, every one, while the script itself reads as well."""
    script = rendered("pair", "-e", PAIR)
    text = shown(DASH, script, "vfs_read", workload("reads", COUNT), 'a0="date"')
    own = {found[1] for found in _CALL.finditer(text) if found[3] == tag("reads")}
    calls = [(found[2], found[3]) for found in _CALL.finditer(text) if found[1] in own]
    equal(len(own), 1, "processes")
    equal([kind for kind, _ in calls], ["0", "1"] * (len(calls) // 2), "entries and exits")
    equal(sum(comm == tag("reads") for _, comm in calls), COUNT, "exits under the name")


@case(kernels=WITH_HIST, needs=["ftrace"], timeout=120)
def tables_of_the_kernel() -> None:
    """A script of counts and times prints the kernel's tables when it ends, in every shell, and takes all apart."""
    script = rendered("timed", "--aggregate", "kernel", "-e", TIMED)
    before = snapshot()
    for shell in (DASH, *OTHERS):
        with hidden(LAB / "tree/xtrace"):
            running = Background(*shell, str(script))
            running.wait_for("counting in the kernel", on_stderr=True)
            subprocess.run(shlex.split(workload("sizes", COUNT)), check=True)
            done = running.end()
        equal(done.returncode, 130, f"exit status of {shell[0]} after Ctrl-C")
        hits = {name: int(found) for name, found in _HITS.findall(done.stdout)}
        equal(hits, {"common_type": 2 * COUNT, "lat.log2": 2 * COUNT}, f"reads begun and timed, by {shell[0]}")
        equal(appeared(before), [], f"left by {shell[0]}")


@case(needs=["ftrace"], timeout=120)
def however_it_ends() -> None:
    """Ctrl-C, SIGTERM, a hang-up, time or a closed pipe: a script takes back what it did."""
    _takes_back(DASH, rendered("pair", "-e", PAIR))


@case(needs=["ftrace"], timeout=240, long=True)
def however_it_ends_in_other_shells() -> None:
    """The same in busybox's and bash's POSIX shells."""
    script = rendered("pair", "-e", PAIR)
    for shell in OTHERS:
        _takes_back(shell, script)


def _takes_back(shell: Sequence[str], script: Path) -> None:
    before = snapshot()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        running = Background(*shell, str(script))
        running.wait_for("vfs_read", meanwhile=["cat", CANARY])
        equal(running.end(number).returncode, 128 + number, f"exit status of {shell[0]}")
        equal(appeared(before), [], f"left by {shell[0]} after signal {number}")
    done = subprocess.run([*shell, str(script), "-d", "1"], capture_output=True, text=True, timeout=60, check=False)
    equal((done.returncode, done.stderr, appeared(before)), (0, "", []), f"{shell[0]} when time is up")
    line = shlex.join([*shell, str(script)]) + " | head -n 1 >/dev/null"
    # Who reads no more is noticed when there is something to write.
    subprocess.run(["sh", "-c", f"({line}) & while kill -0 $!; do cat {CANARY}; done"], timeout=60, check=True)
    equal(appeared(before), [], f"left by {shell[0]} after a closed pipe")
