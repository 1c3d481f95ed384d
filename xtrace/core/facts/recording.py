"""A host that was recorded: `HostFacts` over the files of a bundle, nothing of which is read before it is asked for.

A recording is a mapping of file names to bytes:

| file | content |
|---|---|
| facts.json | schema xtrace.facts/1: release, arch, how it was captured, all facts |
| symbols.txt | `TYPE NAME [MODULE]` per text symbol |
| events.txt | `system:event` per line |
| formats.txt | `# system:event`, then the text of its format file, for each event |
| classes.json | event class to its fields, where the formats are not recorded |
| config | the kernel configuration |
| filterable.txt, blacklist.txt | a function per line |
| btf/vmlinux, btf/MODULE | type information |
| inline.json | function to F (inlined everywhere) or S (in places), from DWARF |

What a recording lacks is unprobed, unless `composed` can tell it from what is there; such facts say so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Optional

from xtrace.core.errors import XtraceError
from xtrace.core.facts import composed, composed_events, kernel_config
from xtrace.core.facts.catalog import CATALOG, fact_name
from xtrace.core.facts.conclusive import fact_from_json
from xtrace.core.facts.event_format import parse_event_format
from xtrace.core.facts.model import EventFormat, Fact, State, TypeSource
from xtrace.core.facts.symbols import KernelSymbols

SCHEMA = "xtrace.facts/1"


class RecordedHost:
    """`HostFacts` of a recording. `source` is named in evidence and complaints.

    Raises XtraceError XT0405 or XT0406 for a `facts.json` that is damaged or of another schema.
    """

    recorded = True

    def __init__(self, files: Mapping[str, bytes], source: str) -> None:
        self.files, self.source = files, source
        document = self._document()
        kernel = document.get("kernel")
        self.document = document
        if not isinstance(kernel, dict) or not all(isinstance(kernel.get(key), str) for key in ("release", "arch")):
            raise XtraceError.of("XT0405", f"{source}: facts.json does not say which kernel it describes")
        self.release: str = kernel["release"]
        self.arch: str = kernel["arch"]
        self._composed: dict[str, Fact] = {}

    def _document(self) -> Mapping[str, object]:
        try:
            document = json.loads(self.files["facts.json"])
        except (KeyError, ValueError, RecursionError) as error:
            raise XtraceError.of("XT0405", f"{self.source}: facts.json cannot be read") from error
        if not isinstance(document, dict) or not isinstance(document.get("facts", {}), dict):
            raise XtraceError.of("XT0405", f"{self.source}: facts.json is not an object with facts")
        if document.get("schema") != SCHEMA:
            raise XtraceError.of(
                "XT0406",
                f"{self.source} has the schema {document.get('schema')!r}, this xtrace reads {SCHEMA}",
                hints=("record the host again with this version of xtrace: xtrace facts -o FILE",),
            )
        return document

    # --- facts ------------------------------------------------------------------------------------------------------

    def fact(self, name: str) -> Fact:
        """A recorded fact, else one composed from the rest of the recording, else unprobed. KeyError: unknown name."""
        entry = self._recorded_facts.get(fact_name(name).name)
        if entry is not None and entry.state is not State.UNPROBED:
            return entry
        if name not in self._composed:
            made = composed.compose(self, name)
            self._composed[name] = made or entry or self._lacking("the fact")
        return self._composed[name]

    @cached_property
    def _recorded_facts(self) -> Mapping[str, Fact]:
        facts = self.document.get("facts", {})
        known = {}
        for name, entry in facts.items() if isinstance(facts, dict) else ():
            fact = fact_from_json(entry)
            if name in CATALOG and fact is not None:
                known[name] = fact
        return known

    def facts(self) -> Mapping[str, Fact]:
        return {name: self.fact(name) for name in CATALOG}

    @cached_property
    def readme(self) -> str:
        """The README of tracefs; "" where it was not recorded."""
        fact = self._recorded_facts.get("tracefs.readme")
        return str(fact.value) if fact and fact.yes and fact.value else ""

    def _lacking(self, what: str, file: str = "") -> Fact:
        """Why a part is not there: as the host said when it was recorded, or that nobody looked."""
        missing = self.document.get("missing")
        entry = fact_from_json(missing.get(file)) if isinstance(missing, dict) and file else None
        return entry or Fact(State.UNPROBED, None, f"the recording {self.source} lacks {what}")

    # --- events -----------------------------------------------------------------------------------------------------

    @cached_property
    def _events(self) -> Optional[frozenset[str]]:
        lines = self._lines("events.txt")
        return None if lines is None else composed_events.with_syscalls(self, frozenset(lines))

    def events(self) -> Optional[frozenset[str]]:
        return self._events

    @cached_property
    def _formats(self) -> Mapping[str, str]:
        return dict(format_blocks(self.text("formats.txt") or ""))

    def event_format(self, system: str, event: str) -> Optional[EventFormat]:
        text = self._formats.get(f"{system}:{event}")
        if text:
            return parse_event_format(text, system)
        if self._events is None or f"{system}:{event}" not in self._events:
            return None
        return composed_events.event_format(self, system, event)

    @cached_property
    def classes(self) -> Mapping[str, object]:
        """Event classes as `classes.json` has them; empty where it is not recorded or damaged."""
        found = self.json("classes.json")
        return found if isinstance(found, dict) else {}

    # --- configuration, symbols, types ------------------------------------------------------------------------------

    @cached_property
    def options(self) -> Optional[Mapping[str, str]]:
        text = self.text("config")
        return None if text is None else kernel_config.parse_config(text)

    def config(self, option: str) -> Fact:
        described = self.document.get("config")
        described = described if isinstance(described, dict) else {}
        where = str(described.get("source", f"the recording {self.source}"))
        fact = kernel_config.option(self.options, option, where)
        if fact.state is State.ABSENT and described.get("complete") is False and not composed.about_tracing(option):
            return Fact(State.UNPROBED, None, f"{option} is outside the part of the configuration that was recorded")
        return fact

    @cached_property
    def symbols(self) -> KernelSymbols:
        return KernelSymbols(self.files.get("symbols.txt", b""))

    @cached_property
    def types(self) -> TypeSource:
        from xtrace.core.facts.btf import Btf
        from xtrace.core.facts.types import BtfTypes, NoTypes

        data = self.files.get("btf/vmlinux")
        if not data:
            return NoTypes()
        kernel = Btf(data, "vmlinux")
        modules = [name for name in self.files if name.startswith("btf/") and name != "btf/vmlinux"]
        decoded: dict[str, Btf] = {}

        def holding(name: str) -> Iterator[Btf]:
            for module in modules:
                if b"\0" + name.encode("utf-8", "surrogateescape") + b"\0" in self.files[module]:
                    if module not in decoded:
                        decoded[module] = Btf(self.files[module], module[4:], kernel)
                    yield decoded[module]

        return BtfTypes(kernel, holding)

    # --- functions --------------------------------------------------------------------------------------------------

    def filterable(self, function: str) -> Fact:
        return self._listed(function, "filterable.txt", "the functions that ftrace can filter")

    def blacklisted(self, function: str) -> Fact:
        return self._listed(function, "blacklist.txt", "the kprobe blacklist")

    def _listed(self, function: str, file: str, what: str) -> Fact:
        names = self._sets.get(file)
        if names is None:
            return self._lacking(what, file)
        found = function in names
        return Fact(State.PRESENT if found else State.ABSENT, None, f"{function} is {'' if found else 'not '}in {what}")

    @cached_property
    def _sets(self) -> Mapping[str, frozenset[str]]:
        lines = {file: self._lines(file) for file in ("filterable.txt", "blacklist.txt")}
        return {file: frozenset(names) for file, names in lines.items() if names is not None}

    @cached_property
    def inline(self) -> Mapping[str, str]:
        """What DWARF said of each function: F inlined everywhere, S in places; the measure of the resolver."""
        found = self.json("inline.json")
        return {str(name): str(kind) for name, kind in found.items()} if isinstance(found, dict) else {}

    def read_binary(self, path: str) -> bytes:
        raise FileNotFoundError(2, "a recording holds no user programs", path)

    # --- files ------------------------------------------------------------------------------------------------------

    def text(self, file: str) -> Optional[str]:
        data = self.files.get(file)
        return None if data is None else data.decode("utf-8", "replace")

    def json(self, file: str) -> object:
        try:
            return json.loads(self.files.get(file, b"null"))
        except (ValueError, RecursionError):
            return None

    def _lines(self, file: str) -> Optional[list[str]]:
        text = self.text(file)
        return None if text is None else text.split()


def format_blocks(text: str) -> Iterator[tuple[str, str]]:
    """The events of a `formats.txt` with their format files."""
    for block in re.split(r"^# ", text, flags=re.M)[1:]:
        name, _, body = block.partition("\n")
        yield name.strip(), body


def formats_text(formats: Mapping[str, str]) -> str:
    """A `formats.txt` of these events, in name order."""
    return "".join(f"# {name}\n{formats[name].rstrip()}\n" for name in sorted(formats))


def document(release: str, arch: str, facts: Mapping[str, object], **more: object) -> bytes:
    """A `facts.json`: `facts` are objects as `fact_to_json` makes them."""
    body = {"schema": SCHEMA, "kernel": {"release": release, "arch": arch}, **more, "facts": facts}
    return json.dumps(body, indent=1, sort_keys=True).encode()
