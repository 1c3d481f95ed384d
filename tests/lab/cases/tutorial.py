"""bpftrace's twelve tutorial lessons, each on every backend that can; what cannot says why.

They belong to the long run (`make lab-long`)."""

from __future__ import annotations

import os
import re

from tests.lab.case import BACKENDS, case
from tests.lab.inside import equal, lines, maps, workload, xtrace
from tests.lab.workload import MISSING, OPENED, tag

COUNT = 23
REFUSED = 4
OPEN_NAMES = 'tracepoint:syscalls:sys_enter_openat { printf("%s %s\\n", comm, str(args.filename)); }'
BY_COMM = "tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }"
READ_SIZES = f'tracepoint:syscalls:sys_exit_read /comm == "{tag("reads")}"/ {{ @bytes = hist(args.ret); }}'
READ_RESULTS = f'kretprobe:vfs_read /comm == "{tag("reads")}"/ {{ @bytes = lhist(retval, 0, 2000, 200); }}'
READ_TIMES = f"""
kprobe:vfs_read /comm == "{tag("reads")}"/ {{ @start[tid] = nsecs; }}
kretprobe:vfs_read /@start[tid]/ {{ @ns[comm] = hist(nsecs - @start[tid]); delete(@start, tid); }}
"""
HELLO = 'BEGIN { printf("hello world\\n"); exit(); }'
SCHEDULER = "tracepoint:sched:sched_process* { @[probe] = count(); }"
ON_CPU = "profile:hz:99 { @[kstack] = count(); }"
SWITCHES = "tracepoint:sched:sched_switch { @[kstack] = count(); }"
BLOCKS = "tracepoint:block:block_rq_issue { @ = hist(args.bytes); }"
OPEN_PATHS = """
kprobe:vfs_open { printf("open path: %s\\n", str(((struct path *)arg0)->dentry->d_name.name)); }
"""
BUSY = "sh -c 'for n in 1 2 3; do cat /etc/hostname >/dev/null; done'"
WRITE = "dd if=/dev/zero of=/var/tmp/lab-blocks bs=4096 count=8 oflag=direct"


def no_event_probes(backend: str) -> bool:
    """A tracepoint's record holds a string's address only: 5.10 has no event probes, and those of 6.1 read nothing."""
    return backend == "ftrace" and os.uname().release.startswith(("5.10", "6.1."))


@case(timeout=60, long=True)
def lesson_1_list() -> None:
    """xtrace trace -l lists probes one per line."""
    found = lines(xtrace("trace", "-l", "tracepoint:syscalls:sys_enter_open*").stdout)
    assert "tracepoint:syscalls:sys_enter_openat" in found, found
    assert all(line.startswith("tracepoint:syscalls:sys_enter_open") for line in found), found


@case(backends=BACKENDS, probes=["timer"], stap=[("-e", HELLO)], timeout=60, long=True)
def lesson_2_hello(backend: str) -> None:
    """BEGIN prints."""
    done = xtrace("trace", "--backend", backend, "-e", HELLO)
    assert "hello world" in lines(done.stdout), done.stdout


@case(backends=BACKENDS, probes=["tracepoint"], stap=[("-e", OPEN_NAMES)], timeout=120, long=True)
def lesson_3_names_of_opened_files(backend: str) -> None:
    """A string of user memory at the entry of a system call."""
    words = ("trace", "--backend", backend, "-e", OPEN_NAMES, "-c", workload("opens", COUNT))
    if no_event_probes(backend):
        done = xtrace(*words, status=REFUSED)
        assert "XT0801" in done.stderr, done.stderr
        return
    shown = [line for line in lines(xtrace(*words).stdout) if line.startswith(tag("opens"))]
    expected = [f"{tag('opens')} {place}/{number}" for number in range(COUNT) for place in (OPENED, MISSING)]
    equal(shown, expected, "opened files, in order")


@case(backends=BACKENDS, probes=["tracepoint"], stap=[("-e", BY_COMM)], timeout=120, long=True)
def lesson_4_system_calls_by_process(backend: str) -> None:
    """A count by process name."""
    done = xtrace("trace", "--backend", backend, "--json", "-e", BY_COMM, "-c", workload("getppids", COUNT))
    assert maps(done)["@"][(tag("getppids"),)] >= COUNT


@case(backends=BACKENDS, probes=["tracepoint"], stap=[("-e", READ_SIZES)], timeout=120, long=True)
def lesson_5_sizes_of_reads(backend: str) -> None:
    """A power-of-two histogram of a tracepoint's field."""
    done = xtrace("trace", "--backend", backend, "-e", READ_SIZES, "-c", workload("reads", COUNT))
    (row,) = [line for line in lines(done.stdout) if line.startswith("[1]")]
    equal(row.split()[1], str(COUNT), "reads of one byte")


@case(backends=BACKENDS, probes=["kprobe"], stap=[("-e", READ_RESULTS)], timeout=120, long=True)
def lesson_6_results_of_reads(backend: str) -> None:
    """A linear histogram of a function's result."""
    done = xtrace("trace", "--backend", backend, "-e", READ_RESULTS, "-c", workload("reads", COUNT))
    (row,) = [line for line in lines(done.stdout) if line.startswith("[0, 200)")]
    equal(row.split()[2], str(COUNT), "reads of less than 200 bytes")


@case(backends=BACKENDS, probes=["kprobe"], stap=[("-e", READ_TIMES)], timeout=120, long=True)
def lesson_7_times_of_reads(backend: str) -> None:
    """Entry and return of a function, paired by thread, with a histogram of the time between."""
    done = xtrace("trace", "--backend", backend, "-e", READ_TIMES, "-c", workload("reads", COUNT))
    assert f"@ns[{tag('reads')}]:" in done.stdout, done.stdout
    counts = [int(found) for found in re.findall(r"^\[.+[)\]] +(\d+) \|", done.stdout, re.MULTILINE)]
    assert sum(counts) >= COUNT, counts


@case(backends=BACKENDS, probes=["tracepoint"], stap=[("-e", SCHEDULER)], timeout=180, long=True)
def lesson_8_events_by_name(backend: str) -> None:
    """A glob of tracepoints, counted by probe."""
    done = xtrace("trace", "--backend", backend, "--json", "-e", SCHEDULER, "-c", BUSY)
    found = maps(done)["@"]
    assert found[("tracepoint:sched:sched_process_fork",)] >= 3, found
    assert found[("tracepoint:sched:sched_process_exec",)] >= 4, found


@case(backends=BACKENDS, probes=["timer"], stap=[("-e", ON_CPU)], timeout=120, long=True)
def lesson_9_kernel_stacks_on_cpu(backend: str) -> None:
    """Samples of all CPUs by kernel stack, with names."""
    burn = "dd if=/dev/zero of=/dev/null bs=1M count=3000"
    done = xtrace("trace", "--backend", backend, "-e", ON_CPU, "-c", burn)
    assert re.search(r"^\s+\w+\+\d+$", done.stdout, re.MULTILINE), done.stdout


@case(backends=BACKENDS, probes=["tracepoint"], stap=[("-e", SWITCHES)], timeout=120, long=True)
def lesson_10_switches_by_stack(backend: str) -> None:
    """Every context switch by kernel stack: all of them go through schedule()."""
    done = xtrace("trace", "--backend", backend, "-e", SWITCHES, "-c", BUSY)
    assert re.search(r"^\s+(__)?schedule\+\d+$", done.stdout, re.MULTILINE), done.stdout


@case(backends=BACKENDS, probes=["tracepoint"], stap=[("-e", BLOCKS)], timeout=120, long=True)
def lesson_11_block_sizes(backend: str) -> None:
    """Sizes of block requests."""
    done = xtrace("trace", "--backend", backend, "-e", BLOCKS, "-c", WRITE)
    rows = [line for line in lines(done.stdout) if line.startswith("[4K, 8K)")]
    assert rows, done.stdout
    assert int(rows[0].split()[2]) >= 8, rows


@case(backends=BACKENDS, probes=["kprobe"], stap=[("-e", OPEN_PATHS)], timeout=120, long=True)
def lesson_12_kernel_structs(backend: str) -> None:
    """A chain of pointers through kernel structs, by offsets from BTF."""
    done = xtrace("trace", "--backend", backend, "-e", OPEN_PATHS, "-c", workload("opens", COUNT))
    names = [line.removeprefix("open path: ") for line in lines(done.stdout) if line.startswith("open path: ")]
    missing = [number for number in range(COUNT) if str(number) not in names]
    equal(missing, [], "files not seen")
