"""What streaming every call of a getppid loop costs, as ratios within one run.

    python -m bench.ftrace_stream [--calls 500000] [--rounds 3]

Each mode's loop is bracketed by untraced ones on the same CPU. The loop runs on the first CPU, the reader on the last.
Nothing but the loop's own process is traced, in an instance of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from xtrace.backends.ftrace.decode import layout_of
from xtrace.backends.ftrace.features import Features
from xtrace.backends.ftrace.lower import lower
from xtrace.backends.ftrace.reader import Reader
from xtrace.backends.ftrace.removal import remove, session_name
from xtrace.backends.ftrace.session import FtraceSession
from xtrace.backends.ftrace.tracefs import Tracefs, find_root
from xtrace.core import ir
from xtrace.core.attach import Tracepoint
from xtrace.core.facts.event_format import parse_event_format
from xtrace.core.facts.live import LiveHost
from xtrace.core.messages import Loss, MapDump
from xtrace.core.types import Count

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
    """xtrace's own session: decode, order by time, run the program `@ = count()` in user space."""
    parsed = parse_event_format(tracefs.read(f"{EVENT}/format"), "syscalls")
    point = Tracepoint("tracepoint:syscalls:sys_enter_getppid", "syscalls", "sys_enter_getppid", parsed.fields)
    clause = ir.Clause((point,), None, (ir.Aggregate("n", (), None),))
    program = ir.Program((clause,), (ir.MapDecl("n", (), Count()),), (), scope=ir.Scope(producer.pid))
    running = FtraceSession(lower(program, Features(LiveHost())), tracefs)
    try:
        running.start()
        producer.start(calls)
        while not producer.ready():
            running.poll(0.05)
        seconds = producer.seconds()
        messages = running.finish()
    finally:
        running.close()
    counted = sum(int(str(value)) for m in messages if isinstance(m, MapDump) for _, value in m.entries)
    return Result(seconds, counted, sum(m.count for m in messages if isinstance(m, Loss)))


def neighbour(tracefs: Tracefs, producer: Producer, calls: int) -> Result:
    """Recorded, not read, while this CPU spins: what any busy reader costs where both CPUs are threads of one core."""
    with raw_instance(tracefs, producer.pid) as path:
        producer.start(calls)
        while not producer.ready():
            pass
        return Result(producer.seconds(), 0, overruns(tracefs, path))


def overruns(tracefs: Tracefs, path: str) -> int:
    total = 0
    for cpu in tracefs.names(f"{path}/per_cpu"):
        stats = tracefs.read(f"{path}/per_cpu/{cpu}/stats")
        total += int(next(line for line in stats.splitlines() if line.startswith("overrun")).split()[1])
    return total


def decoded_per_second(tracefs: Tracefs, producer: Producer, calls: int) -> float:
    """Events per second from a full buffer to typed records in time order."""
    with raw_instance(tracefs, producer.pid) as path:
        parsed = parse_event_format(tracefs.read(f"{path}/{EVENT}/format"), "syscalls")
        producer.run(calls)
        reader = Reader(tracefs, path, {parsed.id: layout_of(parsed.fields).extractor})
        import gc

        gc.disable()
        start = time.perf_counter()
        count = 0
        try:
            while records := reader.rest():
                count += len(records)
            return count / (time.perf_counter() - start)
        finally:
            gc.enable()
            reader.close()


MODES = {
    "recorded, reader's CPU spins": neighbour,
    "read and discard": discarded,
    "xtrace session": session,
    "trace_pipe text": text,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    root = find_root()
    if root is None:
        sys.exit("no tracefs is mounted")
    os.environ["XTRACE_BUFFER_KB"] = str(BUFFER_KB)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    tracefs, producer = Tracefs(root), Producer()
    report: dict[str, object] = {"calls": options.calls}
    try:
        for name, mode in MODES.items():
            ratios, results = [], []
            for _ in range(options.rounds):
                before = producer.run(options.calls)
                results.append(mode(tracefs, producer, options.calls))
                ratios.append(results[-1].seconds / ((before + producer.run(options.calls)) / 2))
            lost = statistics.median(result.lost for result in results)
            report[name] = {
                "slowdown": round(statistics.median(ratios), 2),
                "events": round(statistics.median(result.events for result in results)),
                "lost": lost,
            }
        best = max(decoded_per_second(tracefs, producer, options.calls) for _ in range(options.rounds))
        report["decoded per second"] = round(best)
    finally:
        producer.close()
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
