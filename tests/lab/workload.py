"""Fixed work to trace: ``python3 -m tests.lab.workload KIND COUNT``. Standard library only.

A process tagged by its name does exactly COUNT events of one kind and ends at once, so that
every event seen with that name can be counted. It imports little: every import is traced too.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys

OPENED = "/lab/opened"
MISSING = "/lab/missing"
PR_SET_NAME = 15


def tag(kind: str) -> str:
    """Return the process name (comm) that events of *kind* carry."""
    return f"lab-{kind}"


def reads(count: int) -> None:
    """Do *count* calls of read(2)."""
    zero = os.open("/dev/zero", os.O_RDONLY)
    rename(tag("reads"))
    for _ in range(count):
        os.read(zero, 1)


def sizes(count: int) -> None:
    """Read 0, 1, … *count* - 1 bytes, and fail to read as often (EBADF)."""
    zero, closed = os.open("/dev/zero", os.O_RDONLY), os.open("/dev/null", os.O_WRONLY)
    rename(tag("sizes"))
    for size in range(count):
        os.read(zero, size)
        try:  # noqa: SIM105
            os.read(closed, 1)
        except OSError:
            pass


def sleeps(count: int) -> None:
    """Sleep in *count* threads at once."""
    import threading

    threading.stack_size(1 << 16)
    ready = threading.Barrier(count)

    def sleep() -> None:
        rename(tag("sleeps"))
        ready.wait()
        _LIBC.sleep(5)  # Python's own has been a select(2) at times.

    threads = [threading.Thread(target=sleep) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def getppids(count: int) -> None:
    """Do *count* calls of getppid(2), through libc."""
    rename(tag("getppids"))
    for _ in range(count):
        os.getppid()


def lookups(count: int) -> None:
    """Look up *count* names through libc's getaddrinfo: 127.0.0.0, 127.0.0.1, …"""
    rename(tag("lookups"))
    for number in range(count):
        socket.getaddrinfo(f"127.0.0.{number}", None)


def opens(count: int) -> None:
    """Open *count* files of OPENED, named 0, 1, …, and try as many of MISSING, which are not there."""
    os.makedirs(OPENED, exist_ok=True)  # noqa: PTH103 - pathlib would be a dozen more imports
    for number in range(count):
        os.close(os.open(f"{OPENED}/{number}", os.O_WRONLY | os.O_CREAT))
    rename(tag("opens"))
    for number in range(count):
        os.close(os.open(f"{OPENED}/{number}", os.O_RDONLY))
        try:
            os.open(f"{MISSING}/{number}", os.O_RDONLY)
        except FileNotFoundError:
            continue
        raise SystemExit(f"{MISSING}/{number} must not be there")


def execs(count: int) -> None:
    """Start and await *count* programs, by turns /bin/true and /bin/false."""
    rename(tag("execs"))
    for number in range(count):
        child = os.fork()
        if child == 0:
            program = ("/bin/true", "/bin/false")[number % 2]
            os.execv(program, [program, "lab-execs"])
        os.waitpid(child, 0)


def exits(count: int) -> None:
    """Start and await *count* children that end with the exit statuses 0, 1, …"""
    rename(tag("exits"))
    for number in range(count):
        child = os.fork()
        if child == 0:
            os._exit(number)
        os.waitpid(child, 0)


def rename(name: str) -> None:
    """Give this process the comm *name*."""
    _LIBC.prctl(PR_SET_NAME, name.encode(), 0, 0, 0)


_LIBC = ctypes.CDLL(None)
KINDS = {function.__name__: function for function in (reads, sizes, sleeps, getppids, lookups, opens, execs, exits)}

if __name__ == "__main__":
    KINDS[sys.argv[1]](int(sys.argv[2]))
    os._exit(0)
