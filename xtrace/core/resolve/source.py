"""One source of a named event, tried for one clause on one host: its attach points, and what it can give there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core.errors import Diagnostic, ProgramError
from xtrace.core.facts.model import HostFacts
from xtrace.core.lang import ast
from xtrace.core.lang.typing.host import EventSource
from xtrace.core.lang.typing.typer import Typer
from xtrace.core.lang.walk import nodes
from xtrace.core.probes.events import Event, SourceSpec
from xtrace.core.resolve.late import read_late
from xtrace.core.resolve.located import Located
from xtrace.core.resolve.named_values import with_named_values
from xtrace.core.resolve.pairs import entering, leaving
from xtrace.core.resolve.points import locate
from xtrace.core.resolve.transformed import Objections

Pair = tuple[at.Attach, "at.Attach | None"]
"""A point, and where the source is a pair the point that it ends at."""


class PassedOverError(Exception):
    """A source cannot serve; the reason in words."""


@dataclass(frozen=True)
class Offer:
    """What a source can do for a clause: `lost` names the optional fields in use that it must leave out, and why."""

    clauses: tuple[ir.Clause, ...]
    lost: Mapping[str, str]
    approximate: bool
    notes: tuple[str, ...] = ()

    @property
    def loss(self) -> tuple[bool, int]:
        """What compares offers: an event that is another one is worse than any missing field."""
        return self.approximate, len(self.lost)

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
    _found: dict[str, tuple[tuple[Pair, ...], tuple[str, ...]]] = field(default_factory=dict, compare=False)

    @cached_property
    def used(self) -> tuple[str, ...]:
        """The event's fields that the clause uses."""
        names = {node.name for node in nodes((self.clause.predicate, self.clause.body)) if isinstance(node, ast.Name)}
        return tuple(name for name in self.event.fields if name in names)

    # --- what it can give --------------------------------------------------------------------------------------------

    def offer(self) -> Offer:
        """The best that this source can do. Typed into the program only if nothing is lost. Raises PassedOverError."""
        absent = {name: "the source does not give it" for name in self.used if name not in self.spec.fields}
        first: PassedOverError | None = None
        if not absent:
            try:
                return self._typed({}, keep=not self.spec.approximate)
            except PassedOverError as reason:
                first = reason
        if first is not None and not self._optional:
            raise first
        try:
            lost = self._least_loss(absent, str(first))
        except PassedOverError as reason:
            # What is still wrong without the optional fields may only be that they are needed.
            raise first or PassedOverError(f"it does not give {', '.join(absent)}: {reason}") from None
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
        pairs, notes = self._located()
        with self.typer.trial() as trial:
            clauses = tuple(clause for pair in pairs for clause in self._at(pair, lost))
            if keep:
                trial.keep()
        return Offer(clauses, dict(lost), bool(self.spec.approximate), notes)

    # --- attach points -----------------------------------------------------------------------------------------------

    def _located(self) -> tuple[tuple[Pair, ...], tuple[str, ...]]:
        """The attach points on this host. Points of a union that are not here are named, not missed."""
        if "points" not in self._found:
            self._found["points"] = self._locate()
        return self._found["points"]

    def _locate(self) -> tuple[tuple[Pair, ...], tuple[str, ...]]:
        spec = self.spec
        found: list[Pair] = []
        notes: list[str] = []
        missing: list[tuple[str, Located]] = []
        for position, point in enumerate(spec.attach):
            first = locate(point, self.facts)
            last = locate(spec.leave[position], self.facts) if spec.leave else Located()
            bad = next((one for one in (first, last) if one.complaints), None)
            if bad:
                missing.append((point.span.text, bad))
                continue
            notes += [*first.notes, *last.notes]
            found += [(one, last.points[index] if spec.leave else None) for index, one in enumerate(first.points)]
        if not found:
            raise PassedOverError("; ".join(dict.fromkeys(_why(located) for _, located in missing)))
        notes += [f"{self.event.name} does without {name} here: {_why(located)}" for name, located in missing]
        named = tuple((self._named(one), self._named(other) if other else None) for one, other in found)
        return named, tuple(notes)

    def _named(self, point: at.Attach) -> at.Attach:
        return with_named_values(point, self.facts)

    # --- clauses -----------------------------------------------------------------------------------------------------

    def _at(self, pair: Pair, lost: Mapping[str, str]) -> tuple[ir.Clause, ...]:
        """The typed and judged clauses at one point, or at one pair of points."""
        first, last = pair
        spec, name = self.spec, self.event.name
        fields = {one: None if one in lost else spec.fields.get(one) for one in self.event.fields}
        self._ask(first, EventSource(name, {}, spec.let))
        if last is None:
            return (self._judged(self.clause, first, EventSource(name, fields, spec.let, spec.where)),)
        wanted = self._saved(lost)
        before = entering(self.clause, self.number, spec, wanted)
        after = leaving(self.clause, self.number, spec, wanted)
        return (
            self._judged(before.clause, first, EventSource(name, before.names, spec.let, spec.where)),
            self._judged(after.clause, last, EventSource(name, {**fields, **after.names}, after.lets)),
        )

    def _saved(self, lost: Mapping[str, str]) -> tuple[str, ...]:
        """What a pair must save at its entry: the names that the exit and the fields in use refer to."""
        spec = self.spec
        asked: list[object] = [spec.exit_where, *(spec.fields[name] for name in self.used if name not in lost)]
        names: set[str] = set()
        while asked:
            found = {node.name for node in nodes(asked.pop()) if isinstance(node, ast.Name)} - names
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
            raise PassedOverError(_words(error.diagnostics)) from None
        if not answer:
            raise PassedOverError(f"field missing: not {when.span.text}")

    def _judged(self, clause: ast.Clause, where: at.Attach, source: EventSource) -> ir.Clause:
        try:
            typed = self.typer.type_clause(clause, (where,), source)
        except ProgramError as error:
            raise PassedOverError(_words(error.diagnostics)) from None
        if self.spec.late:
            typed = read_late(typed)
        objections = self.objections(typed)
        if objections:
            raise PassedOverError(_words(objections))
        return typed


_REASONS = {"XT0210": "field missing", "XT0209": "field missing", "XT0211": "type unknown", "XT0201": "type unknown"}
"""What a complaint of typing means for a source, in the few words that users learn."""


def _words(diagnostics: tuple[Diagnostic, ...]) -> str:
    said = (f"{_REASONS[d.code]}: {d.message}" if d.code in _REASONS else d.message for d in diagnostics)
    return "; ".join(dict.fromkeys(said))


def _why(located: Located) -> str:
    first = located.complaints[0]
    # Without tracefs nothing else matters, so its remedy must not be lost.
    words = f"{first.message}; {first.hints[0]}" if first.code == "XT0504" and first.hints else first.message
    return f"{located.state}: {words}" if located.state else words
