"""Probes of a host that match a pattern, as `xtrace list` and bpftrace's `-l` name them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from xtrace.core import attach as at
from xtrace.core.describe.declarations import arguments, declaration, member
from xtrace.core.errors import Diagnostic, PrivilegeError, ProgramError, UsageError, XtraceError
from xtrace.core.facts.model import HostFacts
from xtrace.core.lang.ast import AttachPoint
from xtrace.core.lang.source import Source
from xtrace.core.lang.spellings import TIMER_UNITS, probe_kind
from xtrace.core.resolve.counters import COUNTERS
from xtrace.core.resolve.points import locate

if TYPE_CHECKING:
    from xtrace.core.probes.events import Event

_EVERYWHERE = ("tracepoint:*:{}", "kprobe:{}", "software:{}", "hardware:{}")
"""Where a pattern without a type of probe is looked for."""


@dataclass(frozen=True)
class Listed:
    """A probe that can be named in a program, with the declarations of its arguments."""

    name: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listing:
    """`notes` tell what was left out, and why."""

    probes: tuple[Listed, ...]
    notes: tuple[str, ...] = ()


def search(pattern: str, facts: HostFacts, paths: Sequence[Path], verbose: bool = False) -> Listing:
    """The probes that `pattern` matches: `kprobe:vfs_*`, `usdt:/path:*`, `*open*`, `struct sock`. With `verbose` their
    arguments too.

    Raises ProgramError for a pattern that cannot be read, UsageError for one that matches nothing, PrivilegeError where
    the user may not look.
    """
    if not pattern:
        raise _nothing(pattern, "xtrace list '*' shows all tracepoints and functions")
    if pattern.startswith(("struct ", "union ")):
        return Listing((_struct(pattern, facts),))
    if ":" in pattern:
        return _typed(pattern, facts, verbose)
    kind = probe_kind(pattern)
    if kind is not None and kind.least:
        return _typed(f"{pattern}:{':'.join('*' * kind.least)}", facts, verbose)
    return _anywhere(pattern, facts, paths, verbose)


def _anywhere(pattern: str, facts: HostFacts, paths: Sequence[Path], verbose: bool) -> Listing:
    from xtrace.core.probes.events import all_events

    found = [_event(event) for event in all_events(paths)[0] if fnmatchcase(event.name, pattern)]
    notes: list[str] = []
    refused: list[XtraceError] = []
    for form in _EVERYWHERE:
        try:
            listing = _typed(form.format(pattern), facts, verbose)
        except (ProgramError, UsageError, PrivilegeError) as error:
            refused.append(error)
            if isinstance(error, PrivilegeError):
                notes.append(f"{form.partition(':')[0]}s are left out: {error.diagnostics[0].message}; run as root")
        else:
            found += listing.probes
            notes += listing.notes
    if found:
        return Listing(tuple(found), tuple(notes))
    denied = [error for error in refused if isinstance(error, PrivilegeError)]
    raise denied[0] if denied else _nothing(pattern, "xtrace list names the tools and events")


def _event(event: Event) -> Listed:
    return Listed(event.name, tuple(declaration(field.name, field.type) for field in event.fields.values()))


def _typed(pattern: str, facts: HostFacts, verbose: bool) -> Listing:
    word = pattern.partition(":")[0]
    kind = probe_kind(word)
    if kind is None and any(fnmatchcase(name, f"{word}:*") for name in facts.events() or ()):
        return _typed(f"tracepoint:{pattern}", facts, verbose)  # sched:sched_switch, as perf writes it
    if kind is not None and kind.name in COUNTERS:
        return _matching(pattern, _counters(kind.name))
    if kind is not None and kind.timer:
        return _matching(pattern, [f"{kind.name}:{unit}:COUNT" for unit in TIMER_UNITS])
    point = _point(pattern)
    located = locate(point, facts)
    if located.complaints:
        raise _of(located.complaints)
    points = [_with_prototype(one, facts) for one in located.points] if verbose else located.points
    probes = tuple(Listed(one.name, arguments(one) if verbose else ()) for one in points)
    return Listing(probes, (*located.notes, *_doubts(point, facts)))


_OPEN_ENDED = ("tracepoint", "uprobe", "uretprobe", "usdt")
"""Types whose pattern may stop after the system or the file."""


def _point(pattern: str) -> AttachPoint:
    from xtrace.core.lang.parser import parse_attach_point

    if pattern.count(":") == 1 and probe_kind(pattern.partition(":")[0]) in map(probe_kind, _OPEN_ENDED):
        pattern += ":*"
    return parse_attach_point(Source("pattern", pattern))


def _with_prototype(point: at.Attach, facts: HostFacts) -> at.Attach:
    """A function with its parameters, which a glob leaves out: they are looked up one by one."""
    if not isinstance(point, at.Kprobe) or point.parameters or point.result:
        return point
    known = facts.types.prototype(point.function)
    if known is None:
        return point
    named = tuple(at.Parameter(name, kind) for name, kind in known.parameters)
    return replace(point, parameters=named, result=known.result)


def _counters(kind: str) -> list[str]:
    return [f"{kind}:{name}:{count}" for name, count in COUNTERS[kind].items()]


def _matching(pattern: str, names: Sequence[str]) -> Listing:
    kind, _, rest = pattern.partition(":")
    found = probe_kind(kind)
    wanted = f"{found.name if found else kind}:{rest or '*'}"
    probes = tuple(
        Listed(name) for name in names if fnmatchcase(name, wanted) or fnmatchcase(name.rpartition(":")[0], wanted)
    )
    if not probes:
        raise _nothing(pattern, f"xtrace list '{kind}:*' shows all")
    return Listing(probes)


def _struct(pattern: str, facts: HostFacts) -> Listed:
    name = pattern.partition(" ")[2].strip()
    members = facts.types.members(name)
    if not members:
        hint = "types come from /sys/kernel/btf/vmlinux: " + facts.fact("bpf.btf").evidence
        raise UsageError(Diagnostic("XT0009", f"there is no {pattern} on this host", hints=(hint,)))
    return Listed(pattern, tuple(f"{member(one)};  /* {one.offset} */" for one in members))


def _doubts(point: AttachPoint, facts: HostFacts) -> tuple[str, ...]:
    """What the list cannot promise: that this kernel takes such probes at all."""
    name = {"kprobe": "kprobe.usable", "kretprobe": "kprobe.usable", "uprobe": "uprobe.usable"}.get(point.kind)
    fact = facts.fact(name) if name else None
    return (f"this kernel takes no {point.kind}s: {fact.evidence}",) if fact is not None and fact.no else ()


def _nothing(pattern: str, hint: str) -> UsageError:
    return UsageError(Diagnostic("XT0009", f"nothing matches {pattern!r}", hints=(hint,)))


def _of(complaints: Sequence[Diagnostic]) -> XtraceError:
    """The complaints with the exit code of what they are about: a recording, the user's rights, or the pattern."""
    if any(one.code.startswith("XT04") for one in complaints):
        return XtraceError(*complaints)
    if any(one.code == "XT0504" for one in complaints):
        return PrivilegeError(*complaints)
    return UsageError(*complaints)
