"""Stacks on ftrace: the functions that were really there, whoever has ended meanwhile."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.lab.case import case
from tests.lab.inside import command, equal, events, workload, xtrace
from tests.lab.programs import WORK, build

COUNT = 23
KERNEL = 'kprobe:vfs_read /comm == "lab-reads"/ { @[kstack] = count(); }'
_ENTRY = re.compile(r"\]: (\d+)$")


def trace(program: str, *words: str, backend: Sequence[str] = ("ftrace",)) -> list[tuple[tuple[str, ...], int]]:
    """Return the stacks that a program counts in its map `@`, as the names of functions, with their numbers."""
    done = xtrace("trace", "--backend", *backend, "--json", "-e", program, *words)
    found = [item for item in events(done) if item["schema"] == "xtrace.map/1"]
    return [(functions(entry["key"][0]), entry["value"]) for item in found for entry in item["entries"]]


def functions(frames: object) -> tuple[str, ...]:
    """The names in a stack, without offsets and compilers' suffixes."""
    assert isinstance(frames, (list, tuple)), frames
    return tuple(re.sub(r"(\.\w+)*(\+\d+)?$", "", str(frame)) for frame in frames)


@case(needs=["ftrace", "command:bpftrace"], timeout=120)
def kernel_stacks_as_bpftrace_has_them() -> None:
    """A kprobe's kernel stack names the same functions whoever counts: bpftrace, BCC, user space, and, where there are
    hist triggers, the kernel's own tables."""
    work = workload("reads", COUNT)
    other = _of_bpftrace(command("bpftrace", "-e", KERNEL, "-c", f"/usr/bin/{work}").stdout)
    equal(sum(other.values()), COUNT, "stacks of bpftrace")
    for words in (("ftrace", "--aggregate", "user"), ("ftrace", "--aggregate", "kernel"), ("bcc",)):
        own: Counter[tuple[str, ...]] = Counter()
        for stack, count in trace(KERNEL, "-c", work, backend=words):
            own[stack] += count
        equal(own, other, f"stacks of {' '.join(words)}, compared with bpftrace")
    assert all(stack[0] == "vfs_read" for stack in other), other


def _of_bpftrace(text: str) -> Counter[tuple[str, ...]]:
    found: Counter[tuple[str, ...]] = Counter()
    frames: list[str] = []
    for line in text.splitlines():
        end = _ENTRY.match(line)
        if end:
            found[functions(frames)] += int(end[1])
        frames = [] if end or line.startswith("@[") else [*frames, *line.split()]
    return found


@case(needs=["ftrace"], timeout=90)
def kernel_stacks_of_tracepoints() -> None:
    """A tracepoint that fires when a process switches shows how it came to sleep."""
    program = 'tracepoint:sched:sched_switch /args.prev_comm == "sleep"/ { @[kstack(16)] = count(); }'
    stacks = [stack for stack, _ in trace(program, "-c", "sleep 0.3")]
    assert any("do_nanosleep" in stack for stack in stacks), stacks
    assert all("schedule" in stack or "__schedule" in stack for stack in stacks), stacks


@case(needs=["ftrace"], timeout=90)
def user_stacks_of_processes_that_ended() -> None:
    """A program that ends at once, started by another, still has names in its stacks."""
    path = build(WORK, "/lab/stacks/work")
    Path("/lab/stacks/input").write_text(f"{COUNT}\n")
    shell = f"""sh -c 'for n in 1 2 3; do {path} </lab/stacks/input; done; true'"""
    found: Counter[tuple[str, ...]] = Counter()
    for stack, count in trace(f"uprobe:{path}:work {{ @[ustack] = count(); }}", "-c", shell):
        found[stack[:4]] += count
    equal(found, {("work", "inner", "outer", "main"): 3 * COUNT}, "stacks")


@case(needs=["ftrace"], timeout=90)
def both_stacks_of_one_event() -> None:
    """Kernel and user stack of an event belong together, each event with its own."""
    path = build(WORK, "/lab/stacks/work")
    Path("/lab/stacks/input").write_text(f"{COUNT}\n")
    program = f"uprobe:{path}:work {{ emit(number = arg0, user = ustack(3), kernel = kstack(3)); }}"
    done = xtrace("trace", "--backend", "ftrace", "--json", "-e", program, "-c", f"sh -c '{path} </lab/stacks/input'")
    rows = [item for item in events(done) if item["schema"] == "xtrace.event/1"]
    equal([row["number"] for row in rows], list(range(COUNT)), "numbers")
    equal({functions(row["user"]) for row in rows}, {("work", "inner", "outer")}, "user stacks")
    assert all(len(row["kernel"]) == 3 for row in rows), rows
