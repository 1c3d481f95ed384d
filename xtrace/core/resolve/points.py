"""From an attach point as written to the concrete ones of a host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fnmatch import filter as fnfilter
from fnmatch import fnmatchcase

from xtrace.core import attach as at
from xtrace.core.elf.file import Elf
from xtrace.core.elf.usdt import UsdtNote
from xtrace.core.errors import Diagnostic, XtraceError
from xtrace.core.facts.model import HostFacts, near_names
from xtrace.core.lang import ast
from xtrace.core.resolve import binaries
from xtrace.core.resolve.binaries import NoBinaryError
from xtrace.core.resolve.kernel_points import GLOB, inlined, kernel_function, offset_of
from xtrace.core.resolve.located import Located, nothing

_NSECS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def locate(point: ast.AttachPoint, facts: HostFacts) -> Located:
    """The concrete attach points of one written one. Never raises."""
    handler = _HANDLERS.get(point.kind)
    if handler is None:
        hint = "xtrace has tracepoint, kprobe, uprobe, usdt, interval, profile, software, hardware and named events"
        return nothing("XT0509", f"xtrace has no {point.kind} probes", point, "unsupported", hint)
    try:
        return handler(point, facts)
    except NoBinaryError as error:
        return Located(complaints=(error.diagnostic,), state="no binary")
    except XtraceError as error:
        complaints = tuple(replace(one, span=one.span or point.span) for one in error.diagnostics)
        return Located(complaints=complaints, state="type unknown")


def _simple(made: Callable[[], at.Attach]) -> Callable[[ast.AttachPoint, HostFacts], Located]:
    return lambda point, facts: Located((made(),))


def _named(point: ast.AttachPoint) -> str:
    return ":".join((point.kind, *point.parts))


# --- timers and counters ---------------------------------------------------------------------------------------------


def _interval(point: ast.AttachPoint, facts: HostFacts) -> Located:
    unit, count = point.parts
    if not _counts(count):
        return _bad_count(point, count)
    nsecs = 10**9 // int(count) if unit == "hz" else int(count) * _NSECS[unit]
    return Located((at.Interval(_named(point), nsecs),))


def _profile(point: ast.AttachPoint, facts: HostFacts) -> Located:
    unit, count = point.parts
    if not _counts(count):
        return _bad_count(point, count)
    if unit == "hz":
        return Located((at.Profile(_named(point), int(count)),))
    return Located((at.Profile(_named(point), 0, int(count) * _NSECS[unit]),))


def _counts(text: str) -> bool:
    return text.isdigit() and int(text) > 0


def _bad_count(point: ast.AttachPoint, count: str) -> Located:
    if count.startswith("$"):
        message = f"{count} has no value here"
        return nothing("XT0510", message, point, "unsupported", "give the parameter on the command line")
    return nothing("XT0510", f"a timer needs a count of 1 or more, not {count}", point, "unsupported")


def _counter(point: ast.AttachPoint, facts: HostFacts) -> Located:
    from xtrace.core.resolve.counters import COUNTERS

    hardware = point.kind == "hardware"
    known = COUNTERS[point.kind]
    name = point.parts[0]
    if name not in known:
        near = near_names(name, known)
        hint = f"did you mean {' or '.join(near)}?" if near else f"one of {', '.join(known)}"
        return nothing("XT0511", f"there is no {point.kind} event {name}", point, "absent", hint)
    if len(point.parts) > 1 and not _counts(point.parts[1]):
        return _bad_count(point, point.parts[1])
    period = int(point.parts[1]) if len(point.parts) > 1 else known[name]
    return Located((at.PerfEvent(_named(point), hardware, name, period),))


# --- tracepoints -----------------------------------------------------------------------------------------------------


def _tracepoint(point: ast.AttachPoint, facts: HostFacts) -> Located:
    system, event = point.parts
    if GLOB.search(system + event):
        return _tracepoint_glob(point, facts)
    known = facts.event_format(system, event)
    if known is not None:
        return Located((at.Tracepoint(_named(point), system, event, known.fields),))
    return _no_tracepoint(point, facts)


def _tracepoint_glob(point: ast.AttachPoint, facts: HostFacts) -> Located:
    system, event = point.parts
    names = sorted(name for name in facts.events() or () if _both_match(name, system, event))
    if not names:
        return _no_tracepoint(point, facts)
    found: list[at.Attach] = []
    for name in names:
        home, _, own = name.partition(":")
        known = facts.event_format(home, own)
        found.append(at.Tracepoint(f"tracepoint:{name}", home, own, known.fields if known else ()))
    return Located(tuple(found))


def _both_match(name: str, system: str, event: str) -> bool:
    home, _, own = name.partition(":")
    # The events of the ftrace system (bprint, function, ...) are records of tracers and cannot be enabled.
    return fnmatchcase(home, system) and fnmatchcase(own, event) and home != "ftrace"


def _no_tracepoint(point: ast.AttachPoint, facts: HostFacts) -> Located:
    name = ":".join(point.parts)
    events = facts.events()
    if events is None:
        path = facts.fact("tracefs.path")
        if not path.yes or facts.fact("caller.uid").value not in (0, None):
            return Located(complaints=(no_tracefs(point, facts),), state="unprobed")
        message = f"whether there is a tracepoint {name} is not known"
        return nothing("XT0503", message, point, "unprobed", path.evidence)
    if name in events:
        message = f"the tracepoint {name} exists, but its fields were not recorded"
        return Located((at.Tracepoint(_named(point), point.parts[0], point.parts[1]),), notes=(message,))
    near = near_names(name, events) or near_names(point.parts[1], [e.partition(":")[2] for e in events])
    hint = f"did you mean {' or '.join(near)}?" if near else f"xtrace list 'tracepoint:{point.parts[0]}:*' shows them"
    message = f"there is no tracepoint {name} on this host"
    return nothing("XT0501", message, point, "absent", hint)


def no_tracefs(point: ast.AttachPoint, facts: HostFacts) -> Diagnostic:
    """Why no tracepoint can be looked up: not mounted, or not for this user."""
    fact = facts.fact("tracefs.path")
    uid = facts.fact("caller.uid").value
    if uid not in (0, None):
        return Diagnostic(
            "XT0504", "tracefs cannot be read by this user", point.span, ("run as root: sudo xtrace ...",)
        )
    mount = "mount -t tracefs nodev /sys/kernel/tracing"
    return Diagnostic("XT0504", f"tracefs is not mounted ({fact.evidence})", point.span, (mount,))


# --- user programs ---------------------------------------------------------------------------------------------------


def _uprobe(point: ast.AttachPoint, facts: HostFacts) -> Located:
    path = binaries.find(point.parts[0], point.span)
    elf = binaries.load(path, facts, point.span)
    written = point.parts[-1]
    returns = point.kind == "uretprobe"
    if written[:1].isdigit():
        return _uprobe_address(point, path, elf, written)
    function, _, plus = written.partition("+")
    offset = offset_of(plus)
    if offset is None:
        return nothing("XT0513", f"+{plus} is not an offset in bytes", point, "unsupported", f"{function}+0x10, say")
    names = sorted(fnfilter(elf.functions, function)) if GLOB.search(function) else [function]
    found = tuple(
        at.Uprobe(
            f"{point.kind}:{path}:{name}{'+' + plus if plus else ''}", path, name, elf.functions[name] + offset, returns
        )
        for name in names
        if name in elf.functions
    )
    if found:
        chosen = [name for name in names if name in elf.indirect]
        return Located(found, notes=_indirect(chosen, path) if chosen else ())
    near = near_names(function, elf.functions)
    hint = f"did you mean {' or '.join(near)}?" if near else "a stripped program shows only its exported functions"
    return nothing("XT0502", f"{path} has no function {function}", point, "absent", hint)


def _indirect(names: Sequence[str], path: str) -> tuple[str, ...]:
    words = f"{', '.join(names)} of {path}: the code is chosen when a program starts, and only the choice is probed"
    return (f"{words}; probe the variant for this processor instead (__{names[0]}_avx2, say)",)


def _uprobe_address(point: ast.AttachPoint, path: str, elf: Elf, written: str) -> Located:
    address = offset_of(written)
    offset = None if address is None else elf.file_offset(address)
    if offset is None:
        message = f"the address {written} is in no part of {path} that is loaded"
        return nothing("XT0502", message, point, "absent")
    name = f"{point.kind}:{path}:{written}"
    return Located((at.Uprobe(name, path, written, offset, point.kind == "uretprobe"),))


def _usdt(point: ast.AttachPoint, facts: HostFacts) -> Located:
    path = binaries.find(point.parts[0], point.span)
    elf = binaries.load(path, facts, point.span)
    provider, probe = ("*", point.parts[1]) if len(point.parts) == 2 else (point.parts[1], point.parts[2])
    wanted: dict[tuple[str, str], list[UsdtNote]] = {}
    for note in elf.usdt:
        if fnmatchcase(note.provider, provider) and fnmatchcase(note.probe, probe):
            wanted.setdefault((note.provider, note.probe), []).append(note)
    if not wanted:
        near = near_names(probe, {note.probe for note in elf.usdt})
        hint = f"did you mean {' or '.join(near)}?" if near else f"it has {len(elf.usdt)} USDT probes"
        message = f"{path} has no USDT probe {':'.join(point.parts[1:])}"
        return nothing("XT0502", message, point, "absent", hint)
    return Located(tuple(
        at.Usdt(f"usdt:{path}:{home}:{name}", path, home, name, tuple(note.site for note in notes))
        for (home, name), notes in wanted.items()
    ))  # fmt: skip


_HANDLERS: dict[str, Callable[[ast.AttachPoint, HostFacts], Located]] = {
    "begin": _simple(at.Begin),
    "end": _simple(at.End),
    "interval": _interval,
    "profile": _profile,
    "software": _counter,
    "hardware": _counter,
    "tracepoint": _tracepoint,
    "kprobe": kernel_function,
    "kretprobe": kernel_function,
    "fentry": kernel_function,
    "fexit": kernel_function,
    "inline": inlined,
    "uprobe": _uprobe,
    "uretprobe": _uprobe,
    "usdt": _usdt,
}


def by_layout(points: Sequence[at.Attach]) -> list[tuple[at.Attach, ...]]:
    """Points whose records have the same fields and parameters together, in order of first appearance."""
    groups: dict[object, list[at.Attach]] = {}
    for point in points:
        groups.setdefault((type(point), _layout(point)), []).append(point)
    return [tuple(group) for group in groups.values()]


def _layout(point: at.Attach) -> object:
    if isinstance(point, at.Tracepoint):
        return point.fields
    if isinstance(point, at.Kprobe):
        return (point.parameters, point.result, point.returns)
    if isinstance(point, at.Usdt):
        return tuple(len(site.arguments) for site in point.sites)
    return getattr(point, "returns", None)
