"""The tracefs directory: reads, writes, and what the kernel says when it refuses one."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path

ROOTS = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
"""Where tracefs is mounted since Linux 4.1, and where debugfs holds it before and besides."""

DEFINITIONS = ("dynamic_events", "kprobe_events", "uprobe_events")
"""Files that list probe definitions; a kernel has some of them."""

SYNTHETIC = "synthetic_events"
"""The file that lists and takes synthetic events (Linux 4.17)."""
_DEFINED = re.compile(r"^[a-z]\d*:(?P<group>[^/\s]+)/(?P<event>\S+)", re.MULTILINE)


class Tracefs:
    """Files below one tracefs directory. All paths are relative to it; all methods raise OSError."""

    def __init__(self, root: str) -> None:
        self.root = root

    def read(self, path: str) -> str:
        return Path(self.root, path).read_text("utf-8", "surrogateescape")

    def exists(self, path: str) -> bool:
        return Path(self.root, path).exists()

    def names(self, path: str) -> list[str]:
        return sorted(entry.name for entry in Path(self.root, path).iterdir())

    def write(self, path: str, data: bytes) -> None:
        """Replace the content of a file of the session's own instance."""
        self._put(path, data, os.O_WRONLY | os.O_TRUNC)

    def append(self, path: str, data: bytes) -> None:
        """Add one definition to a file shared by everybody, which opening with O_TRUNC would empty."""
        self._put(path, data, os.O_WRONLY | os.O_APPEND)

    def _put(self, path: str, data: bytes, flags: int) -> None:
        handle = os.open(f"{self.root}/{path}", flags | os.O_CLOEXEC)
        try:
            while data:
                data = data[os.write(handle, data) :]
        finally:
            os.close(handle)

    def make(self, path: str) -> None:
        Path(self.root, path).mkdir()

    def remove(self, path: str) -> None:
        Path(self.root, path).rmdir()

    def open(self, path: str) -> int:
        """A descriptor for reading without waiting."""
        return os.open(f"{self.root}/{path}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    def defined(self) -> Iterator[tuple[str, str, str]]:
        """Every probe definition as (file, group, event), the latest first, each once."""
        seen: set[tuple[str, str]] = set()
        for file in DEFINITIONS:
            try:
                listed = list(self.defined_in(file))
            except FileNotFoundError:
                continue
            for key in reversed(listed):
                if key not in seen:
                    seen.add(key)
                    yield file, *key

    def defined_in(self, file: str) -> Iterator[tuple[str, str]]:
        """The group and event of every definition in a file, in its order."""
        return ((found["group"], found["event"]) for found in _DEFINED.finditer(self.read(file)))

    def synthetic(self) -> list[str]:
        """The names of synthetic events, the latest first; there are none where the kernel has no such file."""
        try:
            lines = self.read(SYNTHETIC).splitlines()
        except FileNotFoundError:
            return []
        return [line.split()[0] for line in reversed(lines) if line.strip()]

    def triggers(self, instance: str) -> Iterator[str]:
        """The trigger files of all events of an instance."""
        for system in Path(self.root, instance, "events").iterdir():
            if system.is_dir():
                yield from (f"{instance}/events/{system.name}/{event.name}/trigger" for event in system.iterdir())

    def complaint(self, instance: str, command: str) -> str:
        """The kernel's own words on the last command that it refused, "" where it has none (`error_log`, Linux 5.2).

        Definitions are complained of at the top, filters and triggers in the instance.
        """
        for log in (f"instances/{instance}/error_log", "error_log"):
            try:
                text = self.read(log)
            except OSError:
                continue
            entries = re.findall(r"error: ([^\n]*)\n\s*Command: ([^\n]*)", text)
            said = [words for words, about in entries if about.strip() == command.strip()]
            if said:
                return str(said[-1])
        return ""


def find_root(roots: tuple[str, ...] = ROOTS) -> str | None:
    """The tracefs directory that can be used, or None where none is mounted. Raises PermissionError where one is
    mounted but closed to the caller."""
    closed = None
    for root in roots:
        try:
            Path(root, "README").stat()
        except PermissionError as error:
            closed = error
        except OSError:
            continue
        else:
            return root
    if closed is not None:
        raise closed
    return None


def is_busy(error: OSError) -> bool:
    return error.errno == errno.EBUSY


def start_time(pid: int) -> int | None:
    """When a process started, in clock ticks since boot (proc_pid_stat(5), field 22); None where there is none."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return None
