"""Type information of kernel modules, loaded when the kernel's own lacks a name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable

from xtrace.core.errors import XtraceError
from xtrace.core.facts.btf import Btf
from xtrace.core.facts.files import HostFiles

DIRECTORY = "/sys/kernel/btf"


def modules_holding(files: HostFiles, kernel: Btf) -> Callable[[str], Iterator[Btf]]:
    """A function from a name to the split BTF of each module whose strings hold it.

    Each file is read once; only those that hold the name are decoded. A module with damaged BTF is passed over, as
    one that was built for another kernel is.
    """
    contents: dict[str, bytes] = {}
    decoded: dict[str, Btf] = {}

    def holding(name: str) -> Iterator[Btf]:
        if not contents:
            contents.update(_read_all(files))
        wanted = b"\0" + name.encode("utf-8", "surrogateescape") + b"\0"
        for module, data in contents.items():
            if wanted in data and module not in decoded:
                try:
                    decoded[module] = Btf(data, module, kernel)
                except XtraceError:
                    contents[module] = b""
            if module in decoded and wanted in data:
                yield decoded[module]

    return holding


def _read_all(files: HostFiles) -> Iterator[tuple[str, bytes]]:
    for module in files.names(DIRECTORY):
        if module != "vmlinux":
            try:
                yield module, files.read(f"{DIRECTORY}/{module}")
            except OSError:
                continue
