"""What streaming every call of a getppid loop costs, as ratios within one run.

    python -m bench.ftrace_stream [--calls 500000] [--rounds 3]

Each mode's loop is bracketed by untraced ones on the same CPU. The loop runs on the first CPU, the reader on the last.
Nothing but the loop's own process is traced. perf and bpftrace run where they are installed, on fewer calls: they are
that much slower.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import re
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import IO, Any

from xtrace.backends.ftrace.decode import layout_of
from xtrace.backends.ftrace.features import Features
from xtrace.backends.ftrace.lockstep import LockStep
from xtrace.backends.ftrace.lower import lower
from xtrace.backends.ftrace.reader import PAGES_TOGETHER, Reader, page_format
from xtrace.backends.ftrace.removal import remove, session_name
from xtrace.backends.ftrace.ring_buffer import LENGTH_MASK
from xtrace.backends.ftrace.session import FtraceSession
from xtrace.backends.ftrace.tracefs import Tracefs, find_root
from xtrace.core import ir
from xtrace.core.attach import Tracepoint
from xtrace.core.facts.event_format import parse_event_format
from xtrace.core.facts.live import LiveHost
from xtrace.core.messages import Loss, MapDump
from xtrace.core.types import Count, Int, String

EVENT = "events/syscalls/sys_enter_getppid"
BUFFER_KB = 8192
LOOP = """
import os, sys, time
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
call = os.getppid
for line in sys.stdin:
    n = int(line)
    start = time.perf_counter()
    for _ in range(n): call()
    print(time.perf_counter() - start, flush=True)
"""


class Producer:
    """A process that does n system calls when told and says how long they took."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", LOOP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = self._process.pid
        self.run(1000)

    def start(self, calls: int) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{calls}\n")
        self._process.stdin.flush()

    def ready(self) -> bool:
        assert self._process.stdout
        return bool(select.select([self._process.stdout], [], [], 0)[0])

    def seconds(self) -> float:
        assert self._process.stdout
        return float(self._process.stdout.readline())

    def run(self, calls: int) -> float:
        self.start(calls)
        return self.seconds()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@dataclass
class Result:
    seconds: float
    events: int
    lost: int


@contextmanager
def raw_instance(tracefs: Tracefs, pid: int) -> Iterator[str]:
    """An instance that records the loop's calls."""
    name = session_name(os.getpid(), 900)
    path = f"instances/{name}"
    tracefs.make(path)
    try:
        tracefs.write(f"{path}/buffer_size_kb", str(BUFFER_KB).encode())
        tracefs.write(f"{path}/trace_clock", os.environ.get("BENCH_CLOCK", "boot").encode())
        tracefs.write(f"{path}/set_event_pid", str(pid).encode())
        tracefs.write(f"{path}/{EVENT}/enable", b"1")
        yield path
    finally:
        remove(tracefs, name)


def while_running(producer: Producer, calls: int, read: Callable[[], int]) -> tuple[float, int]:
    """Run the loop and read until it has ended and nothing is left."""
    producer.start(calls)
    events = 0
    while not producer.ready():
        events += read()
        time.sleep(0.005)
    seconds = producer.seconds()
    while got := read():
        events += got
    return seconds, events


def discarded(tracefs: Tracefs, producer: Producer, calls: int) -> Result:
    """Raw pages read and thrown away."""
    with raw_instance(tracefs, producer.pid) as path:
        count = os.cpu_count() or 1
        handles = [tracefs.open(f"{path}/per_cpu/cpu{cpu}/trace_pipe_raw") for cpu in range(count)]

        def read() -> int:
            total = 0
            for handle in handles:
                try:
                    while data := os.read(handle, 4096):
                        total += len(data) // 16
                except BlockingIOError:
                    continue
            return total

        try:
            seconds, _ = while_running(producer, calls, read)
            lost = overruns(tracefs, path)
        finally:
            for handle in handles:
                os.close(handle)
        return Result(seconds, calls - lost, lost)


def text(tracefs: Tracefs, producer: Producer, calls: int) -> Result:
    """trace_pipe, split into lines."""
    with raw_instance(tracefs, producer.pid) as path:
        handle = tracefs.open(f"{path}/trace_pipe")

        def read() -> int:
            total = 0
            try:
                while data := os.read(handle, 65536):
                    total += sum(1 for line in data.split(b"\n") if b"sys_getppid(" in line)
            except BlockingIOError:
                pass
            return total

        try:
            seconds, events = while_running(producer, calls, read)
            return Result(seconds, events, overruns(tracefs, path))
        finally:
            os.close(handle)


def session(tracefs: Tracefs, producer: Producer, calls: int) -> Result:
    """xtrace's own session, which runs `@ = count()` in user space."""
    return counted(tracefs, producer, calls, ())


def session_by_name(tracefs: Tracefs, producer: Producer, calls: int) -> Result:
    """The same with `@[comm, pid] = count()`: it must be known at every event who is who."""
    return counted(tracefs, producer, calls, (ir.Builtin("comm", String(16)), ir.Builtin("pid", Int(4, False))))


def session_in_order(tracefs: Tracefs, producer: Producer, calls: int) -> Result:
    """The same with a program to which the order matters: `@++; @last = nsecs`."""
    return counted(tracefs, producer, calls, (), (ir.SetMap("last", (), ir.Builtin("nsecs", Int(8, False))),))


def program(tracefs: Tracefs, pid: int, keys: tuple[ir.Expr, ...], more: tuple[ir.Stmt, ...] = ()) -> ir.Program:
    parsed = parse_event_format(tracefs.read(f"{EVENT}/format"), "syscalls")
    point = Tracepoint("tracepoint:syscalls:sys_enter_getppid", "syscalls", "sys_enter_getppid", parsed.fields)
    clause = ir.Clause((point,), None, (ir.Aggregate("n", keys, None), *more))
    maps = (ir.MapDecl("n", tuple(key.type for key in keys), Count()), ir.MapDecl("last", (), Int(8, False)))
    return ir.Program((clause,), maps, (), ir.Scope(pid), ir.Config(buffer_kb=BUFFER_KB))


def counted(
    tracefs: Tracefs, producer: Producer, calls: int, keys: tuple[ir.Expr, ...], more: tuple[ir.Stmt, ...] = ()
) -> Result:
    running = FtraceSession(lower(program(tracefs, producer.pid, keys, more), Features(LiveHost()), False), tracefs)
    try:
        running.start()
        producer.start(calls)
        while not producer.ready():
            running.poll(0.05)
        seconds = producer.seconds()
        messages = running.finish()
    finally:
        running.close()
    found = [int(str(value)) for m in messages if isinstance(m, MapDump) and m.map == "n" for _, value in m.entries]
    return Result(seconds, sum(found), sum(m.count for m in messages if isinstance(m, Loss)))


def neighbour(tracefs: Tracefs, producer: Producer, calls: int) -> Result:
    """Recorded, not read, while this CPU spins: what any busy reader costs where both CPUs are threads of one core."""
    with raw_instance(tracefs, producer.pid) as path:
        producer.start(calls)
        while not producer.ready():
            pass
        return Result(producer.seconds(), 0, overruns(tracefs, path))


def recorded_by_perf(tracefs: Tracefs, producer: Producer, calls: int) -> Result:
    """`perf record` of every call."""
    with tempfile.TemporaryDirectory() as folder:
        data = f"{folder}/perf.data"
        words = ["perf", "record", "-q", "-c1", "-m", "8M", "-e", "syscalls:sys_enter_getppid", "-o", data]
        seconds = while_beside([*words, "-p", str(producer.pid)], producer, calls)
        report = subprocess.run(["perf", "report", "-i", data, "--stats"], capture_output=True, text=True).stdout
    events = re.search(r"SAMPLE events: +(\d+)", report)
    seen = int(events[1]) if events else 0
    return Result(seconds, seen, calls - seen)


def printed_by_bpftrace(tracefs: Tracefs, producer: Producer, calls: int) -> Result:
    """bpftrace, one printf for every call."""
    with tempfile.TemporaryFile("w+") as out:
        text = f'tracepoint:syscalls:sys_enter_getppid /pid == {producer.pid}/ {{ printf("%d %d\\n", pid, tid); }}'
        seconds = while_beside(["bpftrace", "-e", text], producer, calls, out)
        out.seek(0)
        seen = sum(1 for line in out if line.startswith(f"{producer.pid} "))
    return Result(seconds, seen, calls - seen)


def counted_by_bpftrace(tracefs: Tracefs, producer: Producer, calls: int) -> Result:
    """bpftrace, counting in the kernel."""
    with tempfile.TemporaryFile("w+") as out:
        text = f"tracepoint:syscalls:sys_enter_getppid /pid == {producer.pid}/ {{ @ = count(); }}"
        seconds = while_beside(["bpftrace", "-e", text], producer, calls, out)
        out.seek(0)
        seen = sum(int(line.split()[1]) for line in out if line.startswith("@: "))
    return Result(seconds, seen, calls - seen)


def while_beside(words: list[str], producer: Producer, calls: int, out: IO[str] | None = None) -> float:
    """Run the loop while another tracer is attached; it has a few seconds to attach."""
    other = subprocess.Popen(words, stdout=out or subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(SETTLED)
        seconds = producer.run(calls)
        time.sleep(1)
    finally:
        other.send_signal(signal.SIGINT)
        other.wait()
    return seconds


def overruns(tracefs: Tracefs, path: str) -> int:
    total = 0
    for cpu in tracefs.names(f"{path}/per_cpu"):
        stats = tracefs.read(f"{path}/per_cpu/{cpu}/stats")
        total += int(next(line for line in stats.splitlines() if line.startswith("overrun")).split()[1])
    return total


def decoded_per_second(tracefs: Tracefs, producer: Producer, calls: int) -> float:
    """Events per second of CPU time from a full buffer to typed records in time order, by the standard library."""

    def decode(path: str) -> int:
        reader = Reader(tracefs, path, {parsed.id: layout_of(parsed.fields).extractor})
        try:
            return sum(len(records) for records in iter(reader.rest, []))
        finally:
            reader.close()

    parsed = parse_event_format(tracefs.read(f"{EVENT}/format"), "syscalls")
    return buffered(tracefs, producer, calls, decode)


def decoded_together_per_second(tracefs: Tracefs, producer: Producer, calls: int) -> float:
    """The same by numpy: columns of the process, the system call and the time, in time order."""
    numpy: Any = import_module("numpy")
    parsed = parse_event_format(tracefs.read(f"{EVENT}/format"), "syscalls")
    walker = LockStep()

    def decode(path: str) -> int:
        format_, total = page_format(tracefs, path), 0
        for cpu in tracefs.names(f"{path}/per_cpu"):
            with open(f"{tracefs.root}/{path}/per_cpu/{cpu}/trace_pipe_raw", "rb", buffering=0, opener=soon) as file:
                while pages := [page for _ in range(PAGES_TOGETHER) if (page := file.read(format_.size))]:
                    lengths = [int.from_bytes(page[8:12], sys.byteorder) & LENGTH_MASK for page in pages]
                    stamps = [int.from_bytes(page[:8], sys.byteorder) for page in pages]
                    found = [(page, 16, 16 + n, stamp) for page, n, stamp in zip(pages, lengths, stamps)]
                    for block in walker.walk(found).blocks:
                        if block.kind == parsed.id:
                            order = numpy.argsort(block.times, kind="stable")
                            places = {"names": ("tid", "nr"), "formats": ("i4", "i4"), "offsets": (8, 12)}
                            rows = numpy.frombuffer(block.data, numpy.dtype({**places, "itemsize": block.size}))
                            columns = block.times[order], rows["tid"][order], rows["nr"][order]
                            total += len(columns[0])
        return total

    return buffered(tracefs, producer, calls, decode)


def soon(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def buffered(tracefs: Tracefs, producer: Producer, calls: int, decode: Callable[[str], int]) -> float:
    with raw_instance(tracefs, producer.pid) as path:
        producer.run(calls)
        gc.disable()
        start = time.process_time()
        try:
            return decode(path) / (time.process_time() - start)
        finally:
            gc.enable()


def against_discarding(report: dict[str, Any]) -> None:
    """Give every mode of xtrace's its slowdown as a multiple of reading and discarding: 1.2 is the goal."""
    least = report.get(DISCARDED)
    for name, figures in report.items():
        if least and name.startswith("xtrace"):
            figures["of discarding"] = round(figures["slowdown"] / least["slowdown"], 2)


DISCARDED = "read and discard"
MODES = {
    "recorded, reader's CPU spins": (neighbour, 1, ""),
    DISCARDED: (discarded, 1, ""),
    "xtrace, @ = count()": (session, 1, ""),
    "xtrace, @[comm, pid] = count()": (session_by_name, 1, ""),
    "xtrace, in order": (session_in_order, 1, ""),
    "trace_pipe text": (text, 1, ""),
    "perf record": (recorded_by_perf, 1, "perf"),
    "bpftrace, @ = count()": (counted_by_bpftrace, 1, "bpftrace"),
    "bpftrace, printf": (printed_by_bpftrace, 10, "bpftrace"),
}
"""What each mode does, by how much its number of calls is smaller, the program that it needs."""
SETTLED = 3.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help=f"only modes with this in their name, and {DISCARDED!r}")
    options = parser.parse_args()
    root = find_root()
    if root is None:
        sys.exit("no tracefs is mounted")
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    tracefs, producer = Tracefs(root), Producer()
    report: dict[str, Any] = {}
    try:
        for name, (mode, fewer, needs) in MODES.items():
            if (options.only not in name and name != DISCARDED) or (needs and not shutil.which(needs)):
                continue
            ratios, results, calls = [], [], options.calls // fewer
            for _ in range(options.rounds):
                before = producer.run(calls)
                results.append(mode(tracefs, producer, calls))
                ratios.append(results[-1].seconds / ((before + producer.run(calls)) / 2))
            lost = statistics.median(result.lost for result in results)
            report[name] = {
                "slowdown": round(statistics.median(ratios), 2),
                "events": round(statistics.median(result.events for result in results)),
                "lost": lost,
            }
        against_discarding(report)
        best = max(decoded_per_second(tracefs, producer, options.calls) for _ in range(options.rounds))
        report["decoded per CPU second"] = round(best)
        if find_spec("numpy"):
            best = max(decoded_together_per_second(tracefs, producer, options.calls) for _ in range(options.rounds))
            report["decoded per CPU second by numpy"] = round(best)
    finally:
        producer.close()
    print(json.dumps({"calls": options.calls, **report}, indent=2))


if __name__ == "__main__":
    main()
