"""Names of numbers that types do not tell: disks and cgroups as sysfs has them, users as the host's databases do,
errors, signals and capabilities by their fixed numbers."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from xtrace.core.facts.observe_caller import CAPABILITIES

_DISKS = Path("/sys/class/block")
_MINOR_BITS = 20
"""Of the kernel's own dev_t (include/linux/kdev_t.h), which is not the one of stat(2)."""


def disk_names(directory: Path = _DISKS) -> Mapping[int, str]:
    """Block devices and their partitions by the kernel's `dev_t`; empty where sysfs cannot be read."""
    found: dict[int, str] = {}
    try:
        names = os.listdir(directory)  # noqa: PTH208 - a name is wanted, not a path
    except OSError:
        return found
    for name in names:
        try:
            major, _, minor = (directory / name / "dev").read_text().strip().partition(":")
            found[int(major) << _MINOR_BITS | int(minor)] = name
        except (OSError, ValueError):
            continue
    return found


def signal_names() -> Mapping[int, str]:
    """Signals by number (signal(7)); the real-time ones between the first and the last have no name of their own."""
    return {one.value: one.name for one in signal.Signals}


def capability_names() -> Mapping[int, str]:
    """Capabilities by number (capabilities(7))."""
    return {number: f"CAP_{name.upper()}" for number, name in enumerate(CAPABILITIES)}


def error_names() -> Mapping[int, str]:
    """The C library's words for errno values (strerror(3)), "Success" for 0."""
    import errno

    return {0: os.strerror(0), **{number: os.strerror(number) for number in errno.errorcode}}


def user_names() -> Mapping[int, str]:
    """Users by number (getpwent(3))."""
    import pwd

    return {user.pw_uid: user.pw_name for user in reversed(pwd.getpwall())}


class CgroupPaths(Mapping[int, str]):
    """Paths of control groups by their number, which is their directory's inode (cgroups(7)), as bpftrace writes them.

    Groups come and go: an unknown number has the hierarchy read again, at most once in `RENEWED` seconds.
    """

    RENEWED = 1.0

    def __init__(self, roots: tuple[str, ...] = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")) -> None:
        self._root = next((root for root in roots if Path(root, "cgroup.controllers").exists()), None)
        self._known: dict[int, str] = {}
        self._read = 0.0

    def __getitem__(self, number: int) -> str:
        now = time.monotonic()
        if number not in self._known and self._root is not None and (not self._read or now > self._read + self.RENEWED):
            self._read = now
            for directory, _, _ in os.walk(self._root):
                self._note(directory, directory[len(self._root) :] or "/")
        return self._known[number]

    def _note(self, directory: str, path: str) -> None:
        with suppress(OSError):  # it may have gone away meanwhile
            self._known[Path(directory).stat().st_ino] = f"unified:{path}"

    def __iter__(self) -> Iterator[int]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def __bool__(self) -> bool:
        return self._root is not None
