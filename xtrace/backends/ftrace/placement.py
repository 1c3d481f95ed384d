"""Where kernel events come from: one definition or tracepoint for each place that the program's clauses attach to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from typing import Optional

from xtrace.backends.ftrace import tokens
from xtrace.backends.ftrace.columns import Columns, makes_definition, needs_event_probe
from xtrace.backends.ftrace.features import Features
from xtrace.backends.ftrace.fetch import by_fprobe
from xtrace.backends.ftrace.model import File, Name, OpenFile, Part, Text, words
from xtrace.core import ir
from xtrace.core.attach import Attach, Kprobe, Profile, Tracepoint, Uprobe, Usdt, UsdtSite
from xtrace.core.plan.capture import Capture
from xtrace.core.records import dataclass

MAXACTIVE = 256
"""How many calls of a function may be inside at once before their returns are missed; the kernel's own choice,
max(10, 2 * CPUs), misses returns of functions that sleep."""


@dataclass
class Placed:
    """One kernel event in the making, with the clauses that it feeds and their columns' numbers."""

    attach: Attach
    columns: Columns
    site: Optional[UsdtSite] = None
    offset: int = 0
    event_probe: bool = False
    clauses: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)


def place_all(captures: list[Capture], features: Features, named: frozenset[int] = frozenset()) -> list[Placed]:
    """All kernel events of a program, in the order in which its clauses name them. Clauses on the same place share
    one event, which then carries what each of them needs. The clauses must have met no objection. Tracepoints of
    `named` clauses become event probes where these can record all, because they also record the task's name."""
    wants = _wants_event_probe(captures, features) | _can_be_event_probes(captures, features, named)
    placed: dict[object, Placed] = {}
    for number, capture in enumerate(captures):
        for attach in capture.clause.attach:
            for key, site, offset in places_of(attach):
                if key not in placed:
                    probe = key in wants
                    columns = Columns(attach, features, site, own=probe or makes_definition(attach))
                    placed[key] = Placed(attach, columns, site, offset, probe)
                indices = [placed[key].columns.add(leaf) for leaf in capture.leaves]
                assert all(isinstance(index, int) for index in indices), "a clause with an objection was lowered"
                placed[key].clauses.append((number, tuple(i for i in indices if isinstance(i, int))))
    return list(placed.values())


def _wants_event_probe(captures: list[Capture], features: Features) -> set[object]:
    return {
        key
        for capture in captures
        for attach in capture.clause.attach
        if needs_event_probe(attach, capture.leaves, features)
        for key, _, _ in places_of(attach)
    }


def _can_be_event_probes(captures: list[Capture], features: Features, wanted: frozenset[int]) -> set[object]:
    """Tracepoints of the wanted clauses whose every value an event probe can record."""
    leaves: dict[object, list[ir.Expr]] = {}
    points: dict[object, Attach] = {}
    for number, made in enumerate(captures):
        for attach in made.clause.attach:
            for key, _, _ in places_of(attach):
                leaves.setdefault(key, []).extend(made.leaves)
                if number in wanted and isinstance(attach, Tracepoint):
                    points[key] = attach
    found: set[object] = set()
    for key, attach in points.items():
        columns = Columns(attach, features, own=True)
        plain = features.event_probes or all(isinstance(leaf, (ir.Field, ir.Builtin)) for leaf in leaves[key])
        if plain and all(isinstance(columns.add(leaf), int) for leaf in leaves[key]):
            found.add(key)
    return found


def places_of(attach: Attach) -> Iterator[tuple[object, Optional[UsdtSite], int]]:
    """The places of an attach point in the kernel: a key that equal places share, the USDT site, the offset."""
    if isinstance(attach, Tracepoint):
        yield ("tracepoint", attach.system, attach.event), None, 0
    elif isinstance(attach, Profile):
        yield ("profile", attach.hz, attach.nsecs), None, 0
    elif isinstance(attach, Kprobe):
        for number, offset in enumerate(attach.sites or (attach.offset,)):
            site = UsdtSite(offset, 0, attach.site_arguments[number]) if attach.site_arguments else None
            kind = "fprobe" if attach.trampoline else "kprobe"
            yield (kind, attach.module, attach.symbol, offset, bool(attach.sites), attach.returns), site, offset
    elif isinstance(attach, Uprobe):
        yield ("uprobe", attach.path, attach.offset, attach.returns), None, attach.offset
    elif isinstance(attach, Usdt):
        for site in attach.sites:
            yield ("usdt", attach.path, site), site, site.offset


@dataclass
class Files:
    """The user programs that probes are defined on, each once."""

    paths: list[str] = field(default_factory=list)
    semaphores: dict[str, set[int]] = field(default_factory=dict)

    def index(self, path: str) -> int:
        if path not in self.paths:
            self.paths.append(path)
        return self.paths.index(path)

    def files(self) -> tuple[File, ...]:
        return tuple(File(path, tuple(sorted(self.semaphores.get(path, ())))) for path in self.paths)


@dataclass(frozen=True)
class Definition:
    """A definition of ours: the file that takes it, the text, the event's name."""

    file: str
    text: Text
    name: str


def definition(placed: Placed, number: int, files: Files, features: Features) -> Definition:
    """The text that defines the probe of an event. Raises QuotingError for names that tracefs cannot hold."""
    kind, place, file = _kind_and_place(placed, files, features)
    name = tokens.name(f"{_readable(placed.attach)}_{number}")
    arguments = [f" {tokens.name(key)}={tokens.fetch(text)}" for key, text in placed.columns.arguments]
    text = words((kind, ":", Name.SESSION, f"/{name} ", *place, *arguments, "\n"))
    return Definition(file, text, name)


def _kind_and_place(placed: Placed, files: Files, features: Features) -> tuple[str, tuple[Part, ...], str]:
    attach = placed.attach
    if isinstance(attach, Tracepoint):
        return "e", (f"{tokens.system(attach.system)}.{tokens.name(attach.event)}",), "dynamic_events"
    if isinstance(attach, Kprobe) and by_fprobe(attach, features):
        return "f", (f"{tokens.symbol(attach.symbol)}{'%return' if attach.returns else ''}",), "dynamic_events"
    if isinstance(attach, Kprobe):
        kind = f"r{MAXACTIVE if features.maxactive else ''}" if attach.returns else "p"
        return kind, (_kernel_place(attach, placed.offset),), "kprobe_events"
    assert isinstance(attach, (Uprobe, Usdt))
    reference = ""
    if placed.site is not None and placed.site.semaphore:
        if features.ref_ctr:
            reference = f"(0x{placed.site.semaphore:x})"
        else:
            files.semaphores.setdefault(attach.path, set()).add(placed.site.semaphore)
    place = (OpenFile(files.index(attach.path)), f":0x{placed.offset:x}{reference}")
    return "r" if isinstance(attach, Uprobe) and attach.returns else "p", place, "uprobe_events"


def _kernel_place(attach: Kprobe, offset: int) -> str:
    if attach.sites:
        return tokens.kernel_place("_stext", offset)
    return tokens.kernel_place(attach.symbol, offset, attach.module)


def _readable(attach: Attach) -> str:
    """A name for a person who looks into tracefs; the number behind it makes it unique."""
    if isinstance(attach, Tracepoint):
        name = attach.event
    elif isinstance(attach, Usdt):
        name = attach.probe
    else:
        name = getattr(attach, "function", "") or "probe"
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name)[:40]
    return plain if re.match(r"[A-Za-z_]", plain) else f"_{plain}"
