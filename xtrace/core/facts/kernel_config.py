"""The kernel's configuration: where it lies and how it is read (Documentation/kbuild/kconfig-language.rst)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Optional

from xtrace.core.facts.files import HostFiles
from xtrace.core.facts.model import Fact, State

_LINE = re.compile(r"^(CONFIG_\w+)=(.*)$", re.M)
_MAX_BYTES = 4 << 20
_EL7_NAMES = {"CONFIG_KPROBE_EVENTS": "CONFIG_KPROBE_EVENT", "CONFIG_UPROBE_EVENTS": "CONFIG_UPROBE_EVENT"}
"""Renamed by Linux 6b0b7551428e ("perf/core: Rename CONFIG_[UK]PROBE_EVENT to CONFIG_[UK]PROBE_EVENTS"), v4.11."""


def places(release: str) -> tuple[str, ...]:
    """Where distributions put the configuration, best first."""
    return (
        "/proc/config.gz",
        f"/boot/config-{release}",
        f"/lib/modules/{release}/config",
        f"/usr/lib/modules/{release}/config",
        f"/usr/lib/ostree-boot/config-{release}",
        f"/lib/modules/{release}/build/.config",
    )


def parse_config(text: str) -> dict[str, str]:
    """Options that are set, with `CONFIG_`; strings without their quotes."""
    return {name: value.strip().strip('"') for name, value in _LINE.findall(text)}


def read_config(files: HostFiles, path: str) -> Mapping[str, str]:
    """The configuration in a file, which may be gzipped. Raises OSError."""
    data = files.read(path)
    if data[:2] == b"\x1f\x8b":
        data = _unpacked(data, path)
    return parse_config(data.decode("utf-8", "replace"))


def _unpacked(data: bytes, path: str) -> bytes:
    """The content of a gzip file, bounded: a collector's archive may come from a stranger."""
    import zlib

    try:
        return zlib.decompressobj(wbits=31).decompress(data, _MAX_BYTES)
    except zlib.error as error:
        raise OSError(f"{path} cannot be unpacked: {error}") from error


def option(options: Optional[Mapping[str, str]], name: str, where: str) -> Fact:
    """One option as a fact; `options` is None where the host does not tell."""
    if options is None:
        return Fact(State.UNPROBED, None, f"the kernel configuration is not known ({where})")
    for spelling in (name, _EL7_NAMES.get(name, name)):
        if spelling in options:
            value = options[spelling]
            return Fact(State.PRESENT, value, f"{spelling}={value} in {where}")
    return Fact(State.ABSENT, None, f"{name} is not set in {where}")
