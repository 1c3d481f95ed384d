"""A timer on every CPU that samples what runs there: `profile` probes, by perf_event_open(2) and nothing else."""

from __future__ import annotations

import errno
import struct
import time
from collections import Counter

from xtrace.backends.ftrace.perf_events import DISABLED, LOST, Ring, attribute, online_cpus, perf_event_open
from xtrace.backends.ftrace.ring_buffer import Record
from xtrace.core.attach import Profile
from xtrace.core.errors import BackendError, Diagnostic, PrivilegeError

_CPU_CLOCK = 0
_IP, _TID, _TIME, _CALLCHAIN = 1, 2, 4, 1 << 5
_FREQUENCY, _USE_CLOCK = 1 << 10, 1 << 25
_CLOCK_BOOTTIME = 7
_SAMPLE = 9
_KERNEL_MARK, _USER_MARK = (1 << 64) - 128, (1 << 64) - 512
_MARKS = (1 << 64) - 4095
_FIXED = struct.Struct("=QIIQ").unpack_from


class Sampler:
    """Samples as records: (boot clock, CPU, (0, kind, tid, tgid, kernel addresses, (tgid, user addresses))).

    `kind` is a negative number that stands for the probe where records of the trace buffer have an event's id. Raises
    BackendError or PrivilegeError when the kernel refuses.
    """

    def __init__(self, probe: Profile, kind: int, stacks: bool) -> None:
        self.lost: Counter[int] = Counter()
        self._kind = kind
        self._stacks = stacks
        self._rings: list[Ring] = []
        self._has_clock = True
        try:
            for cpu in online_cpus():
                self._rings.append(Ring(cpu, self._open(probe, cpu)))
        except OSError as error:
            self.close()
            raise _refusal(probe, error) from error

    def _open(self, probe: Profile, cpu: int) -> int:
        try:
            return perf_event_open(_attribute(probe, self._stacks, self._has_clock), cpu)
        except OSError as error:
            # Clocks came with Linux 34f439278cef, v4.1; older kernels find bits set that they do not know.
            if error.errno not in (errno.E2BIG, errno.EINVAL) or not self._has_clock:
                raise
            self._has_clock = False
            return self._open(probe, cpu)

    def start(self) -> None:
        for ring in self._rings:
            ring.enable()

    def read(self, into: list[Record]) -> None:
        """Append the samples that have come."""
        now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        for ring in self._rings:
            for kind, body in ring.records():
                if kind == _SAMPLE:
                    stamp, row = self._row(body)
                    into.append((stamp if self._has_clock else now, ring.cpu, row))
                elif kind == LOST:
                    self.lost[ring.cpu] += struct.unpack_from("=QQ", body)[1]

    def _row(self, body: bytes) -> tuple[int, tuple[object, ...]]:
        _, tgid, tid, stamp = _FIXED(body, 0)
        kernel: list[int] = []
        user: list[int] = []
        if self._stacks:
            (count,) = struct.unpack_from("=Q", body, 24)
            target = kernel
            for address in struct.unpack_from(f"={count}Q", body, 32):
                if address >= _MARKS:
                    target = user if address == _USER_MARK else kernel
                else:
                    target.append(address)
        return stamp, (0, self._kind, tid, tgid, tuple(kernel), (tgid, tuple(user)))

    def close(self) -> None:
        while self._rings:
            self._rings.pop().close()


def _attribute(probe: Profile, stacks: bool, clock: bool) -> bytes:
    sample = _IP | _TID | _TIME | (_CALLCHAIN if stacks else 0)
    flags = DISABLED | (_FREQUENCY if probe.hz else 0) | (_USE_CLOCK if clock else 0)
    rate = probe.hz or probe.nsecs
    return attribute(_CPU_CLOCK, flags, rate, sample, _CLOCK_BOOTTIME if clock else 0)


def _refusal(probe: Profile, error: OSError) -> BackendError | PrivilegeError:
    message = f"perf_event_open(2) refused {probe.name}: {error.strerror}"
    if error.errno in (errno.EPERM, errno.EACCES):
        return PrivilegeError(Diagnostic("XT0812", message, hints=("run as root",)))
    return BackendError(Diagnostic("XT0812", message, hints=("--backend bcc or systemtap may serve",)))
