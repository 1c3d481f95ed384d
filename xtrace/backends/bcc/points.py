"""Attach points as the worker attaches them, and which of them may share a handler."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Optional

from xtrace.backends.bcc.writer import UnsupportedError
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core.errors import Diagnostic
from xtrace.core.facts.model import near_names
from xtrace.core.lang.source import Span
from xtrace.core.plan.traverse import all_expressions

SOFTWARE, HARDWARE = 1, 0
"""PERF_TYPE_SOFTWARE and PERF_TYPE_HARDWARE, perf_event_open(2)."""
CPU_CLOCK = 0
"""PERF_COUNT_SW_CPU_CLOCK, which fires on idle CPUs too."""
_SOFTWARE_EVENTS = {
    "cpu-clock": 0,
    "cpu": 0,
    "task-clock": 1,
    "page-faults": 2,
    "faults": 2,
    "context-switches": 3,
    "cs": 3,
    "cpu-migrations": 4,
    "minor-faults": 5,
    "major-faults": 6,
    "alignment-faults": 7,
    "emulation-faults": 8,
    "dummy": 9,
    "bpf-output": 10,
}
_HARDWARE_EVENTS = {
    "cpu-cycles": 0,
    "cycles": 0,
    "instructions": 1,
    "cache-references": 2,
    "cache-misses": 3,
    "branch-instructions": 4,
    "branches": 4,
    "branch-misses": 5,
    "bus-cycles": 6,
    "frontend-stalls": 7,
    "backend-stalls": 8,
    "ref-cycles": 9,
}


@dataclass(frozen=True)
class Point:
    """One thing to attach. `program` is BCC's name of the program type; `how` is what the worker does."""

    attach: at.Attach
    program: str
    how: dict[str, Any]
    usdt: Optional[at.UsdtSite] = None


def points(attach: at.Attach, span: Optional[Span]) -> tuple[Point, ...]:
    """What one attach point of the program is attached by. Raises UnsupportedError for an unknown counter."""
    if isinstance(attach, at.Usdt):
        return tuple(_usdt(attach, site) for site in attach.sites)
    if isinstance(attach, at.Kprobe):
        return tuple(_kprobe(attach))
    if isinstance(attach, at.Uprobe):
        how = {"by": "uprobe", "path": attach.path, "offset": attach.offset, "returns": int(attach.returns)}
        return (Point(attach, "KPROBE", how),)
    if isinstance(attach, at.Tracepoint):
        how = {"by": "tracepoint", "system": attach.system, "event": attach.event}
        return (Point(attach, "TRACEPOINT", how),)
    if isinstance(attach, (at.Begin, at.End)):
        return (Point(attach, "PERF_EVENT", {"by": "end" if isinstance(attach, at.End) else "begin"}),)
    return (Point(attach, "PERF_EVENT", _perf(attach, span)),)


def _usdt(attach: at.Usdt, site: at.UsdtSite) -> Point:
    how = {"by": "uprobe", "path": attach.path, "offset": site.offset, "returns": 0, "semaphore": site.semaphore}
    return Point(attach, "KPROBE", how, site)


def _kprobe(attach: at.Kprobe) -> Iterator[Point]:
    how: dict[str, Any] = {"by": "kprobe", "returns": int(attach.returns)}
    if attach.sites:
        for number, offset in enumerate(attach.sites):
            arguments = attach.site_arguments[number] if attach.site_arguments else ()
            site = at.UsdtSite(offset, 0, arguments)
            yield Point(attach, "KPROBE", {**how, "symbol": "_stext", "offset": offset}, site)
    else:
        yield Point(attach, "KPROBE", {**how, "symbol": attach.symbol, "offset": attach.offset})


def _perf(attach: at.Attach, span: Optional[Span]) -> dict[str, Any]:
    if isinstance(attach, at.Interval):
        return _event(SOFTWARE, CPU_CLOCK, attach.nsecs, 0, "one")
    if isinstance(attach, at.Profile):
        return _event(SOFTWARE, CPU_CLOCK, 0 if attach.hz else attach.nsecs, attach.hz, "all")
    assert isinstance(attach, at.PerfEvent)
    known = _HARDWARE_EVENTS if attach.hardware else _SOFTWARE_EVENTS
    if attach.event not in known:
        near = near_names(attach.event, known)
        hints = (f"did you mean {', '.join(near)}?",) if near else (f"known: {', '.join(known)}",)
        kind = "hardware" if attach.hardware else "software"
        raise UnsupportedError(Diagnostic("XT0703", f"there is no {kind} event {attach.event!r}", span, hints))
    return _event(HARDWARE if attach.hardware else SOFTWARE, known[attach.event], attach.period, 0, "all")


def _event(kind: int, config: int, period: int, frequency: int, cpus: str) -> dict[str, Any]:
    return {"by": "perf", "type": kind, "config": config, "period": period, "frequency": frequency, "cpus": cpus}


def sharing_key(clause: ir.Clause, point: Point) -> tuple[object, ...]:
    """Points of a clause with equal keys share one handler: nothing that its code says differs between them."""
    used = set(all_expressions(clause))
    names = {node.name for node in used if isinstance(node, ir.Builtin)}
    arguments = any(isinstance(node, ir.Arg) for node in used)
    return (
        point.program,
        type(point.attach),
        point.attach.name if "probe" in names else "",
        getattr(point.attach, "function", "") if "func" in names else "",
        point.usdt.arguments if point.usdt and arguments else (),
    )
