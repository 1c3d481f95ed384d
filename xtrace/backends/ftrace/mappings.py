"""What processes map to run it, told by the kernel as it happens: names for the user stacks of those that have ended.

A software event that counts nothing gives, on every CPU, a record for each executable mapping and each fork
(include/uapi/linux/perf_event.h, PERF_RECORD_MMAP and PERF_RECORD_FORK).
"""

from __future__ import annotations

import os
import struct
from typing import Optional

from xtrace.backends.ftrace.identity import Identity
from xtrace.backends.ftrace.perf_events import DISABLED, LOST, Ring, attribute, online_cpus, perf_event_open
from xtrace.core.messages import Forked, Loss, Mapped, Message, Stacked

_DUMMY = 9
_MMAP, _TASK = 1 << 8, 1 << 13
_MAPPED, _FORKED = 1, 7
_MAPPING = struct.Struct("=IIQQQ")
_FORK = struct.Struct("=IIII").unpack_from


class ProcessNames:
    """What the controller needs to name addresses of processes, some of which end before it shows them. `refusal` says
    why the kernel does not tell, in words."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._told = 0
        self._mappings: Optional[Mappings] = None
        self.refusal = ""
        try:
            self._mappings = Mappings()
        except OSError as error:
            self.refusal = f"addresses of processes that end at once have no names: perf_event_open: {error.strerror}"

    def read(self) -> list[Message]:
        """To be told before the events that came meanwhile."""
        found = self._mappings.read() if self._mappings is not None else []
        seen = list(self._identity.stacked)[self._told :]
        self._told += len(seen)
        return [*found, *map(Stacked, seen)]

    def losses(self) -> list[Loss]:
        lost = self._mappings.lost if self._mappings is not None else 0
        return [Loss("dropped", lost, "mappings of processes, for names")] if lost else []

    def close(self) -> None:
        if self._mappings is not None:
            self._mappings.close()


class Mappings:
    """Mappings and forks since it was made. Raises OSError where the kernel refuses."""

    def __init__(self) -> None:
        self.lost = 0
        self._rings: list[Ring] = []
        try:
            for cpu in online_cpus():
                handle = perf_event_open(attribute(_DUMMY, DISABLED | _MMAP | _TASK), cpu)
                self._rings.append(Ring(cpu, handle))
            for ring in self._rings:
                ring.enable()
        except OSError:
            self.close()
            raise

    def read(self) -> list[Message]:
        """What has come since the last call."""
        found: list[Message] = []
        for ring in self._rings:
            for kind, body in ring.records():
                if kind == _MAPPED:
                    found.append(_mapped(body))
                elif kind == _FORKED:
                    pid, parent, _, _ = _FORK(body)
                    found += [Forked(pid, parent)] if pid != parent else []
                elif kind == LOST:
                    self.lost += struct.unpack_from("=QQ", body)[1]
        # A child maps before it is told of its fork where the two come from different CPUs.
        return sorted(found, key=lambda message: isinstance(message, Mapped))

    def close(self) -> None:
        while self._rings:
            self._rings.pop().close()


def _mapped(body: bytes) -> Mapped:
    pid, _, start, size, offset = _MAPPING.unpack_from(body)
    path = os.fsdecode(body[_MAPPING.size :].split(b"\0", 1)[0])
    return Mapped(pid, start, start + size, offset, path)
