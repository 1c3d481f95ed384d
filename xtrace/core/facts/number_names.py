"""Names of numbers that types do not tell: disks as sysfs has them, signals and capabilities by their fixed numbers."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
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
