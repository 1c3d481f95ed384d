"""The same program gives the same events and the same maps on each backend."""

from __future__ import annotations

from tests.lab.case import BACKENDS, case
from tests.lab.inside import equal, equal_counts, lines, maps, workload, xtrace
from tests.lab.workload import tag

COUNT = 23
LIBC = "/lib/x86_64-linux-gnu/libc.so.6"

LATENCY = """
kprobe:vfs_read { @start[tid] = nsecs; @calls[comm] = count(); }
kretprobe:vfs_read /@start[tid]/ { @ns[comm] = hist(nsecs - @start[tid]); delete(@start[tid]); }
"""
SYSCALLS = "tracepoint:raw_syscalls:sys_enter { @[comm] = count(); @numbers[comm, args.id] = count(); }"
LOOKUPS = f'uprobe:{LIBC}:getaddrinfo /comm == "lab-lookups"/ {{ printf("%s %s\\n", comm, str(arg0)); }}'
TIMER = 'BEGIN { printf("begin\\n"); } interval:ms:200 { printf("tick\\n"); exit(); } END { printf("end\\n"); }'
GETPPID = 110


def trace(backend: str, program: str, *words: str) -> list[str]:
    """Return the words that trace *program* on *backend*."""
    return ["trace", "--backend", backend, "-e", program, *words]


@case(backends=BACKENDS, probes=["kprobe"], stap=[("-e", LATENCY)], timeout=90)
def latencies_of_vfs_read(backend: str) -> None:
    """A kprobe and a kretprobe with a hidden time between them see each of a process's reads once."""
    done = xtrace(*trace(backend, LATENCY, "--json", "-c", workload("reads", COUNT)))
    found = maps(done)
    equal(found["@calls"].get((tag("reads"),)), COUNT, "calls")
    buckets = found["@ns"][(tag("reads"),)]
    equal(sum(bucket["count"] for bucket in buckets), COUNT, "latencies in the histogram")
    assert all(bucket["min"] > 0 for bucket in buckets if bucket["count"]), buckets


@case(backends=BACKENDS, probes=["tracepoint"], stap=[("-e", SYSCALLS)], timeout=90)
def system_calls_by_process(backend: str) -> None:
    """A count by name, and one by name and number, of every system call on the machine."""
    done = xtrace(*trace(backend, SYSCALLS, "--json", "-c", workload("getppids", COUNT)))
    found = maps(done)
    equal(found["@numbers"].get((tag("getppids"), GETPPID)), COUNT, "calls of getppid")
    by_number = sum(count for (comm, _), count in found["@numbers"].items() if comm == tag("getppids"))
    equal(found["@"].get((tag("getppids"),)), by_number, "all calls, compared with those by number")


@case(backends=BACKENDS, probes=["uprobe"], stap=[("-e", LOOKUPS)], timeout=90)
def names_looked_up(backend: str) -> None:
    """A uprobe on libc reads a string argument at each call."""
    done = xtrace(*trace(backend, LOOKUPS, "-c", workload("lookups", COUNT)))
    expected = [f"{tag('lookups')} 127.0.0.{number}" for number in range(COUNT)]
    equal_counts([line for line in lines(done.stdout) if line.startswith("lab-")], expected, "lookups")


@case(backends=BACKENDS, probes=["timer"], stap=[("-e", TIMER)], timeout=90)
def begin_interval_end(backend: str) -> None:
    """BEGIN comes first, an interval ends the trace, END comes last."""
    done = xtrace(*trace(backend, TIMER))
    equal([line for line in lines(done.stdout) if line in ("begin", "tick", "end")], ["begin", "tick", "end"], "lines")
