"""What did not reach the user, as the kernel counts it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xtrace.backends.ftrace.instance import Instance
from xtrace.backends.ftrace.model import FtraceModel
from xtrace.backends.ftrace.tracefs import Tracefs
from xtrace.core.messages import Loss

_COUNTERS = {"overrun": "overrun", "commit overrun": "commit-overrun", "dropped events": "dropped"}
"""Lines of per_cpu/*/stats (kernel/trace/trace.c, tracing_stats_read) and the kinds of loss that they are."""
_TRIES = 10
_MISS_REMEDY = "the function was entered again from a probe, or too many calls of it were inside: probe it less deeply"
_REMEDY = "give each CPU a larger buffer by --buffer-size, or filter more"


def losses(tracefs: Tracefs, instance: Instance, model: FtraceModel, missed: int, gaps: int) -> list[Loss]:
    """All losses of a session so far. `missed` and `gaps` are what sub-buffers said; the counters of the buffer
    include those, so only what exceeds them is reported."""
    remedy = f"{_REMEDY}, or let the kernel count by --aggregate kernel" if model.offers_kernel else _REMEDY
    found = list(buffer_losses(tracefs, instance.path, remedy))
    counted = sum(loss.count for loss in found)
    if missed > counted:
        found.append(Loss("missed-page", missed - counted, remedy=remedy))
    elif gaps and not counted:
        found.append(Loss("missed-page", gaps, "at least", remedy))
    return [*found, *probe_misses(tracefs, instance, model)]


def buffer_losses(tracefs: Tracefs, instance: str, remedy: str) -> Iterator[Loss]:
    """Overwritten and refused records by CPU."""
    for cpu in tracefs.names(f"{instance}/per_cpu"):
        text = tracefs.read(f"{instance}/per_cpu/{cpu}/stats")
        for line, kind in _COUNTERS.items():
            count = re.search(rf"^{line}: (\d+)$", text, re.MULTILINE)
            if count and int(count[1]):
                yield Loss(kind, int(count[1]), cpu, remedy)


def probe_misses(tracefs: Tracefs, instance: Instance, model: FtraceModel) -> Iterator[Loss]:
    """Hits of kprobes that the kernel could not handle."""
    misses = _misses(tracefs, instance.name)
    for event in model.events:
        if event.own and misses.get(event.name):
            yield Loss("probe-miss", misses[event.name], event.probe, _MISS_REMEDY)


def _misses(tracefs: Tracefs, group: str) -> dict[str, int]:
    """Misses of a group's events. kprobe_profile (name, hits, misses) shows no groups, but is a walk over the same list
    as kprobe_events (kernel/trace/trace_kprobe.c); others may change that list between the two."""
    for _ in range(_TRIES):
        try:
            rows = [line.split() for line in tracefs.read("kprobe_profile").splitlines()]
            defined = list(tracefs.defined_in("kprobe_events"))
        except OSError:
            return {}
        if [row[0] for row in rows] == [event for _, event in defined]:
            return {event: int(row[2]) for row, (owner, event) in zip(rows, defined) if owner == group}
    return {}
