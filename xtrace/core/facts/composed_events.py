"""Events of a recorded host without format files: their fields from event classes and from what system calls take.

The tables in `event_tables/` hold what recordings of type information and of symbols cannot say: the class of an event,
the system of a name, the arguments of system calls.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from xtrace.core.errors import XtraceError
from xtrace.core.facts.ctypes_text import parse_declaration
from xtrace.core.facts.model import EventFormat
from xtrace.core.facts.sizes import size_of
from xtrace.core.types import Array, CType, Int, Member, Pointer, Space, String

if TYPE_CHECKING:
    from xtrace.core.facts.recording import RecordedHost

_TABLES = Path(__file__).parent / "event_tables"
COMMON = (
    Member("common_type", Int(2, False), 0, 2),
    Member("common_flags", Int(1, False), 2, 1),
    Member("common_preempt_count", Int(1, False), 3, 1),
    Member("common_pid", Int(4, True), 4, 4),
)
"""The header of every record since v3.0 (include/linux/trace_events.h, struct trace_entry)."""


@cache
def table(name: str) -> Mapping[str, list[str]]:
    """One of the tables in event_tables/."""
    found: Mapping[str, list[str]] = json.loads((_TABLES / f"{name}.json").read_text())
    return found


@lru_cache(maxsize=1)
def systems() -> Mapping[str, str]:
    """The system of each event whose name only one system uses."""
    return {event: system for system, events in table("event_systems").items() for event in events}


def with_syscalls(host: RecordedHost, events: frozenset[str]) -> frozenset[str]:
    """Recorded events, with the systems of `?:event` where they are known, and with the syscalls events that a list
    made from symbols lacks: one pair for each system call that the kernel has, where it traces any."""
    named = {
        f"{systems()[name[2:]]}:{name[2:]}" if name.startswith("?:") and name[2:] in systems() else name
        for name in events
    }
    traced = host.config("CONFIG_FTRACE_SYSCALLS")
    if any(name.startswith("syscalls:") for name in named) or traced.no or "raw_syscalls:sys_enter" not in named:
        return frozenset(named)
    if len(host.symbols.text) > 2 and not traced.yes and not host.symbols.lookup("perf_syscall_enter"):
        return frozenset(named)
    calls = _system_calls(host) & set(table("syscall_arguments"))
    return frozenset(named | {f"syscalls:sys_{side}_{call}" for call in calls for side in ("enter", "exit")})


def _system_calls(host: RecordedHost) -> set[str]:
    found = re.findall(rb" (?:__x64_|__arm64_|__s390x_|__riscv_|__se_)?(?:sys|SyS)_(\w+)\n", host.symbols.text)
    return {name.decode() for name in found}


def event_format(host: RecordedHost, system: str, event: str) -> Optional[EventFormat]:
    """The format of an event as its class or the system call's arguments tell it; None where they do not."""
    if system == "syscalls":
        return _syscall_format(event)
    for name in (event, *table("event_classes").get(event, ())):
        described = host.classes.get(name)
        if isinstance(described, dict):
            fields = _class_fields(described)
            return EventFormat(system, event, 0, COMMON, fields, "", {}) if fields is not None else None
    return None


def _syscall_format(event: str) -> Optional[EventFormat]:
    side, _, call = event[4:].partition("_")
    number = Member("__syscall_nr", Int(4, True), 8, 4)
    if side == "exit":
        return EventFormat("syscalls", event, 0, COMMON, (number, Member("ret", Int(8, True), 16, 8)), "", {})
    arguments = table("syscall_arguments").get(call)
    if arguments is None:
        return None
    members = [number]
    for index, text in enumerate(arguments):
        name, kind = parse_declaration(text, None, Space.USER)
        kind = kind if isinstance(kind, Pointer) else Int(8, False)
        members.append(Member(name, kind, 16 + 8 * index, 8))
    return EventFormat("syscalls", event, 0, COMMON, tuple(members), "", {})


def _class_fields(described: Mapping[str, object]) -> Optional[tuple[Member, ...]]:
    rows, total = described.get("fields"), described.get("size")
    if not isinstance(rows, list) or not isinstance(total, int):
        return None
    try:
        triples = [(str(name), int(offset), str(text)) for name, offset, text in rows]
    except (TypeError, ValueError):
        return None
    ends = [offset for _, offset, _ in triples[1:]] + [total]
    return tuple(_class_field(name, offset, text, end - offset) for (name, offset, text), end in zip(triples, ends))


def _class_field(name: str, offset: int, text: str, room: int) -> Member:
    for prefix, location in (("__data_loc_", "data_loc"), ("__rel_loc_", "rel_loc")):
        if name.startswith(prefix):
            return Member(name[len(prefix) :], String(), offset, 4, location=location)
    base, bracket, rest = text.partition("[")
    try:
        kind: CType = parse_declaration(f"{base} x{bracket}{rest}")[1]
    except XtraceError:
        kind = Array(Int(1, False), room)
    size = size_of(kind)
    if not size:
        size = next((s for s in (8, 4, 2, 1) if s <= room), 1)
        kind = Int(size, False)
    return Member(name, kind, offset, size)
