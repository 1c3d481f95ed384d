"""The host that xtrace runs on. Each part is read when it is first asked for, and only once."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Mapping
from functools import cached_property
from typing import Optional

from xtrace.core.errors import XtraceError
from xtrace.core.facts import kernel_config, mounts
from xtrace.core.facts.catalog import CATALOG, fact_name
from xtrace.core.facts.event_format import parse_event_format
from xtrace.core.facts.files import HostFiles, missing
from xtrace.core.facts.function_list import FunctionList
from xtrace.core.facts.model import EventFormat, Fact, State, TypeSource
from xtrace.core.facts.symbols import KernelSymbols

_NAME = re.compile(r"[\w.-]+")
BLACKLIST = "/sys/kernel/debug/kprobes/blacklist"


class LiveHost:
    """`HostFacts` of the machine whose files lie below `root`.

    With a root other than `/` (a mounted image, a test's tree) files answer, and what would need the kernel is
    unprobed; `release` and `arch` may then be given.
    """

    recorded = False

    def __init__(self, root: str = "/", release: str = "", arch: str = "", files: Optional[HostFiles] = None) -> None:
        self.files = files or HostFiles(root)
        name = os.uname()
        self.release = release or name.release
        self.arch = arch or name.machine
        self._facts: dict[str, Fact] = {}
        self._has_btf = False

    # --- facts ------------------------------------------------------------------------------------------------------

    def fact(self, name: str) -> Fact:
        """One fact of the catalog, found out now if it was not before. Raises KeyError for an unknown name."""
        if name not in self._facts:
            how = fact_name(name).how
            if how in ("trial", "run"):
                from xtrace.core.facts.conclusive import remembered

                self._facts[name] = remembered(self.files, name, lambda: self._observe(name))
            else:
                self._facts[name] = self._observe(name)
        return self._facts[name]

    def facts(self) -> Mapping[str, Fact]:
        """All facts of the catalog; those that run programs take a second or two."""
        return {name: self.fact(name) for name in CATALOG}

    def learn(self, facts: Mapping[str, Fact]) -> None:
        """Take facts that were found out together with another."""
        self._facts.update(facts)

    def _observe(self, name: str) -> Fact:
        from xtrace.core.facts.observe import observe

        return observe(self, name)

    # --- tracefs ----------------------------------------------------------------------------------------------------

    @cached_property
    def tracefs(self) -> Fact:
        """Where the tracing directory is; the value is its path as the host names it."""
        return mounts.tracefs(self.files)

    def tracing(self, name: str) -> str:
        """A path in the tracing directory. Raises FileNotFoundError where none is mounted."""
        if not self.tracefs.yes:
            raise FileNotFoundError(2, "no tracefs", self.tracefs.evidence)
        return f"{self.tracefs.value}/{name}"

    @cached_property
    def _events(self) -> Optional[frozenset[str]]:
        try:
            return frozenset(self.files.text(self.tracing("available_events")).split())
        except OSError:
            return None

    def events(self) -> Optional[frozenset[str]]:
        return self._events

    def format_text(self, system: str, event: str) -> Optional[str]:
        """The text of an event's format file, None where it cannot be read."""
        if not (_NAME.fullmatch(system) and _NAME.fullmatch(event)):
            return None
        try:
            return self.files.text(self.tracing(f"events/{system}/{event}/format"))
        except OSError:
            return None

    def event_format(self, system: str, event: str) -> Optional[EventFormat]:
        text = self.format_text(system, event)
        return parse_event_format(text, system) if text else None

    # --- configuration, symbols, types ------------------------------------------------------------------------------

    @cached_property
    def options(self) -> tuple[Optional[Mapping[str, str]], str]:
        """All options that are set and the file that says so; None and the reason where none can be read."""
        problems = []
        for place in kernel_config.places(self.release):
            try:
                return kernel_config.read_config(self.files, place), place
            except (OSError, EOFError) as error:
                problems.append(f"{place}: {error.__class__.__name__}")
        return None, "; ".join(problems)

    def config(self, option: str) -> Fact:
        return kernel_config.option(self.options[0], option, self.options[1])

    @cached_property
    def symbols(self) -> KernelSymbols:
        try:
            return KernelSymbols(self.files.read("/proc/kallsyms"))
        except OSError:
            return KernelSymbols(b"")

    @cached_property
    def types(self) -> TypeSource:
        """BTF; without it DWARF of debuginfo, else the installed kernel headers. Each is opened when it is needed."""
        from xtrace.core.facts.layouts import FirstOf, Source

        return FirstOf(
            [
                Source("BTF", self._btf_types),
                Source("DWARF", self._dwarf_types),
                Source("headers", self._header_types),
            ]
        )

    def _btf_types(self) -> Optional[TypeSource]:
        from xtrace.core.facts.btf import Btf
        from xtrace.core.facts.module_types import modules_holding
        from xtrace.core.facts.types import BtfTypes

        try:
            kernel = Btf(self.files.read("/sys/kernel/btf/vmlinux"), "vmlinux")
        except (OSError, XtraceError):
            return None
        self._has_btf = True
        return BtfTypes(kernel, modules_holding(self.files, kernel))

    def _dwarf_types(self) -> Optional[TypeSource]:
        vmlinux = self.fact("kernel.debuginfo")
        if self._has_btf or not vmlinux.yes:
            return None
        try:
            from xtrace.core.facts.dwarf_types import DwarfTypes

            return DwarfTypes(self.files.path(str(vmlinux.value)))
        except (ImportError, OSError):
            return None

    def _header_types(self) -> Optional[TypeSource]:
        headers = self.fact("kernel.headers")
        if self._has_btf or not (headers.yes and self.files.own and self.fact("gcc.path").yes):
            return None
        from xtrace.core.facts.header_types import HeaderTypes

        return HeaderTypes(f"/lib/modules/{self.release}/build")

    # --- functions --------------------------------------------------------------------------------------------------

    @cached_property
    def _filterable(self) -> tuple[Optional[FunctionList], Fact]:
        try:
            path = self.tracing("available_filter_functions")
            names = FunctionList(self.files.read(path))
        except OSError as error:
            return None, missing("available_filter_functions", error)
        if not names:
            return None, Fact(State.UNPROBED, None, f"{path} is empty")
        return names, Fact(State.PRESENT, len(names), f"{path} lists {len(names)} functions")

    def filterable(self, function: str) -> Fact:
        return listed(function, *self._filterable)

    @cached_property
    def _blacklist(self) -> tuple[Optional[frozenset[str]], Fact]:
        try:
            lines = self.files.text(BLACKLIST).splitlines()
            names = frozenset(line.split("\t")[1].split()[0] for line in lines if "\t" in line)
        except OSError as error:
            return self._marked_blacklist(missing(BLACKLIST, error))
        return names, Fact(State.PRESENT, len(names), f"{BLACKLIST} lists {len(names)} functions")

    def _marked_blacklist(self, why: Fact) -> tuple[Optional[frozenset[str]], Fact]:
        """NOKPROBE_SYMBOL leaves `_kbl_addr_NAME` in kallsyms (Linux 376e242429bf, v3.16) where all symbols show."""
        names = frozenset(re.findall(rb" _kbl_addr_(\S+)", self.symbols.text))
        if names:
            found = frozenset(name.decode() for name in names)
            return found, Fact(State.PRESENT, len(found), f"kallsyms has {len(found)} _kbl_addr_ symbols")
        return None, Fact(State.UNPROBED if why.state is State.ABSENT else why.state, None, why.evidence, why.errno)

    def blacklisted(self, function: str) -> Fact:
        return listed(function, *self._blacklist)

    def function_lists(self) -> Mapping[str, frozenset[str]]:
        """The lists of functions that can be read, by the file of a bundle that holds them."""
        filterable = self._filterable[0]
        lists = {"filterable.txt": filterable.names if filterable else None, "blacklist.txt": self._blacklist[0]}
        return {file: names for file, names in lists.items() if names is not None}

    def read_binary(self, path: str) -> bytes:
        return self.files.read(path)


def listed(function: str, names: Optional[Container[str]], source: Fact) -> Fact:
    """Is a function in a list that may not be known?"""
    if names is None:
        return Fact(source.state, None, source.evidence, source.errno)
    if function in names:
        return Fact(State.PRESENT, None, f"{function} is listed ({source.evidence})")
    return Fact(State.ABSENT, None, f"{function} is not listed ({source.evidence})")
