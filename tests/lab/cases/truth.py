"""What did not reach the user is counted and shown, in text and in NDJSON; sessions leave each other be."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from typing import Any

from tests.lab.capability import TRACEFS
from tests.lab.case import case
from tests.lab.inside import Background, command, equal, events, maps, workload, xtrace
from tests.lab.workload import tag

MANY, SLEEPERS, ACTIVE = 20000, 300, 256
"""Calls that overflow a small buffer; threads that are in one function at once; how many of these a kretprobe follows
(`placement.MAXACTIVE`)."""
FAST = f'tracepoint:syscalls:sys_enter_getppid /comm == "{tag("getppids")}"/ {{ @ = count(); }}'
SLOW = f'kretprobe:hrtimer_nanosleep /comm == "{tag("sleeps")}"/ {{ @ = count(); }}'
TIMED = """tracepoint:syscalls:sys_enter_read { @start[tid] = nsecs; }
tracepoint:syscalls:sys_exit_read /@start[tid]/ { @[pid] = hist(nsecs - @start[tid]); delete(@start[tid]); }"""
ATTACHED = '"xtrace.attached/1"'
STRANGER = "p:stranger/mine vfs_read\n"


def append(file: str, line: str) -> None:
    """Write one line to a file of tracefs, which has no end to seek to and is emptied by opening it otherwise."""
    handle = os.open(TRACEFS / file, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


def losses(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [item for item in events(done) if item["schema"] == "xtrace.loss/1"]


@case(needs=["ftrace"], timeout=90)
def overwritten_records() -> None:
    """With a buffer of a page or two, what was counted and what was lost are all calls, in both formats."""
    words = ("--backend", "ftrace", "--aggregate", "user", "--buffer-size", "4K", "-e", FAST)
    done = xtrace("trace", "--json", *words, "-c", workload("getppids", MANY))
    lost = losses(done)
    assert {one["kind"] for one in lost} <= {"overrun", "dropped", "commit-overrun", "missed-page"}, lost
    counted = maps(done)["@"][()]
    assert lost and counted < MANY, "nothing was lost"
    # Records of forks lie in the same buffer.
    assert MANY <= counted + sum(one["count"] for one in lost) <= MANY + 200, (counted, lost)
    shown = xtrace("trace", *words, "-c", workload("getppids", MANY)).stderr
    assert re.search(r"lost: overrun at cpu\d: \d+", shown) and "--buffer-size" in shown, shown


@case(needs=["ftrace"], timeout=90)
def returns_that_are_missed() -> None:
    """More callers inside a function than a kretprobe follows: the others are counted as missed, also where somebody
    else's probe has the same name."""
    words = ("--backend", "ftrace", "--json", "-e", SLOW)
    append("kprobe_events", "p:stranger/hrtimer_nanosleep_0 vfs_read\n")
    try:
        done = xtrace("trace", *words, "-c", workload("sleeps", SLEEPERS))
    finally:
        append("kprobe_events", "-:stranger/hrtimer_nanosleep_0\n")
    (lost,) = losses(done)
    equal((lost["kind"], lost["where"]), ("probe-miss", "kretprobe:hrtimer_nanosleep"), "the loss")
    equal(maps(done)["@"][()] + lost["count"], SLEEPERS, "returns seen and missed")
    # Others sleep too.
    assert lost["count"] >= SLEEPERS - ACTIVE, lost


@case(kernels=("6.1", "6.12", "7.2"), needs=["ftrace"], timeout=120)
def killed_while_the_kernel_times() -> None:
    """After kill -9 the watchdog takes triggers with variables off in their order, and the synthetic event away."""
    running = Background("xtrace", "trace", "--backend", "ftrace", "--aggregate", "kernel", "--json", "-e", TIMED)
    running.wait_for(ATTACHED)
    assert "xtrace_" in (TRACEFS / "synthetic_events").read_text(), "nothing to clean"
    equal(running.end(signal.SIGKILL).returncode, -signal.SIGKILL, "exit status")
    deadline = time.monotonic() + 60
    while "xtrace_" in (TRACEFS / "synthetic_events").read_text() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert time.monotonic() < deadline, "the watchdog did not take the synthetic event away"


@case(needs=["ftrace"], timeout=120)
def side_by_side() -> None:
    """Two sessions and a stranger's probe and instance: each ends for itself, and xtrace clean takes none of them."""
    stranger = TRACEFS / "instances" / "stranger"
    stranger.mkdir()
    append("kprobe_events", STRANGER)
    try:
        first = Background("xtrace", "trace", "--backend", "ftrace", "--json", "-e", "kprobe:vfs_read { @ = count(); }")
        second = Background(
            "xtrace", "trace", "--backend", "ftrace", "--json", "-e", "kprobe:vfs_read { @ = count(); }"
        )
        first.wait_for(ATTACHED)
        second.wait_for(ATTACHED)
        command("xtrace", "clean")
        equal(len(list((TRACEFS / "instances").glob("xtrace_*"))), 2, "instances")
        equal(first.end(signal.SIGINT).returncode, 0, "exit status of the first")
        subprocess.run(workload("reads", 23).split(), check=True)
        done = second.end(signal.SIGINT)
        assert done.returncode == 0 and maps(done)["@"][()] >= 23, done
        assert stranger.exists() and STRANGER.split()[0] in (TRACEFS / "kprobe_events").read_text()
        assert "xtrace_" not in (TRACEFS / "kprobe_events").read_text()
    finally:
        stranger.rmdir()
        append("kprobe_events", "-:stranger/mine\n")


@case(needs=["ftrace"], timeout=90)
def leavings_are_found() -> None:
    """`xtrace clean` names and removes what a dead session left."""
    name = "xtrace_4000000_7"
    (TRACEFS / "instances" / name).mkdir()
    for file, line in (("kprobe_events", f"p:{name}/left vfs_read\n"), ("synthetic_events", f"{name}__0 u64 lat\n")):
        if (TRACEFS / file).exists():
            append(file, line)
    done = xtrace("clean", "--json")
    assert name in json.dumps(json.loads(done.stdout)), done.stdout
    assert not (TRACEFS / "instances" / name).exists()


@case(needs=["ftrace"], timeout=90)
def who_did_it() -> None:
    """`pid` is the process of a thread, and `comm` is right for a process that ended at once."""
    program = 'tracepoint:sched:sched_process_exit /comm == "true" || comm == "false"/ { @[comm] = count(); }'
    done = xtrace("trace", "--backend", "ftrace", "--json", "-e", program, "-c", workload("execs", 10))
    equal(maps(done)["@"], {("true",): 5, ("false",): 5}, "names")
    threads = f'kprobe:hrtimer_nanosleep /comm == "{tag("sleeps")}"/ {{ @[pid] = count(); @tids[tid] = count(); }}'
    done = xtrace("trace", "--backend", "ftrace", "--json", "-e", threads, "-c", workload("sleeps", 7))
    equal((list(maps(done)["@"].values()), len(maps(done)["@tids"])), ([7], 7), "one process with 7 threads")
