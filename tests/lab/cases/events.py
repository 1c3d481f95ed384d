"""Every named event is made to happen on each backend that claims to serve it, and tells what was done."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.lab.case import case, skip
from tests.lab.event_work import COMM, NEAR
from tests.lab.inside import Background, command, equal, events

GROUPS: Mapping[str, Mapping[str, str]] = {
    "files": dict.fromkeys(("file.open", "file.close", "vfs.read", "vfs.write"), f'comm == "{COMM}"'),
    "processes": {
        **dict.fromkeys(("process.fork", "process.exit", "signal.send", "signal.kill"), ""),
        "process.exec": "",
        "syscall.enter": f'comm == "{COMM}" && nr == 110',
        "syscall.exit": f'comm == "{COMM}" && nr == 110',
        "sched.switch": f'prev_comm == "{COMM}" && !prev_runnable',
        "sched.wakeup": f'target_comm == "{COMM}"',
    },
    "faults": {"page_fault": f'comm == "{COMM}"'},
    "connections": dict.fromkeys(("tcp.connect", "tcp.accept", "tcp.close", "tcp.state"), ""),
    "losses": dict.fromkeys(("tcp.drop", "tcp.retransmit"), ""),
    "disk": dict.fromkeys(("block.io.start", "block.io.done", "irq.hard", "irq.soft"), ""),
    "memory": {"oom.kill": ""},
}
"""The events of each kind of work, and which of their records to look at."""
FIELDS = {
    "file.open": "path ret flags", "file.close": "fd ret", "vfs.read": "file count ret ns",
    "vfs.write": "file count ret ns", "process.fork": "child child_comm", "process.exit": "task code sig",
    "process.exec": "path", "signal.send": "sig target target_comm", "signal.kill": "sig target ret",
    "syscall.enter": "nr", "syscall.exit": "nr ret", "sched.switch": "prev_pid next_pid prev_prio",
    "sched.wakeup": "target target_cpu", "page_fault": "address write user",
    "tcp.connect": "family saddr daddr dport", "tcp.accept": "family saddr sport daddr dport",
    "tcp.close": "family saddr sport daddr dport", "tcp.state": "family saddr sport daddr dport newstate",
    "tcp.drop": "family dport reason", "tcp.retransmit": "family saddr daddr dport state",
    "block.io.start": "disk sector bytes rwbs", "block.io.done": "disk sector bytes rwbs ns who who_comm",
    "irq.hard": "irq name ns", "irq.soft": "vec ns", "oom.kill": "victim victim_comm",
}  # fmt: skip


def program(group: str, names: Collection[str] | None = None) -> str:
    """A program that shows every record of the events of a group, of all or of those named."""
    clauses = []
    for name in GROUPS[group] if names is None else names:
        where = GROUPS[group][name]
        columns = ", ".join(FIELDS[name].split())
        clauses.append(f'{name} {f"/{where}/ " if where else ""}{{ emit(event_name = "{name}", {columns}); }}')
    return "\n".join(clauses)


@case(backends=["ftrace", "bcc"], timeout=120)
@case(backends=["systemtap"], probes=["kprobe"], stap=[("-e", program("files"))], timeout=120, long=True)
def of_files(backend: str) -> None:
    """Files opened, closed, read and written, with their paths, sizes and results."""
    _happen("files", backend)


@case(backends=["ftrace", "bcc"], timeout=120)
@case(backends=["systemtap"], probes=["tracepoint"], stap=[("-e", program("processes"))], timeout=120, long=True)
def of_processes(backend: str) -> None:
    """Processes made, run, signalled and ended; system calls; who waits and who is woken."""
    _happen("processes", backend)


@case(backends=["ftrace", "bcc"], timeout=120)
@case(backends=["systemtap"], probes=["tracepoint"], stap=[("-e", program("faults"))], timeout=120, long=True)
def of_page_faults(backend: str) -> None:
    """Pages touched for the first time, by their addresses."""
    _happen("faults", backend)


@case(backends=["ftrace", "bcc"], timeout=120)
def of_connections(backend: str) -> None:
    """TCP connections opened, accepted and closed, with addresses and ports."""
    _happen("connections", backend)


@case(backends=["ftrace", "bcc"], timeout=120, long=True)
def of_losses(backend: str) -> None:
    """Segments to a closed port are dropped, those to a silent host sent again."""
    with _silent_host():
        _happen("losses", backend)


@case(backends=["ftrace", "bcc"], timeout=120)
@case(backends=["systemtap"], probes=["kprobe"], stap=[("-e", program("disk"))], timeout=120, long=True)
def of_disks(backend: str) -> None:
    """Blocks read from a disk, by whom, and the interrupts that tell of them."""
    _happen("disk", backend)


@case(backends=["ftrace", "bcc"], timeout=120, long=True)
@case(backends=["systemtap"], probes=["kprobe"], stap=[("-e", program("memory"))], timeout=120, long=True)
def of_memory(backend: str) -> None:
    """A process that the kernel ends for want of memory."""
    _happen("memory", backend)


def _happen(group: str, backend: str) -> None:
    """Do the work of a group under a trace of its events, and look for all of it in the records."""
    from tests.lab.named_events import served

    found = served(tuple(GROUPS[group]), backend)
    names = tuple(found)
    if not names:
        skip(f"{backend} serves none of {', '.join(GROUPS[group])} on this kernel")
    # The module was made of the whole group's program.
    text = program(group, None if backend == "systemtap" else names)
    running = Background("xtrace", "trace", "--backend", backend, "--json", "-e", text)
    running.wait_for('"xtrace.attached/1"')
    worked = command("python3", "-m", "tests.lab.event_work", group)
    done = running.end()
    equal((worked.returncode, done.returncode), (0, 0), "exit statuses of the work and of the trace")
    expected = json.loads(worked.stdout)
    if "belong to no socket are missed" in found.get("tcp.drop", ""):
        # The work drops only such segments.
        expected["tcp.drop"] = []
    problems = [problem for name in names for problem in _missing(name, expected[name], _records(done, name))]
    equal(problems, [], f"what {backend} did not tell")


def _records(done: Any, name: str) -> list[dict[str, Any]]:
    return [record for record in events(done) if record.get("event_name") == name]


def _missing(name: str, expected: Any, records: list[dict[str, Any]]) -> Iterator[str]:
    """What was done and is in no record. A field that this host does not have is null in all of them."""
    if isinstance(expected, int):
        if len(records) < expected:
            yield f"{name}: {len(records)} records, not {expected} or more"
        return
    left = list(records)
    for wanted in expected:
        match = next((record for record in left if _is(record, wanted)), None)
        if match is None:
            yield f"{name}: no {wanted} in {[{key: one.get(key) for key in wanted} for one in left][:12]}"
        else:
            left.remove(match)


def _is(record: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(_equal(key, record.get(key), value) for key, value in wanted.items())


def _equal(key: str, seen: Any, wanted: Any) -> bool:
    if seen is None:
        return True
    if key == "rwbs":
        return str(seen).startswith(wanted)
    return bool(int(str(seen), 0) == wanted if key == "address" else seen == wanted)


@contextmanager
def _silent_host() -> Iterator[None]:
    """A network where nobody answers: what goes out through a dummy device is lost."""
    for words in (
        ("modprobe", "dummy", "numdummies=0"),
        ("ip", "link", "add", "lab0", "type", "dummy"),
        ("ip", "address", "add", f"{NEAR}/24", "dev", "lab0"),
        ("ip", "link", "set", "lab0", "up"),
    ):
        equal(command(*words).returncode, 0, words[0])
    try:
        yield
    finally:
        command("ip", "link", "delete", "lab0")
