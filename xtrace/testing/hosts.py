"""Hosts made of plain data, for tests that must not depend on the machine they run on.

>>> host = FakeHost(events={"sched:sched_switch": {"prev_comm": "char[16]", "prev_pid": "int"}}, symbols=["vfs_read"])
>>> host.event_format("sched", "sched_switch").fields[1].offset
24
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Optional, Union

from xtrace.core.c_types import TYPEDEFS
from xtrace.core.facts.catalog import CATALOG, fact_name
from xtrace.core.facts.composed_events import COMMON
from xtrace.core.facts.ctypes_text import parse_declaration, parse_parameters, parse_type
from xtrace.core.facts.event_format import parse_event_format
from xtrace.core.facts.model import EventFormat, Fact, FunctionPrototype, State
from xtrace.core.facts.sizes import size_of
from xtrace.core.facts.symbols import KernelSymbols
from xtrace.core.types import Array, CType, Enumerated, Int, Member, Space, String, Struct

Fields = Mapping[str, str]
"""Field names to C types: `int`, `char[16]`, `const char *`, `__data_loc char[]`, `enum skb_drop_reason`."""


class FakeTypes:
    """A `TypeSource` over plain data.

    `structs`: name to members, each `type` or (`type`, offset); without an offset members lie as C would put them.
    `enums`: name to enumerators and values. `prototypes`: function to C parameter list, or (list, result type).
    """

    def __init__(
        self,
        structs: Optional[Mapping[str, Mapping[str, Union[str, tuple[str, int]]]]] = None,
        enums: Optional[Mapping[str, Mapping[str, int]]] = None,
        typedefs: Optional[Mapping[str, str]] = None,
        prototypes: Optional[Mapping[str, Union[str, tuple[str, str]]]] = None,
    ) -> None:
        self._enums = dict(enums or {})
        self._typedefs = dict(typedefs or {})
        self._prototypes = dict(prototypes or {})
        self._structs: dict[str, tuple[Member, ...]] = {}
        for name, members in (structs or {}).items():
            self._structs[name] = self._laid_out(members)

    def _laid_out(self, members: Mapping[str, Union[str, tuple[str, int]]]) -> tuple[Member, ...]:
        made, at = [], 0
        for name, given in members.items():
            text = given if isinstance(given, str) else given[0]
            kind = parse_type(text, self._known)
            size = size_of(kind)
            align = _alignment(kind)
            at = -(-at // align) * align if isinstance(given, str) else given[1]
            made.append(Member(name, kind, at, size))
            at += size
        return tuple(made)

    def _known(self, name: str) -> Optional[CType]:
        tag, _, rest = name.partition(" ")
        return self.struct(rest) if tag in ("struct", "union") else self.typedef(rest or name)

    def struct(self, name: str) -> Optional[CType]:
        name = name.split()[-1]
        members = self._structs.get(name)
        if members is None:
            return None
        end = max((m.offset + m.size for m in members), default=0)
        align = max((_alignment(m.type) for m in members), default=1)
        return Struct(name, -(-end // align) * align)

    def member(self, struct: str, name: str) -> Optional[Member]:
        return next((m for m in self.members(struct) if m.name == name), None)

    def members(self, struct: str) -> tuple[Member, ...]:
        return self._structs.get(struct.split()[-1], ())

    def typedef(self, name: str) -> Optional[CType]:
        name = name.split()[-1]
        if name in self._typedefs:
            return parse_type(self._typedefs[name], self._known)
        return Enumerated(name) if name in self._enums else TYPEDEFS.get(name)

    def enumerator(self, name: str) -> Optional[int]:
        return next((values[name] for values in self._enums.values() if name in values), None)

    def enum_values(self, enum: str) -> Mapping[int, str]:
        return {value: name for name, value in self._enums.get(enum.split()[-1], {}).items()}

    def prototype(self, function: str) -> Optional[FunctionPrototype]:
        given = self._prototypes.get(function)
        if given is None:
            return None
        parameters, result = (given, "int") if isinstance(given, str) else given
        return FunctionPrototype(
            function, parse_parameters(parameters, self._known), parse_type(result, self._known), "given to FakeHost"
        )


def _alignment(kind: CType) -> int:
    if isinstance(kind, Array):
        return _alignment(kind.of)
    if isinstance(kind, (Struct, String)):
        return 8 if isinstance(kind, Struct) else 1
    return max(1, min(8, size_of(kind)))


class FakeHost:
    """`HostFacts` over plain data. What is not given is unprobed; `facts` may hold a Fact, True, False or a value.

    `events` maps `system:event` to its fields, to the text of a format file, or to an EventFormat.
    `filterable` and `blacklisted` are sets of functions, None where the host does not tell.
    `binaries` maps paths to contents.
    """

    def __init__(
        self,
        release: str = "6.1.0-test",
        arch: str = "x86_64",
        recorded: bool = True,
        events: Optional[Mapping[str, Union[Fields, str, EventFormat]]] = None,
        symbols: Union[Iterable[str], KernelSymbols] = (),
        config: Optional[Mapping[str, str]] = None,
        facts: Optional[Mapping[str, object]] = None,
        types: Optional[FakeTypes] = None,
        filterable: Optional[Iterable[str]] = None,
        blacklisted: Optional[Iterable[str]] = None,
        binaries: Optional[Mapping[str, bytes]] = None,
    ) -> None:
        self.release, self.arch, self.recorded = release, arch, recorded
        self.symbols = symbols if isinstance(symbols, KernelSymbols) else KernelSymbols.of(symbols)
        self.types = types or FakeTypes()
        self._events = None if events is None else {name: _format(name, what) for name, what in events.items()}
        self._config = config
        self._filterable = None if filterable is None else frozenset(filterable)
        self._blacklisted = None if blacklisted is None else frozenset(blacklisted)
        self._binaries = dict(binaries or {})
        self._facts = {fact_name(name).name: _fact(value) for name, value in (facts or {}).items()}
        self._facts.setdefault("kernel.release", Fact(State.PRESENT, release, "given to FakeHost"))
        self._facts.setdefault("kernel.arch", Fact(State.PRESENT, arch, "given to FakeHost"))

    def fact(self, name: str) -> Fact:
        return self._facts.get(fact_name(name).name, Fact(State.UNPROBED, evidence="not given to FakeHost"))

    def facts(self) -> Mapping[str, Fact]:
        return {name: self.fact(name) for name in CATALOG}

    def events(self) -> Optional[frozenset[str]]:
        return None if self._events is None else frozenset(self._events)

    def event_format(self, system: str, event: str) -> Optional[EventFormat]:
        return (self._events or {}).get(f"{system}:{event}")

    def config(self, option: str) -> Fact:
        if self._config is None:
            return Fact(State.UNPROBED, evidence="FakeHost was given no configuration")
        if option in self._config:
            return Fact(State.PRESENT, self._config[option], f"{option}={self._config[option]}")
        return Fact(State.ABSENT, evidence=f"{option} is not set")

    def filterable(self, function: str) -> Fact:
        return _listed(function, self._filterable, "available_filter_functions")

    def blacklisted(self, function: str) -> Fact:
        return _listed(function, self._blacklisted, "the kprobe blacklist")

    def read_binary(self, path: str) -> bytes:
        if path in self._binaries:
            return self._binaries[path]
        if self.recorded:
            raise FileNotFoundError(f"{path}: a recorded host has no user programs")
        return Path(path).read_bytes()


def _fact(value: object) -> Fact:
    if isinstance(value, Fact):
        return value
    if isinstance(value, State):
        return Fact(value, evidence="given to FakeHost")
    if isinstance(value, bool):
        return Fact(State.PRESENT if value else State.ABSENT, evidence="given to FakeHost")
    return Fact(State.PRESENT, value, "given to FakeHost")


def _listed(function: str, names: Optional[frozenset[str]], where: str) -> Fact:
    if names is None:
        return Fact(State.UNPROBED, evidence=f"FakeHost was not given {where}")
    found = function in names
    return Fact(
        State.PRESENT if found else State.ABSENT, evidence=f"{function} {'is' if found else 'is not'} in {where}"
    )


def _format(name: str, what: Union[Fields, str, EventFormat]) -> EventFormat:
    if isinstance(what, EventFormat):
        return what
    system, event = name.split(":")
    if isinstance(what, str):
        return parse_event_format(what, system)
    number = 1 + sum(name.encode()) % 60000
    return EventFormat(system, event, number, COMMON, _record(system, what), "", {})


def _record(system: str, fields: Fields) -> tuple[Member, ...]:
    """Fields as the kernel would lay them out: naturally aligned from byte 8 on; of syscalls, each 8 bytes."""
    made, at = [], 8
    for name, text in fields.items():
        location = {"__data_loc": "data_loc", "__rel_loc": "rel_loc"}.get(text.split()[0], "inline")
        if location == "inline":
            space = Space.USER if system == "syscalls" else Space.KERNEL
            kind = parse_declaration(text, None, space)[1]
            size = size_of(kind) or 8
        else:
            of = text.partition(" ")[2].replace("[]", "").strip()
            kind, size = (String() if of == "char" else Array(parse_type(of), 0)), 4
        if system == "syscalls" and isinstance(kind, Int) and name != "__syscall_nr":
            kind, size = Int(8, kind == Int(8, True)), 8
        align = 8 if system == "syscalls" and at > 8 else min(8, _alignment(kind) if location == "inline" else 4)
        at = -(-at // align) * align
        made.append(Member(name, kind, at, size, location=location))
        at += size
    return tuple(made)
