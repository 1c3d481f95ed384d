"""ftrace attaches wherever the kernel lets it, and what it records there is what the program did."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.lab.case import case
from tests.lab.inside import Background, equal, equal_counts, lines, maps, workload, xtrace
from tests.lab.programs import TICKS, WORK, Running, build
from tests.lab.workload import tag

COUNT = 23
ATTACHED = '"xtrace.attached/1"'
ODD = "/lab/odd/a b#c:d'e/work"
ASKS = f"""
import fcntl
with open("/dev/loop0", "rb", buffering=0) as device:
    for _ in range({COUNT}):
        try:
            fcntl.ioctl(device, 0x4C05, bytes(232))
        except OSError as error:
            assert error.errno == 6, "there is a file behind it"
"""
"""Asks a loop device for its state (LOOP_GET_STATUS64), which it has none of (ENXIO)."""
NESTED = """
python3 -m tests.lab.workload getppids 23
(sh -c 'python3 -m tests.lab.workload getppids 24; exit 0')
python3 -m tests.lab.workload opens 3
"""
ENTRIES = 'fentry:vfs_read /comm == "lab-sizes"/ { @[args.count] = count(); }'
EXITS = 'fexit:vfs_read /comm == "lab-sizes"/ { printf("%d %d\\n", args.count, retval); }'
SLEEPERS = "sh -c 'for i in $(seq 40); do sleep 4 & done; wait'"
STRANGER = """
import os, time
from tests.lab.workload import rename
rename(os.environ["NAME"])
while True:
    os.getppid()
    os.close(os.open("/etc/hostname", os.O_RDONLY))
    time.sleep(0.01)
"""


def trace(program: str, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a program on ftrace."""
    return xtrace("trace", "--backend", "ftrace", "-e", program, *words, status=status)


def printed(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the lines of a program's own output."""
    return [line for line in lines(done.stdout) if not line.startswith(("Attached", "done", "fired"))]


@case(needs=["ftrace"], timeout=60)
def arguments_by_name() -> None:
    """At a function's entry the names and types of its arguments are known from BTF."""
    done = trace(ENTRIES, "--json", "-c", workload("sizes", COUNT))
    expected = {(size,): 1 for size in range(COUNT)}
    expected[(1,)] += COUNT
    equal({key: count for key, count in maps(done)["@"].items() if key[0] < COUNT}, expected, "sizes")


@case(needs=["ftrace"], kernels=["6.12", "7.2"], timeout=60)
def arguments_at_the_exit() -> None:
    """Where the kernel has fprobe events, an exit knows its arguments beside its result."""
    done = trace(EXITS, "-c", workload("sizes", COUNT))
    expected = [f"{size} {size}" for size in range(COUNT)] + ["1 -9"] * COUNT
    equal_counts(printed(done), expected, "sizes and results")


@case(needs=["ftrace"], kernels=["5.10", "6.1"], timeout=60)
def no_arguments_at_the_exit() -> None:
    """Where it has none, the plan says so, and what to do."""
    done = trace(EXITS, "-c", "true", status=4)
    assert "@args[tid] = arg0" in done.stderr, done.stderr


@case(needs=["ftrace"], timeout=90)
def inside_a_function() -> None:
    """A kprobe at an offset fires as often as the function is called."""
    program = 'kprobe:vfs_read+{} /comm == "lab-reads"/ {{ @[probe] = count(); }}'
    # Behind what the compiler puts in front: `endbr64`, the nop for ftrace, or both.
    for offset in (9, 5):
        words = ["xtrace", "trace", "--backend", "ftrace", "--json", "-e", program.format(offset)]
        done = subprocess.run([*words, "-c", workload("reads", COUNT)], capture_output=True, text=True, check=False)
        if done.returncode != 5:
            break
    equal(done.returncode, 0, f"exit status ({done.stderr})")
    equal(maps(done)["@"], {(f"kprobe:vfs_read+{offset}",): COUNT}, "calls")


@case(needs=["ftrace"], timeout=60)
def one_of_a_list_may_be_missing() -> None:
    """As in Debian's biostacks.bt: a function that Linux 5.0 removed stands beside one that is there."""
    program = 'kprobe:blk_start_request{} kprobe:vfs_read /comm == "lab-reads"/ {{ @[probe] = count(); }}'
    done = trace(program.format(","), "--json", "-c", workload("reads", COUNT))
    assert "warning: blk_start_request " in done.stderr, done.stderr
    equal(maps(done)["@"], {("kprobe:vfs_read",): COUNT}, "calls")
    refused = trace(program.format(" { @[func] = count(); }"), "-c", "true", status=4)
    assert 'missing_probes = "warn"' in refused.stderr, refused.stderr


@case(needs=["ftrace"], timeout=60)
def function_of_a_module() -> None:
    """A function is named with its module."""
    subprocess.run(["modprobe", "loop", "max_loop=1"], check=True)
    try:
        Path("/lab/asks.py").write_text(ASKS)
        done = trace(
            "kprobe:loop:lo_ioctl /pid == cpid/ { @[func] = count(); }", "--json", "-c", "python3 /lab/asks.py"
        )
        equal(maps(done)["@"], {("lo_ioctl",): COUNT}, "requests to the device")
    finally:
        subprocess.run(["rmmod", "loop"], check=True)


@case(needs=["ftrace"], timeout=60)
def many_inside_at_once() -> None:
    """Returns are seen although more calls are inside than the kernel would have room for by itself."""
    program = 'kretprobe:hrtimer_nanosleep /comm == "sleep"/ { @[retval] = count(); }'
    done = trace(program, "--json", "-c", SLEEPERS)
    equal(maps(done)["@"], {(0,): 40}, "returns")
    assert "lost" not in done.stderr, done.stderr


@case(needs=["ftrace"], timeout=60)
def odd_path() -> None:
    """A program's path may hold blanks, `#`, `:` and quotes; entry, result and an offset agree."""
    build(WORK, ODD)
    program = f"""
        uprobe:"{ODD}":work {{ printf("entry %d %s\\n", arg0, str(arg1)); }}
        uretprobe:"{ODD}":outer {{ printf("exit %d\\n", retval); }}
        uprobe:"{ODD}":work+{_first_step(ODD)} {{ @ = count(); }}
    """
    Path("/lab/odd/input").write_text(f"{COUNT}\n")
    done = trace(program, "-c", f"""sh -c '"$0" </lab/odd/input' "{ODD}" """)
    shown = printed(done)
    expected = [f"entry {n} text" for n in range(COUNT)] + [f"exit {3 * n + 6}" for n in range(COUNT)]
    equal_counts([line for line in shown if not line.startswith("@")], expected, "calls")
    equal([line for line in shown if line.startswith("@")], [f"@: {COUNT}"], "calls at the offset")


def _first_step(path: str) -> int:
    """The length of the first instruction of work()."""
    text = subprocess.run(["objdump", "-d", "--disassemble=work", path], capture_output=True, text=True, check=True)
    found = [line.split(":")[0].strip() for line in text.stdout.splitlines() if line.startswith("  ")]
    return int(found[1], 16) - int(found[0], 16)


@case(needs=["ftrace"], timeout=60)
def replaced_program() -> None:
    """A probe stays in the file that was there when it was set, not in what takes its place."""
    path = build(WORK, "/lab/replaced/work")
    old = Running(path)
    running = Background(
        "xtrace", "trace", "--backend", "ftrace", "--json", "-e", f"uprobe:{path}:work {{ @[pid] = count(); }}"
    )
    running.wait_for(ATTACHED)
    os.replace(build(WORK, "/lab/replaced/new", "-O2"), path)  # noqa: PTH105
    new = Running(path)
    old.run(COUNT)
    new.run(COUNT)
    done = running.end()
    old.end()
    new.end()
    equal(maps(done).get("@"), {(old.pid,): COUNT}, "calls")


@case(needs=["ftrace"], timeout=60)
def usdt_with_semaphore() -> None:
    """A USDT probe that looks at its semaphore fires in a program that runs already, while somebody listens."""
    path = build(TICKS, "/lab/usdt/ticks")
    program = f'usdt:{path}:lab:tick {{ printf("%d %s\\n", arg0, str(arg1)); }}'
    ticking = Running(path)
    equal(ticking.run(COUNT), "fired 0 semaphore 0", "before")
    running = Background("xtrace", "trace", "--backend", "ftrace", "-e", program)
    said = "fired 0 semaphore 0"
    while said.endswith("0 semaphore 0"):
        assert running.process.poll() is None, running.end().stderr
        said = ticking.run(COUNT)
    equal(said, f"fired {COUNT} semaphore 1", "meanwhile")
    running.wait_for(f"{COUNT - 4} tick {COUNT - 1}")
    done = running.end()
    equal(ticking.run(COUNT), "fired 0 semaphore 0", "after")
    ticking.end()
    equal_counts(printed(done), [f"{n - 3} tick {n}" for n in range(COUNT)], "probes")


@case(needs=["ftrace"], kernels=["6.12", "7.2"], timeout=60)
def strings_of_system_calls() -> None:
    """A tracepoint's pointer is followed while the event happens."""
    program = 'tracepoint:syscalls:sys_enter_openat /comm == "lab-opens"/ { printf("%s\\n", str(args.filename)); }'
    done = trace(program, "-c", workload("opens", COUNT))
    expected = [f"/lab/{folder}/{n}" for n in range(COUNT) for folder in ("opened", "missing")]
    equal_counts([line for line in printed(done) if line.startswith("/lab/")], expected, "paths")


@case(needs=["ftrace"], timeout=90)
def grandchildren() -> None:
    """--follow traces a process's children and theirs, and nobody else, whether the kernel follows them or xtrace."""
    by_kernel = "tracepoint:syscalls:sys_enter_getppid { @[comm, pid] = count(); }"
    # The exit of a named event may come in another process, so the kernel's limit does not serve there.
    by_xtrace = "file.open { @[comm, path] = count(); }"
    with _stranger():
        counted = _followed(by_kernel)
        equal_counts([n for (comm, _), n in counted.items() if comm == tag("getppids")], [23, 24], "calls by process")
        opened = {path: n for (comm, path), n in _followed(by_xtrace).items() if comm == tag("opens")}
        equal(opened, {f"/lab/{folder}/{n}": 1 for folder in ("opened", "missing") for n in range(3)}, "opens")


def _followed(program: str) -> dict[tuple[Any, ...], Any]:
    """Run a program on a shell and its children, to which a script is given when it is attached; return its map."""
    shell = subprocess.Popen(["sh"], stdin=subprocess.PIPE, text=True)
    words = ["xtrace", "trace", "--json", "--backend", "ftrace", "-p", str(shell.pid), "--follow", "-e", program]
    running = Background(*words)
    running.wait_for(ATTACHED)
    shell.communicate(NESTED)
    return maps(running.end(0))["@"]


@contextlib.contextmanager
def _stranger() -> Iterator[None]:
    """Others of the same names who do the same all the time."""
    names = (tag("getppids"), tag("opens"))
    words = ["python3", "-c", STRANGER]
    processes = [subprocess.Popen(words, env={**os.environ, "NAME": name}) for name in names]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
