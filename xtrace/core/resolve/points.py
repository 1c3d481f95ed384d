"""From an attach point as written to the concrete ones of a host."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from xtrace.core import attach as at
from xtrace.core.errors import Diagnostic
from xtrace.core.facts.ctypes_text import parse_parameters
from xtrace.core.facts.model import HostFacts, near_names
from xtrace.core.lang import ast
from xtrace.core.resolve import binaries
from xtrace.core.resolve.binaries import NoBinaryError
from xtrace.core.resolve.elf import Elf, UsdtNote, matching
from xtrace.core.resolve.functions import FunctionState, FunctionVerdict, judge
from xtrace.core.types import CType

_GLOB = re.compile(r"[*?\[]")
_NSECS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


@dataclass(frozen=True)
class Located:
    """Where an attach point leads: concrete points, or complaints; `notes` are for the user either way.

    `state` is why nothing was found, in one word for the reasons of a named event (`absent`, `inlined`, ...).
    """

    points: tuple[at.Attach, ...] = ()
    complaints: tuple[Diagnostic, ...] = ()
    notes: tuple[str, ...] = ()
    state: str = ""


def locate(point: ast.AttachPoint, facts: HostFacts) -> Located:
    """The concrete attach points of one written one. Never raises."""
    handler = _HANDLERS.get(point.kind)
    if handler is None:
        hint = "xtrace has tracepoint, kprobe, uprobe, usdt, interval, profile, software, hardware and named events"
        complaint = Diagnostic("XT0509", f"xtrace has no {point.kind} probes", point.span, (hint,))
        return Located(complaints=(complaint,), state="unsupported")
    try:
        return handler(point, facts)
    except NoBinaryError as error:
        return Located(complaints=(error.diagnostic,), state="no binary")


def _simple(made: Callable[[], at.Attach]) -> Callable[[ast.AttachPoint, HostFacts], Located]:
    return lambda point, facts: Located((made(),))


def _named(point: ast.AttachPoint) -> str:
    return ":".join((point.kind, *point.parts))


# --- timers and counters ---------------------------------------------------------------------------------------------


def _interval(point: ast.AttachPoint, facts: HostFacts) -> Located:
    unit, count = point.parts
    if not count.isdigit():
        return _bad_count(point, count)
    nsecs = 10**9 // int(count) if unit == "hz" else int(count) * _NSECS[unit]
    return Located((at.Interval(_named(point), nsecs),))


def _profile(point: ast.AttachPoint, facts: HostFacts) -> Located:
    unit, count = point.parts
    if not count.isdigit():
        return _bad_count(point, count)
    if unit == "hz":
        return Located((at.Profile(_named(point), int(count)),))
    return Located((at.Profile(_named(point), 0, int(count) * _NSECS[unit]),))


def _bad_count(point: ast.AttachPoint, count: str) -> Located:
    complaint = Diagnostic(
        "XT0510", f"{count} has no value here", point.span, ("give the parameter on the command line",)
    )
    return Located(complaints=(complaint,), state="unsupported")


def _counter(point: ast.AttachPoint, facts: HostFacts) -> Located:
    from xtrace.core.resolve.counters import COUNTERS

    hardware = point.kind == "hardware"
    known = COUNTERS[point.kind]
    name = point.parts[0]
    if name not in known:
        near = near_names(name, known)
        hint = f"did you mean {' or '.join(near)}?" if near else f"one of {', '.join(known)}"
        return Located(
            complaints=(Diagnostic("XT0511", f"there is no {point.kind} event {name}", point.span, (hint,)),)
        )
    period = int(point.parts[1]) if len(point.parts) > 1 else known[name]
    return Located((at.PerfEvent(_named(point), hardware, name, period),))


# --- tracepoints -----------------------------------------------------------------------------------------------------


def _tracepoint(point: ast.AttachPoint, facts: HostFacts) -> Located:
    system, event = point.parts
    if _GLOB.search(system + event):
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
        return Located(complaints=(Diagnostic("XT0503", message, point.span, (path.evidence,)),), state="unprobed")
    if name in events:
        message = f"the tracepoint {name} exists, but its fields were not recorded"
        return Located((at.Tracepoint(_named(point), point.parts[0], point.parts[1]),), notes=(message,))
    near = near_names(name, events) or near_names(point.parts[1], [e.partition(":")[2] for e in events])
    hint = f"did you mean {' or '.join(near)}?" if near else f"xtrace list 'tracepoint:{point.parts[0]}:*' shows them"
    message = f"there is no tracepoint {name} on this host"
    return Located(complaints=(Diagnostic("XT0501", message, point.span, (hint,)),), state="absent")


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


# --- kernel functions ------------------------------------------------------------------------------------------------


def _kprobe(point: ast.AttachPoint, facts: HostFacts) -> Located:
    module, written = ("", point.parts[0]) if len(point.parts) == 1 else (point.parts[0], point.parts[1])
    function, _, offset = written.partition("+")
    if _GLOB.search(function):
        return _kprobe_glob(point, function, facts)
    verdict = judge(function, facts)
    made = _made_kprobe(point, verdict, facts, int(offset, 0) if offset else 0)
    if verdict.state is FunctionState.UNPROBED:
        return Located((replace(made, module=module),), notes=(f"{function}: {verdict.evidence}",))
    if verdict.state is FunctionState.AMBIGUOUS:
        return _refused(point, verdict)
    if not verdict.attachable:
        return _refused(point, verdict)
    notes = () if verdict.state is FunctionState.EXACT else (f"{function}: {verdict.evidence}; {verdict.remedy}",)
    return Located((replace(made, module=module),), notes=notes, state=verdict.state.value)


def _refused(point: ast.AttachPoint, verdict: FunctionVerdict) -> Located:
    words = {
        FunctionState.INLINED: "is inlined here",
        FunctionState.RENAMED: "has another name here",
        FunctionState.AMBIGUOUS: "is ambiguous here",
        FunctionState.BLACKLISTED: "cannot be probed",
    }
    message = f"{verdict.function} {words.get(verdict.state, 'is not on this host')}: {verdict.evidence}"
    complaint = Diagnostic("XT0502", message, point.span, (verdict.remedy,) if verdict.remedy else ())
    return Located(complaints=(complaint,), state=verdict.state.value)


def _made_kprobe(point: ast.AttachPoint, verdict: FunctionVerdict, facts: HostFacts, offset: int = 0) -> at.Kprobe:
    parameters, result = _prototype(point, verdict.function, facts)
    if verdict.state is FunctionState.TRANSFORMED:
        # .isra and .constprop drop or move parameters; without DWARF nobody knows which.
        parameters = ()
    returns = point.kind in ("kretprobe", "fexit")
    name = ":".join((point.kind, *point.parts[:-1], verdict.function)) + (f"+{offset}" if offset else "")
    return at.Kprobe(name, verdict.function, verdict.symbol, returns, offset, "", (), parameters, result)


def _prototype(
    point: ast.AttachPoint, function: str, facts: HostFacts
) -> tuple[tuple[at.Parameter, ...], CType | None]:
    known = facts.types.prototype(function)
    if point.prototype:
        named = tuple(at.Parameter(name, kind) for name, kind in parse_parameters(point.prototype))
        return named, known.result if known else None
    if known is None:
        return (), None
    return tuple(at.Parameter(name, kind) for name, kind in known.parameters), known.result


def _kprobe_glob(point: ast.AttachPoint, pattern: str, facts: HostFacts) -> Located:
    symbols = [s for s in facts.symbols.glob(pattern) if "." not in s.name]
    counted: dict[str, int] = {}
    for symbol in symbols:
        counted[symbol.name] = counted.get(symbol.name, 0) + 1
    usable = [name for name, count in counted.items() if count == 1 and not facts.blacklisted(name).yes
              and not facts.filterable(name).no]  # fmt: skip
    if not usable:
        message = f"no kernel function matches {pattern}"
        return Located(complaints=(Diagnostic("XT0502", message, point.span),), state="absent")
    returns = point.kind in ("kretprobe", "fexit")
    found = tuple(at.Kprobe(f"{point.kind}:{name}", name, name, returns) for name in usable)
    left = len(counted) - len(usable)
    notes = (f"{point.span.text}: {left} of {len(counted)} functions cannot be probed (ambiguous, blacklisted)",)
    return Located(found, notes=notes if left else ())


def _inline(point: ast.AttachPoint, facts: HostFacts) -> Located:
    """The places where a function was inlined, from debuginfo."""
    function = point.parts[-1]
    debuginfo = facts.fact("kernel.debuginfo")
    if facts.recorded or not debuginfo.yes:
        message = f"the places where {function} is inlined are known only from debuginfo: {debuginfo.evidence}"
        hint = "install the kernel's debuginfo package"
        return Located(complaints=(Diagnostic("XT0505", message, point.span, (hint,)),), state="inlined")
    from xtrace.core.resolve.inlines import inlined_sites

    sites = inlined_sites(str(debuginfo.value), function)
    if not sites:
        message = f"debuginfo has no inlined {function}"
        return Located(complaints=(Diagnostic("XT0505", message, point.span),), state="absent")
    parameters, _ = _prototype(point, function, facts)
    return Located((at.Kprobe(f"inline:{function}", function, "", sites=sites, parameters=parameters),))


# --- user programs ---------------------------------------------------------------------------------------------------


def _uprobe(point: ast.AttachPoint, facts: HostFacts) -> Located:
    path = binaries.find(point.parts[0], point.span)
    elf = binaries.load(path, facts, point.span)
    written = point.parts[-1]
    returns = point.kind == "uretprobe"
    if written[:1].isdigit():
        return _uprobe_address(point, path, elf, written)
    function, _, plus = written.partition("+")
    names = matching(elf.functions, function) if _GLOB.search(function) else [function]
    offset = int(plus, 0) if plus else 0
    found = tuple(
        at.Uprobe(
            f"{point.kind}:{path}:{name}{'+' + plus if plus else ''}", path, name, elf.functions[name] + offset, returns
        )
        for name in names
        if name in elf.functions
    )
    if found:
        return Located(found)
    near = near_names(function, elf.functions)
    hint = f"did you mean {' or '.join(near)}?" if near else "a stripped program shows only its exported functions"
    message = f"{path} has no function {function}"
    return Located(complaints=(Diagnostic("XT0502", message, point.span, (hint,)),), state="absent")


def _uprobe_address(point: ast.AttachPoint, path: str, elf: Elf, written: str) -> Located:
    offset = elf.file_offset(int(written, 0))
    if offset is None:
        message = f"the address {written} is in no part of {path} that is loaded"
        return Located(complaints=(Diagnostic("XT0502", message, point.span),), state="absent")
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
        return Located(complaints=(Diagnostic("XT0502", message, point.span, (hint,)),), state="absent")
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
    "kprobe": _kprobe,
    "kretprobe": _kprobe,
    "fentry": _kprobe,
    "fexit": _kprobe,
    "inline": _inline,
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
