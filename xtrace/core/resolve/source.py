"""One source of a named event, tried for one clause on one host: its attach points, and what it can give there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from weakref import WeakKeyDictionary

from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core.alike import said_once
from xtrace.core.errors import Diagnostic, ProgramError
from xtrace.core.facts.model import HostFacts
from xtrace.core.lang import ast
from xtrace.core.lang.typing.host import EventSource
from xtrace.core.lang.typing.typer import Typer
from xtrace.core.probes.events import Event, SourceSpec, shown
from xtrace.core.records import dataclass
from xtrace.core.resolve.live import names_in_use
from xtrace.core.resolve.located import Located, nothing
from xtrace.core.resolve.marks import Mark, marked
from xtrace.core.resolve.named_values import with_named_values
from xtrace.core.resolve.pairs import entering, leaving
from xtrace.core.resolve.points import locate
from xtrace.core.resolve.transformed import Objections

Pair = tuple[at.Attach, "at.Attach | None"]
"""A point, and where the source is a pair the point that it ends at."""


@dataclass(frozen=True)
class Places:
    """Where a source is on a host. `doubts` say which calls of its functions may be missed, `notes` the rest."""

    pairs: tuple[Pair, ...]
    doubts: tuple[str, ...]
    notes: tuple[str, ...]


class PassedOverError(Exception):
    """A source cannot serve; the reason in words."""


@dataclass(frozen=True)
class Offer:
    """What a source can do for a clause: `lost` names the optional fields in use that it must leave out, and why.

    `approximate` tells in which way its events are not quite those that were asked for.
    """

    clauses: tuple[ir.Clause, ...]
    marks: tuple[Mark, ...]
    lost: Mapping[str, str]
    approximate: str
    notes: tuple[str, ...] = ()

    @property
    def loss(self) -> tuple[bool, int]:
        """What compares offers: an event that is another one is worse than any missing field."""
        return bool(self.approximate), len(self.lost)

    @property
    def whole(self) -> bool:
        return self.loss == (False, 0)


@dataclass(frozen=True)
class Attempt:
    """One source tried for one clause; `number` makes its hidden names unique in the program."""

    event: Event
    spec: SourceSpec
    clause: ast.Clause
    facts: HostFacts
    typer: Typer
    objections: Objections
    number: int

    @cached_property
    def used(self) -> tuple[str, ...]:
        """The event's fields that the clause uses."""
        names = names_in_use(self.clause.predicate, self.clause.body)
        return tuple(name for name in self.event.fields if name in names)

    # --- what it can give --------------------------------------------------------------------------------------------

    def offer(self) -> Offer:
        """The best that this source can do. Typed into the program only if nothing is lost. Raises PassedOverError."""
        approximate = self._approximate
        absent = {name: "the source does not give it" for name in self.used if name not in self.spec.fields}
        first: PassedOverError | None = None
        if not absent:
            try:
                return self._typed({}, keep=not approximate)
            except PassedOverError as reason:
                first = reason
        if first is not None and not self._optional:
            raise first
        try:
            lost = self._least_loss(absent, str(first))
        except PassedOverError as reason:
            # What is still wrong without the optional fields may only be that they are needed.
            raise first or reason from None
        return self._typed(lost, keep=False)

    def take(self, offer: Offer) -> Offer:
        """Type an offer into the program."""
        return self._typed(offer.lost, keep=True)

    @property
    def _optional(self) -> tuple[str, ...]:
        """The optional fields that the clause uses and the source gives."""
        return tuple(name for name in self.used if name in self.spec.fields and self.event.fields[name].optional)

    def _least_loss(self, absent: Mapping[str, str], first: str) -> dict[str, str]:
        """The optional fields that must be left out: first all are, then each is tried with those found so far."""
        lost = {**absent, **dict.fromkeys(self._optional, first)}
        self._typed(lost, keep=False)
        for name in self._optional:
            tried = {other: why for other, why in lost.items() if other != name}
            try:
                self._typed(tried, keep=False)
            except PassedOverError as reason:
                lost[name] = str(reason)
            else:
                lost = tried
        return lost

    def _typed(self, lost: Mapping[str, str], keep: bool) -> Offer:
        """The typed and judged clauses of every point. Raises PassedOverError."""
        places = self._places
        sides = (True, False) if self.spec.leave else (True,)
        marks = tuple(Mark(self.spec.late, scoped) for scoped in sides)
        with self.typer.trial() as trial:
            clauses = tuple(clause for pair in places.pairs for clause in self._at(pair, lost, marks))
            if keep:
                trial.keep()
        return Offer(clauses, marks * len(places.pairs), dict(lost), self._approximate, places.notes)

    # --- attach points -----------------------------------------------------------------------------------------------

    @property
    def _approximate(self) -> str:
        """How this source's events differ here from the event's; "" where they do not. Raises PassedOverError."""
        doubts = f"partially inlined (calls missed): {'; '.join(self._places.doubts)}" if self._places.doubts else ""
        return "; ".join(filter(None, (self.spec.approximate, doubts)))

    @cached_property
    def _places(self) -> Places:
        """The attach points on this host. Points of a union that are not here are named, not missed."""
        spec = self.spec
        found: list[Pair] = []
        missing: list[tuple[str, Located]] = []
        doubts: list[str] = []
        notes: list[str] = []
        for position, point in enumerate(spec.attach):
            first = _located_once(point, self.facts)
            last = _located_once(spec.leave[position], self.facts) if spec.leave else Located()
            bad = next((one for one in (first, last) if one.complaints), None)
            if bad:
                missing.append((shown(point), bad))
                continue
            for one in (first, last):
                (doubts if one.state == "incomplete" else notes).extend(one.notes)
            found += [(one, last.points[index] if spec.leave else None) for index, one in enumerate(first.points)]
        if not found:
            raise PassedOverError("; ".join(said_once(list(dict.fromkeys(_why(located) for _, located in missing)))))
        notes += [f"{self.event.name} does without {name} here: {_why(located)}" for name, located in missing]
        named = tuple((self._named(one), self._named(other) if other else None) for one, other in found)
        return Places(named, tuple(dict.fromkeys(doubts)), tuple(dict.fromkeys(notes)))

    def _named(self, point: at.Attach) -> at.Attach:
        return with_named_values(point, self.facts)

    # --- clauses -----------------------------------------------------------------------------------------------------

    def _at(self, pair: Pair, lost: Mapping[str, str], marks: Sequence[Mark]) -> tuple[ir.Clause, ...]:
        """The typed and judged clauses at one point, or at one pair of points."""
        first, last = pair
        spec, name = self.spec, self.event.name
        fields = {one: None if one in lost else spec.fields.get(one) for one in self.event.fields}
        self._ask(first, EventSource(name, {}, spec.let))
        if last is None:
            return (self._judged(self.clause, first, EventSource(name, fields, spec.let, spec.where), marks[0]),)
        wanted = self._saved(lost)
        before = entering(self.clause, self.number, spec, wanted)
        after = leaving(self.clause, self.number, spec, wanted)
        return (
            self._judged(before.clause, first, EventSource(name, before.names, spec.let, spec.where), marks[0]),
            self._judged(after.clause, last, EventSource(name, {**fields, **after.names}, after.lets), marks[1]),
        )

    def _saved(self, lost: Mapping[str, str]) -> tuple[str, ...]:
        """What a pair must save at its entry: the names that the exit and the fields in use refer to."""
        spec = self.spec
        given = (name for name in self.used if name in spec.fields and name not in lost)
        asked: list[object] = [spec.exit_where, *(spec.fields[name] for name in given)]
        names: set[str] = set()
        while asked:
            found = names_in_use(asked.pop()) - names
            names |= found
            asked += [spec.let[name] for name in found if name in spec.let and name not in spec.save]
        return tuple(name for name in spec.save if name in names)

    def _ask(self, where: at.Attach, source: EventSource) -> None:
        """The source's `when`, asked of the host at the (first) point."""
        when = self.spec.when
        if when is None:
            return
        try:
            answer = self.typer.constant(when, (where,), source)
        except ProgramError as error:
            raise PassedOverError(_words(error.diagnostics, where, self.facts)) from None
        if not answer and _unread(where):
            raise PassedOverError(f"unprobed: whether {when.span.text} holds, as the fields are not known here")
        if not answer:
            raise PassedOverError(f"field missing: not {when.span.text}")

    def _judged(self, clause: ast.Clause, where: at.Attach, source: EventSource, mark: Mark) -> ir.Clause:
        try:
            typed = marked(self.typer.type_clause(clause, (where,), source), mark)
        except ProgramError as error:
            raise PassedOverError(_words(error.diagnostics, where, self.facts)) from None
        objections = self.objections(typed)
        if objections:
            raise PassedOverError(_words(objections, where, self.facts))
        return typed


_LOCATED: WeakKeyDictionary[HostFacts, dict[ast.AttachPoint, Located]] = WeakKeyDictionary()
"""Where the points of sources are, by host: every backend asks for the same ones, and so do several sources."""


def _located_once(point: ast.AttachPoint, facts: HostFacts) -> Located:
    known = _LOCATED.setdefault(facts, {})
    if point not in known:
        known[point] = _without_kprobes(point, facts) or locate(point, facts)
    return known[point]


_KPROBES = ("kprobe", "kretprobe", "inline")


def _without_kprobes(point: ast.AttachPoint, facts: HostFacts) -> Located | None:
    """A kernel without kprobes need not be asked for its symbols, which would take longer than all else."""
    if point.kind not in _KPROBES or facts.config("CONFIG_KPROBES").yes:
        return None
    ways = [facts.fact(name) for name in ("kprobe.usable", "kprobe.pmu")]
    if not all(way.no for way in ways):
        return None
    return nothing("XT0502", f"this kernel has no kprobes ({ways[0].evidence})", point, "")


_REASONS = {"XT0210": "field missing", "XT0209": "field missing", "XT0211": "type unknown", "XT0201": "type unknown"}
"""What a complaint of typing means for a source, in the few words that users learn."""


def _words(diagnostics: tuple[Diagnostic, ...], where: at.Attach, facts: HostFacts) -> str:
    """Complaints as a reason: each once, under the word that says of what kind it is."""
    kinds: dict[str, dict[str, None]] = {}
    for one in diagnostics:
        kind = _REASONS.get(one.code, "")
        if (one.code == "XT0209" and _unread(where)) or (kind == "type unknown" and _without_layouts(facts)):
            kind = "unprobed"
        kinds.setdefault(kind, {})[one.message] = None
    told = {kind: "; ".join(said_once(list(said))) for kind, said in kinds.items()}
    return "; ".join(f"{kind}: {said}" if kind else said for kind, said in told.items())


def _unread(where: at.Attach) -> bool:
    """Is this a tracepoint that exists, whose format nobody could read?"""
    return isinstance(where, at.Tracepoint) and not where.fields


def _without_layouts(facts: HostFacts) -> bool:
    """Is this a recording that says nothing of any struct? The host itself may know it."""
    from xtrace.core.facts.types import NoTypes

    return facts.recorded and isinstance(facts.types, NoTypes)


def _why(located: Located) -> str:
    first = located.complaints[0]
    # Without tracefs nothing else matters, so its remedy must not be lost.
    words = f"{first.message}; {first.hints[0]}" if first.code == "XT0504" and first.hints else first.message
    return f"{located.state}: {words}" if located.state else words
