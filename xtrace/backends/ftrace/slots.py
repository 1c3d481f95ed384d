"""From a record to the slots of a clause: `Captured(i)` of the evaluator is the i-th value."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Optional

from xtrace.backends.ftrace.decode import TID
from xtrace.backends.ftrace.identity import Identity
from xtrace.backends.ftrace.model import Column, Source
from xtrace.backends.ftrace.ring_buffer import Row
from xtrace.core.messages import UNREAD, StackValue, Value

Slots = Callable[[Row, int], Sequence[Value]]
"""Gives the slots of a clause for a row and the CPU that it was recorded on."""
Getter = Callable[[Row, int], Any]

TRACER_FRAMES = 16
"""Within so many frames the tracer's own end."""
LONGEST_INSTRUCTION = 16
"""Bytes: a frame of a probed place is the address of the probe or of what comes after its instruction."""
_ADDRESS = (1 << 64) - 1
FAULT_LIMIT = 4096
"""Pointers this near to 0, on either side, are NULL with an offset or an error number (IS_ERR_VALUE), and a read
through them faults."""


def slots_of(columns: Sequence[Column], places: Mapping[str, int], identity: Identity, late: LateStrings) -> Slots:
    """A function for a clause's columns. `places` tells where a row holds each field of the event."""
    fields = [plain_place(column, places) for column in columns]
    if all(place is not None for place in fields) and len(fields) > 1:
        pick = itemgetter(*(place for place in fields if place is not None))
        return lambda row, cpu: pick(row)
    getters = [_getter(column, places, identity, late) for column in columns]
    if len(getters) == 1:
        (only,) = getters
        return lambda row, cpu: (only(row, cpu),)
    return lambda row, cpu: [get(row, cpu) for get in getters]


def plain_place(column: Column, places: Mapping[str, int]) -> Optional[int]:
    """Where a row holds a column's value as it is; None for one that has to be found out."""
    if column.source is Source.TID:
        return TID
    if column.source is Source.FIELD and not column.guards:
        return places[column.field]
    return None


def _getter(column: Column, places: Mapping[str, int], identity: Identity, late: LateStrings) -> Getter:
    source = column.source
    place = plain_place(column, places)
    if place is not None:
        return _at(place)
    if source is Source.FIELD:
        return _guarded(places[column.field], [places[name] for name in column.guards])
    if source is Source.CONSTANT:
        constant: Value = column.text or column.value
        return lambda row, cpu: constant
    if source is Source.COMM:
        comm = identity.comm
        return lambda row, cpu: comm(row[TID], cpu)
    if source in (Source.KERNEL_STACK, Source.USER_STACK):
        return _stack(source, column.value, identity, places[column.field] if column.field else 0)
    if source is Source.LATE_STRING:
        pointer = places[column.field]
        return lambda row, cpu: late.read(row[TID], row[pointer], column.size)
    return _asked(source, identity)


def _at(place: int) -> Getter:
    return lambda row, cpu: row[place]


def _asked(source: Source, identity: Identity) -> Getter:
    if source is Source.CGROUP:
        return lambda row, cpu: identity.cgroup(row[TID])[1]
    if source is Source.SYSCALL_ABI:
        abi = identity.programs.abi
        return lambda row, cpu: abi(row[TID])
    question = {
        Source.PID: identity.pid,
        Source.PPID: identity.ppid,
        Source.UID: identity.uid,
        Source.GID: identity.gid,
    }[source]
    return lambda row, cpu: question(row[TID])


def _guarded(place: int, guards: Sequence[int]) -> Getter:
    def get(row: Row, cpu: int) -> Any:
        value = row[place]
        if all(not -FAULT_LIMIT <= row[guard] < FAULT_LIMIT for guard in guards):
            return value
        return 0 if isinstance(value, int) else "" if isinstance(value, str) else bytes(len(value))

    return get


def _stack(source: Source, depth: int, identity: Identity, place: int) -> Getter:
    """Stacks were joined to the row by `xtrace.backends.ftrace.stacks`: kernel, then user, at its end."""
    if source is Source.KERNEL_STACK:
        return lambda row, cpu: StackValue(_from_probe(row[-2], row[place] & _ADDRESS if place else 0)[:depth])

    def user(row: Row, cpu: int) -> StackValue:
        pid, addresses = row[-1]
        identity.stacked[pid] = None
        # Linux cfa7f3d2c526 (v6.11) mends the walk for perf, not for ftrace.
        if place and row[place] & _ADDRESS not in addresses[:2]:
            addresses = (*addresses[:1], row[place] & _ADDRESS, *addresses[1:])
        return StackValue(addresses[:depth], pid)

    return user


def _from_probe(addresses: tuple[int, ...], place: int) -> tuple[int, ...]:
    """A kernel stack without the tracer's own frames, which end where the probe is."""
    if place:
        for number, address in enumerate(addresses[:TRACER_FRAMES]):
            if place <= address <= place + LONGEST_INSTRUCTION:
                return addresses[number:]
    return addresses


class LateStrings:
    """Strings of traced processes, read from their memory after the event. `lost` counts those that could not be."""

    def __init__(self) -> None:
        self.read_late = 0
        self.lost = 0

    def read(self, tid: int, address: int, size: int) -> str:
        self.read_late += 1
        raw = _memory(tid, address & (1 << 64) - 1, size - 1)
        text = None if raw is None else _printable(raw.split(b"\0", 1)[0])
        if text is None:
            self.lost += 1
            return UNREAD
        return text


def _printable(raw: bytes) -> Optional[str]:
    """The text, or None for what is no text: by now the process may have put something else there."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None


def _memory(tid: int, address: int, size: int) -> Optional[bytes]:
    """Up to `size` bytes of a process's memory; less at the end of a mapping, None where none can be read."""
    try:
        handle = os.open(f"/proc/{tid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.pread(handle, size, address) or None
    except (OSError, OverflowError):
        return None
    finally:
        os.close(handle)
