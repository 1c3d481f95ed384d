"""Stacks belong to the event before them: the kernel writes them as records of their own, right after it.

An interrupt between an event and its stack may write an event and a stack of its own, so a stack goes to the latest
event of its CPU and thread that still waits for one.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from struct import Struct

from xtrace.backends.ftrace.decode import HEAD, TID
from xtrace.backends.ftrace.ring_buffer import Extractor, Record, Row
from xtrace.core.types import Member

Addresses = tuple[int, ...]
_HEADER = Struct("=IHBBi").unpack_from
_IN_INTERRUPT = 0x08 | 0x10 | 0x40
"""Hard interrupt, soft interrupt, NMI (enum trace_flag_type, include/linux/trace_events.h)."""
_END_MARK = (1 << 64) - 1


def kernel_stack_extractor(size: Member, caller: Member) -> Extractor:
    """Rows (head, kind, tid, addresses) of ftrace:kernel_stack records."""

    def extract(page: bytes, position: int) -> Row:
        head, kind, _, _, tid = _HEADER(page, position)
        count = int.from_bytes(page[position + HEAD + size.offset :][:4], sys.byteorder)
        return head, kind, tid, _addresses(page, position + HEAD + caller.offset, count)

    return Extractor(extract)


def user_stack_extractor(tgid: Member, caller: Member) -> Extractor:
    """Rows (head, kind, tid, (tgid, addresses)) of ftrace:user_stack records; unused places are 0."""
    count = caller.size // 8

    def extract(page: bytes, position: int) -> Row:
        head, kind, _, _, tid = _HEADER(page, position)
        process = int.from_bytes(page[position + HEAD + tgid.offset :][:4], sys.byteorder)
        return head, kind, tid, (process, _addresses(page, position + HEAD + caller.offset, count))

    return Extractor(extract)


def _addresses(page: bytes, position: int, count: int) -> Addresses:
    count = min(count, (len(page) - position) // 8)
    found = Struct(f"={count}Q").unpack_from(page, position)
    for end, address in enumerate(found):
        if address in (0, _END_MARK):
            return found[:end]
    return found


class Stacks:
    """Joins stack records to the rows of one CPU, in the order of the buffer; a joined row ends with
    (kernel addresses, (process, user addresses))."""

    def __init__(self, kernel: int, user: int, waiting: frozenset[int], flags: Mapping[int, int], both: bool) -> None:
        """`kernel` and `user` are the ids of stack records, `waiting` those of events that need stacks. `flags` tells
        for each event's id where its rows hold common_flags. `both`: wait for two."""
        self._kernel = kernel
        self._user = user
        self._waiting = waiting
        self._flags = flags
        self._needed = 2 if both else 1
        self._open: list[_Open] = []

    def join(self, records: list[Record], last: bool = False) -> list[Record]:
        """The events among the records, each with its stacks. Those whose stacks may still come are kept for the
        next call, unless it is the last."""
        done: list[Record] = []
        for time, cpu, row in records:
            kind = row[1]
            if kind in (self._kernel, self._user):
                self._take(row, kind == self._kernel)
            else:
                self._release(row)
                one = _Open(time, cpu, row)
                one.missing = self._needed if kind in self._waiting else 0
                self._open.append(one)
            while self._open and self._open[0].missing <= 0:
                done.append(self._open.pop(0).record())
        if last:
            done += [one.record() for one in self._open]
            self._open.clear()
        return done

    def _take(self, row: Row, kernel: bool) -> None:
        for one in reversed(self._open):
            if one.missing > 0 and one.row[TID] == row[TID] and not (one.kernel if kernel else one.user[0]):
                one.missing -= 1
                if kernel:
                    one.kernel = row[3]
                else:
                    one.user = row[3]
                return

    def _release(self, row: Row) -> None:
        """An event that no interrupt brought ends the waiting for stacks before it: there were none (a kernel thread
        has no user stack)."""
        interrupts = row[self._flags[row[1]]] & _IN_INTERRUPT
        for one in self._open:
            if one.missing > 0 and (one.row[TID] != row[TID] or not interrupts):
                one.missing = 0


class _Open:
    """An event that waits for `missing` stacks."""

    __slots__ = ("cpu", "kernel", "missing", "row", "time", "user")

    def __init__(self, time: int, cpu: int, row: Row) -> None:
        self.time = time
        self.cpu = cpu
        self.row = row
        self.missing = 0
        self.kernel: Addresses = ()
        self.user: tuple[int, Addresses] = (0, ())

    def record(self) -> Record:
        return self.time, self.cpu, (*self.row, self.kernel, self.user)
