"""Makes named events happen, and prints what it did as JSON: ``python3 -m tests.lab.event_work GROUP``.

Each group gives, by event, the records that must be seen: a list of objects whose fields a record must have, or a
number of records that must be there at least. Standard library only.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import mmap
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from tests.lab.workload import rename

COMM = "lab-events"
FOLDER = Path("/lab/events")
PAGE = 4096
CLOSED_PORT = 45671
OPEN_PORT = 45672
FAR = "10.99.0.2"
NEAR = "10.99.0.1"
FAR_PORT = 45673
VICTIM = "lab-victim"
CGROUP = Path("/sys/fs/cgroup/lab-oom")

Expected = dict[str, Any]


def files() -> Expected:
    """Open, read, write and close files, some of which are not there."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "read").write_bytes(b"abc")
    rename(COMM)
    seen: Expected = {"file.open": [], "file.close": [], "vfs.read": [], "vfs.write": []}
    for number in range(3):
        path = str(FOLDER / ("read" if number < 2 else "missing"))
        try:
            fd = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            fd = -errno.ENOENT
        seen["file.open"].append({"path": path, "ret": fd})
        if fd >= 0:
            os.read(fd, 11)
            os.close(fd)
            seen["vfs.read"].append({"file": "read", "count": 11, "ret": 3})
            seen["file.close"].append({"fd": fd, "ret": 0})
    with contextlib.suppress(OSError):
        os.close(999)
    seen["file.close"].append({"fd": 999, "ret": -errno.EBADF})
    fd = os.open(FOLDER / "written", os.O_WRONLY | os.O_CREAT)
    for size in (5, 7):
        os.write(fd, b"x" * size)
        seen["vfs.write"].append({"file": "written", "count": size, "ret": size})
    return seen


def processes() -> Expected:
    """Make processes that run programs, end and get signals; sleep and call the kernel."""
    rename(COMM)
    seen: Expected = {"process.fork": [], "process.exec": [], "process.exit": [], "signal.send": [], "signal.kill": []}
    for end in ("exec", 3, signal.SIGTERM):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.read(reading, 1)
            if end == "exec":
                os.execv("/bin/true", ["/bin/true"])
            if end == signal.SIGTERM:
                time.sleep(60)
            os._exit(int(end))
        if end == signal.SIGTERM:
            os.kill(child, signal.SIGTERM)
            sent = {"sig": "SIGTERM", "target": child}
            seen["signal.send"].append({**sent, "target_comm": COMM})
            seen["signal.kill"].append({**sent, "ret": 0})
        os.write(writing, b"x")
        os.waitpid(child, 0)
        seen["process.fork"].append({"child": child, "child_comm": COMM})
        if end == "exec":
            seen["process.exec"].append({"path": "/bin/true"})
            seen["process.exit"].append({"task": child, "code": 0, "sig": 0})
        else:
            code, number = (0, int(end)) if end == signal.SIGTERM else (int(end), 0)
            seen["process.exit"].append({"task": child, "code": code, "sig": number})
    for _ in range(5):
        os.getppid()
        time.sleep(0.002)
    getppid = {"nr": 110}
    seen["syscall.enter"] = [getppid] * 5
    seen["syscall.exit"] = [{**getppid, "ret": os.getppid()}] * 5
    seen["sched.switch"], seen["sched.wakeup"] = 5, 5
    return seen


def faults() -> Expected:
    """Touch pages of memory for the first time."""
    memory = mmap.mmap(-1, 8 * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_NOHUGEPAGE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    rename(COMM)
    for page in range(8):
        memory[page * PAGE] = 1
    return {"page_fault": [{"address": address + page * PAGE, "write": 1, "user": 1} for page in range(8)]}


def connections() -> Expected:
    """Open and close TCP connections to a process of the same host."""
    rename(COMM)
    listener = socket.create_server(("127.0.0.1", OPEN_PORT))
    seen: Expected = {"tcp.connect": [], "tcp.accept": [], "tcp.close": [], "tcp.state": []}
    for _ in range(3):
        client = socket.create_connection(("127.0.0.1", OPEN_PORT))
        port = client.getsockname()[1]
        server, _ = listener.accept()
        client.sendall(b"12345")
        server.recv(5)
        client.close()
        server.close()
        ends = {"family": 2, "saddr": "127.0.0.1", "daddr": "127.0.0.1"}
        seen["tcp.connect"].append({**ends, "dport": OPEN_PORT})
        seen["tcp.accept"].append({**ends, "sport": OPEN_PORT, "dport": port})
        seen["tcp.close"].append({**ends, "sport": OPEN_PORT, "dport": port})
        seen["tcp.state"].append({**ends, "sport": OPEN_PORT, "dport": port, "newstate": "TCP_CLOSE"})
    return seen


def losses() -> Expected:
    """Knock at a closed port, and at a host that never answers."""
    rename(COMM)
    for _ in range(3):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", CLOSED_PORT), 2).close()
    with contextlib.suppress(OSError):
        socket.create_connection((FAR, FAR_PORT), 3.5).close()
    lost = {"family": 2, "saddr": NEAR, "daddr": FAR, "dport": FAR_PORT, "state": "TCP_SYN_SENT"}
    return {"tcp.drop": [{"family": 2, "dport": CLOSED_PORT}] * 3, "tcp.retransmit": [lost]}


def disk() -> Expected:
    """Read blocks from the disk itself, past all caches."""
    rename(COMM)
    buffer = mmap.mmap(-1, PAGE)
    fd = os.open("/dev/vda", os.O_RDONLY | os.O_DIRECT)
    requests = []
    for number in range(4):
        place = (3 + 10 * number) << 20
        os.preadv(fd, [buffer], place)
        requests.append({"disk": "vda", "sector": place // 512, "bytes": PAGE, "rwbs": "R"})
    done = [{**one, "who": os.getpid(), "who_comm": COMM} for one in requests]
    time.sleep(0.3)
    return {"block.io.start": requests, "block.io.done": done, "irq.hard": 1, "irq.soft": 1}


def memory() -> Expected:
    """Let a process want more memory than its control group may have."""
    Path("/sys/fs/cgroup/cgroup.subtree_control").write_text("+memory")
    CGROUP.mkdir()
    (CGROUP / "memory.max").write_text(str(16 << 20))
    child = os.fork()
    if child == 0:
        rename(VICTIM)
        (CGROUP / "cgroup.procs").write_text(str(os.getpid()))
        held = []
        while True:
            held.append(bytearray(b"x" * (1 << 20)))
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), status
    for _ in range(50):
        try:
            CGROUP.rmdir()
            break
        except OSError:
            time.sleep(0.1)
    Path("/sys/fs/cgroup/cgroup.subtree_control").write_text("-memory")
    return {"oom.kill": [{"victim": child, "victim_comm": VICTIM}]}


GROUPS = {one.__name__: one for one in (files, processes, faults, connections, losses, disk, memory)}

if __name__ == "__main__":
    print(json.dumps(GROUPS[sys.argv[1]]()))
    sys.stdout.flush()
    os._exit(0)
