"""Who is who: the process and the name behind each thread id, as of the time of an event.

A record carries only the id of the thread. What it belonged to is known from a look at /proc when the trace starts and
from the kernel's own events of forks and renames after that, so it is right for processes that have long ended. What
neither tells is read from /proc late, or guessed, and counted as such.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Optional

from xtrace.backends.ftrace.programs import Programs
from xtrace.core.records import dataclass

CLONE_PARENT = 0x8000
CLONE_THREAD = 0x10000
IDLE = "swapper/"
UNKNOWN = "<...>"
"""Stands for a name that nobody could tell, as in the kernel's own output."""


@dataclass
class Thread:
    """`ppid` is -1 where not yet known."""

    tgid: int
    comm: str
    ppid: int = -1


@dataclass(frozen=True)
class Status:
    """What /proc/TID/status says; user and group are the real ones."""

    name: str
    tgid: int
    ppid: int
    uid: int
    gid: int


class Identity:
    """Threads by id. Events must be told in the order of their time."""

    def __init__(self) -> None:
        self.threads: dict[int, Thread] = {}
        self.inside: set[int] = set()
        """Threads of the scope, where there is one."""
        self.guessed = 0
        """Answers that are only the thread's own id, because its process ended before anybody looked."""
        self.late = 0
        """Answers read from /proc after the event, where an earlier state may have been meant."""
        self.stacked: dict[int, None] = {}
        """Processes of which a user stack was seen, in the order in which they were."""
        self.reused = 0
        """Ids of threads that were given to another process."""
        self.programs = Programs()
        self._follow = False
        self._statuses: dict[int, Status] = {}
        self._cgroups: dict[int, tuple[str, int]] = {}
        self._asked: set[tuple[str, int]] = set()

    def watch(self, pid: int, follow: bool) -> None:
        """Make process `pid` the scope, with the children that it forks from now on where `follow`."""
        self._follow = follow
        self.inside.update(threads_of(pid))

    def look(self, pids: Iterable[int]) -> None:
        """Learn the threads of processes from /proc."""
        for pid in pids:
            for tid in threads_of(pid):
                # status escapes odd names, comm does not.
                comm, status = _text(f"/proc/{pid}/task/{tid}/comm"), read_status(tid)
                if comm is not None and status is not None:
                    self.threads[tid] = Thread(pid, comm.rstrip("\n"), status.ppid)

    # --- events ---

    def forked(self, parent: int, child: int, comm: str, flags: int) -> None:
        """task:task_newtask: thread `parent` made thread `child`."""
        above = self.threads.get(parent) or self._from_proc(parent)
        before = self.threads.get(child)
        if flags & CLONE_THREAD:
            self.threads[child] = Thread(above.tgid, comm, above.ppid)
        else:
            self.threads[child] = Thread(child, comm, above.ppid if flags & CLONE_PARENT else above.tgid)
        if before is not None and before.comm != UNKNOWN and before.tgid != self.threads[child].tgid:
            self.reused += 1
        self.programs.forked(parent, child)
        if parent in self._statuses:
            self._statuses[child] = self._statuses[parent]
        if parent in self._cgroups:
            self._cgroups[child] = self._cgroups[parent]
        if self.inside and parent in self.inside and (self._follow or flags & CLONE_THREAD):
            self.inside.add(child)
        elif child in self.inside:
            self.inside.discard(child)

    def renamed(self, tid: int, comm: str) -> None:
        """task:task_rename, which exec does too."""
        known = self.threads.get(tid)
        if known is None:
            known = self._from_proc(tid)
        known.comm = comm

    def exited(self, tid: int) -> None:
        """sched:sched_process_exit, told after the event itself has been handled. A process whose first thread ends
        stays while it has others: one that executes a program gets its id (de_thread of fs/exec.c)."""
        others = (self.threads.get(one) for one in self.inside if one != tid)
        if not any(one is not None and one.tgid == tid for one in others):
            self.inside.discard(tid)

    def seen(self, tid: int, tgid: int) -> None:
        """A sample tells a thread's process for certain."""
        if tid not in self.threads:
            status = read_status(tid) if tid else None
            self.threads[tid] = Thread(tgid, status.name if status else UNKNOWN if tid else f"{IDLE}0")

    # --- questions ---

    def pid(self, tid: int) -> int:
        known = self.threads.get(tid)
        return known.tgid if known else self._from_proc(tid).tgid

    def comm(self, tid: int, cpu: int) -> str:
        if tid == 0:
            return f"{IDLE}{cpu}"
        known = self.threads.get(tid)
        return known.comm if known else self._from_proc(tid).comm

    def ppid(self, tid: int) -> int:
        known = self.threads.get(tid) or self._from_proc(tid)
        if known.ppid < 0:
            status = self._status(tid)
            known.ppid = status.ppid if status else 0
        return known.ppid

    def uid(self, tid: int) -> int:
        status = self._status(tid)
        return status.uid if status else 0

    def gid(self, tid: int) -> int:
        status = self._status(tid)
        return status.gid if status else 0

    def cgroup(self, tid: int) -> tuple[str, int]:
        """Path and id (the inode's number) of the cgroup v2 that the thread is in; ("", 0) where not known."""
        if ("cgroup", tid) not in self._asked:
            self._asked.add(("cgroup", tid))
            found = read_cgroup(tid)
            if found is not None:
                self._cgroups[tid] = found
            self.late += 1
        return self._cgroups.get(tid, ("", 0))

    def new_batch(self) -> None:
        """Read anew what can change without an event (user ids, cgroups) when it is asked for next."""
        self._asked.clear()

    # --- /proc ---

    def _from_proc(self, tid: int) -> Thread:
        if tid == 0:
            return self.threads.setdefault(0, Thread(0, f"{IDLE}0", 0))
        status = read_status(tid)
        if status is None:
            self.guessed += 1
            made = Thread(tid, UNKNOWN)
        else:
            made = Thread(status.tgid, status.name, status.ppid)
        self.threads[tid] = made
        return made

    def _status(self, tid: int) -> Optional[Status]:
        """The newest status that could be read; a child's is its parent's until its own was seen."""
        if ("status", tid) not in self._asked:
            self._asked.add(("status", tid))
            found = read_status(tid)
            if found is not None:
                self._statuses[tid] = found
            elif tid not in self._statuses:
                self.guessed += 1
            self.late += 1
        return self._statuses.get(tid)


def threads_of(pid: int) -> list[int]:
    """Ids of a process's threads now; empty for a process that is gone."""
    try:
        return [int(entry.name) for entry in os.scandir(f"/proc/{pid}/task")]
    except OSError:
        return []


def all_processes() -> list[int]:
    return [int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit()]


def read_status(tid: int) -> Optional[Status]:
    """/proc/TID/status of a living thread (proc_pid_status(5)), else None."""
    text = _text(f"/proc/{tid}/status")
    if text is None:
        return None
    fields = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    try:
        uid, gid = (int(fields[name].split()[0]) for name in ("Uid", "Gid"))
        return Status(fields["Name"], int(fields["Tgid"]), int(fields["PPid"]), uid, gid)
    except (KeyError, ValueError):
        return None


def read_cgroup(tid: int) -> Optional[tuple[str, int]]:
    """Path and inode of a thread's cgroup v2 (cgroups(7)), None where there is none."""
    text = _text(f"/proc/{tid}/cgroup")
    path = next((line[3:] for line in (text or "").splitlines() if line.startswith("0::")), None)
    if path is None:
        return None
    for mount in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        try:
            if Path(mount, "cgroup.controllers").exists():
                return path, Path(f"{mount}{path}").stat().st_ino
        except OSError:
            continue
    return path, 0


def _text(path: str) -> Optional[str]:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(handle, 8192).decode("utf-8", "surrogateescape")
    except OSError:
        return None
    finally:
        os.close(handle)
