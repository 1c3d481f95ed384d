"""Type the clauses of a program, one at a time and as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Optional

from xtrace.core import ir
from xtrace.core.attach import Attach
from xtrace.core.errors import Diagnostic, ProgramError
from xtrace.core.lang import ast
from xtrace.core.lang.typing.config import configured
from xtrace.core.lang.typing.context import Context
from xtrace.core.lang.typing.definitions import KnownTypes, read_definitions
from xtrace.core.lang.typing.host import EventSource, Settings, Types
from xtrace.core.lang.typing.kinds import INT64, is_settled
from xtrace.core.lang.typing.named_parameters import with_named
from xtrace.core.lang.typing.operators import logical, truth
from xtrace.core.lang.typing.probes import place_of
from xtrace.core.lang.typing.scope import Learned
from xtrace.core.lang.typing.tables import MapEntry, Tables
from xtrace.core.lang.typing.zeros import zero
from xtrace.core.lang.walk import assigned_maps, computed_maps
from xtrace.core.records import dataclass
from xtrace.core.types import AGGREGATIONS, Bool, Unknown, ValueType

_DEFAULTS = Settings()
_EVERYBODY = ir.Scope()
_MOST_ROUNDS = 12
"""Each round widens at least one type, and few types can be widened twice."""


@dataclass(frozen=True)
class AttachedClause:
    """A clause with its concrete attach points (all with the same fields), or None while no host is known, and the
    source that serves where it is a named event's."""

    clause: ast.Clause
    attach: Optional[tuple[Attach, ...]]
    source: Optional[EventSource] = None


@dataclass(frozen=True)
class Typed:
    """A clause and every complaint about it; `clause` makes sense only where none of them is an error."""

    clause: ir.Clause
    diagnostics: tuple[Diagnostic, ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(one for one in self.diagnostics if one.severity == "error")


class Trial:
    """What `Typer.trial` yields: nothing typed in it stays unless `keep` is called."""

    def __init__(self) -> None:
        self.kept = False

    def keep(self) -> None:
        self.kept = True


class Typer:
    """Types one program for one host (`types`), or for none (`types` None: what only a host knows is Unknown).

    Clauses are typed one by one with `type_clause`; `program` types them again until the maps' types stand still and
    gives the whole. Until then a clause that reads a map before anything assigned it holds `Unknown` types.

    `warnings` are complaints that stop nothing. Raises ProgramError for a bad preamble or config block.
    """

    def __init__(self, program: ast.Program, types: Optional[Types], settings: Settings = _DEFAULTS) -> None:
        config, stack_mode, complaints = configured(program, settings.config)
        definitions = read_definitions(program.definitions, types)
        settings, unasked = with_named(settings, program)
        self.problems = (*complaints, *definitions.diagnostics, *unasked)
        if types is not None and any(one.severity == "error" for one in self.problems):
            raise ProgramError(*self.problems)
        self.settings = replace(settings, config=config, stack_mode=stack_mode)
        self.warnings: list[Diagnostic] = [one for one in self.problems if one.severity != "error"]
        self._program = program
        self._types = KnownTypes(definitions, types)
        self._macros = definitions.macros
        self._hostless = types is None
        self._tables = Tables()
        self._accepted: list[AttachedClause] = []
        self._typed: list[ir.Clause] = []

    # --- one clause ----------------------------------------------------------------------------------------------

    def type_clause(
        self, clause: ast.Clause, attach: Optional[Sequence[Attach]], source: Optional[EventSource] = None
    ) -> ir.Clause:
        """The clause as IR, accepted into the program.

        A clause whose predicate is false whatever happens has the predicate `Const(0)` and no body.
        Raises ProgramError with every error of the clause, and then nothing is accepted.
        """
        before = self._tables.snapshot()
        one = AttachedClause(clause, tuple(attach) if attach is not None else None, source)
        typed = self.judge(one)
        if typed.errors:
            self._tables.restore(before)
            raise ProgramError(*typed.errors)
        self.warnings += typed.diagnostics
        self._accepted.append(one)
        self._typed.append(typed.clause)
        return typed.clause

    @contextmanager
    def trial(self) -> Iterator[Trial]:
        """Type clauses for trial: unless `keep` is called on what this yields, no trace of them stays."""
        before, accepted, warned = self._tables.snapshot(), len(self._accepted), len(self.warnings)
        trial = Trial()
        try:
            yield trial
        finally:
            if not trial.kept:
                self._tables.restore(before)
                del self._accepted[accepted:], self._typed[accepted:], self.warnings[warned:]

    def constant(
        self, node: ast.Expr, attach: Optional[Sequence[Attach]], source: Optional[EventSource] = None
    ) -> Optional[int]:
        """The value of an expression that the host alone decides, as a source's `when`; None where no host is known.

        Raises ProgramError where it needs the run.
        """
        with self.trial():
            context = self._context(AttachedClause(_bare_clause(node), tuple(attach or ()) or None, source), Learned())
            with context.in_source(len(source.lets) if source else 0):
                value = context.constant(node, "a question about the host")
        if context.diagnostics:
            raise ProgramError(*context.diagnostics)
        return value

    def judge(self, one: AttachedClause) -> Typed:
        """Type a clause and enter its maps and sites; complaints are part of the answer."""
        try:
            return self._judge(one)
        except RecursionError:
            deep = Diagnostic("XT0236", "this clause is nested too deeply", one.clause.span)
            return Typed(ir.Clause(one.attach or (), None, ()), (deep,))

    def _judge(self, one: AttachedClause) -> Typed:
        learned = Learned()
        before = self._tables.snapshot()
        for _ in range(_MOST_ROUNDS):
            self._tables.restore(before)
            context = self._context(one, learned)
            clause = _clause(context, one)
            context.default_unassigned()
            if not context.unsettled:
                break
        return Typed(clause, tuple(context.diagnostics))

    def _context(self, one: AttachedClause, learned: Learned) -> Context:
        place = place_of(one.attach, one.clause.points)
        return Context(
            self._tables, self._types, self._hostless, self.settings, dict(self._macros), place, one.source, learned
        )

    # --- the whole -----------------------------------------------------------------------------------------------

    def program(self, scope: ir.Scope = _EVERYBODY) -> ir.Program:
        """All accepted clauses in the order of acceptance, with every map's type known.

        Raises ProgramError for maps that are used in ways that do not go together.
        """
        complaints = self.settle()
        errors = [one for one in complaints if one.severity == "error"]
        if errors:
            raise ProgramError(*errors)
        declared = {one.name: one for one in self._program.maps}
        maps = tuple(
            _declaration(name, self._tables.maps[name], declared.get(name)) for name in sorted(self._tables.maps)
        )
        sites = tuple(self._tables.sites)
        return ir.Program(tuple(self._typed), maps, sites, scope, self.settings.config, self.settings.cpid)

    def accept(self, one: AttachedClause) -> Typed:
        """Like `type_clause`, but a clause with errors is accepted too: for reporting all there is."""
        typed = self.judge(one)
        self._accepted.append(one)
        self._typed.append(typed.clause)
        return typed

    def settle(self) -> list[Diagnostic]:
        """Type the accepted clauses again until no map's type changes; gives the last round's complaints and those
        about whole maps."""
        complaints: list[Diagnostic] = []
        for _ in range(_MOST_ROUNDS):
            if self._tables.unsettled:
                complaints = self._again()
                continue
            if not (self._default_dead_maps() or self._default_counted_maps()):
                break
        return complaints + list(self._undefined_maps())

    def _again(self) -> list[Diagnostic]:
        self._tables.unsettled = False
        self._tables.clear_sites()
        typed = [self.judge(one) for one in self._accepted]
        self._typed = [one.clause for one in typed]
        return [complaint for one in typed for complaint in one.diagnostics]

    def _default_dead_maps(self) -> bool:
        """Maps that only branches folded away assign are empty maps of integers. Tells whether there was one."""
        unassigned = [name for name, entry in self._tables.maps.items() if entry.value_span is None]
        if not unassigned or self._hostless:
            return False
        in_text = assigned_maps([*self._program.clauses, *(one.clause for one in self._accepted)])
        dead = [name for name in unassigned if name in in_text]
        for name in dead:
            if self._tables.maps[name].keys is None:
                self._tables.set_keys(name, (INT64,), in_text[name])
            self._tables.set_value(name, INT64, in_text[name])
        return bool(dead)

    def _default_counted_maps(self) -> bool:
        """Maps that only sums with themselves assign (`@x = @x + 1`) hold integers: a missing key reads 0. Tells
        whether there was one."""
        if self._hostless:
            return False
        counted = computed_maps([*self._program.clauses, *(one.clause for one in self._accepted)])
        entries = self._tables.maps
        still_open = [name for name in counted if name in entries and isinstance(entries[name].value, Unknown)]
        for name in still_open:
            self._tables.set_value(name, INT64, counted[name])
        return bool(still_open)

    def _undefined_maps(self) -> Iterator[Diagnostic]:
        in_text = assigned_maps([*self._program.clauses, *(one.clause for one in self._accepted)])
        for name, entry in self._tables.maps.items():
            if entry.value_span is None:
                if name in in_text:  # by a statement with an error, or in a branch that is dead
                    continue
                yield Diagnostic("XT0216", f"nothing assigns @{name}", entry.used_span)
            elif not self._hostless and not _is_settled(entry.value):
                message = f"the type of @{name} cannot be told from what is assigned to it"
                yield Diagnostic("XT0234", message, entry.value_span)


def _is_settled(value: ValueType) -> bool:
    return isinstance(value, AGGREGATIONS) or is_settled(value)


def _declaration(name: str, entry: MapEntry, declared: Optional[ast.MapDeclaration]) -> ir.MapDecl:
    if declared is None:
        return ir.MapDecl(name, entry.keys or (), entry.value)
    return ir.MapDecl(name, entry.keys or (), entry.value, declared.size, declared.lru)


def _clause(ctx: Context, one: AttachedClause) -> ir.Clause:
    attach, clause = one.attach or (), one.clause
    with ctx.writing() as effects:
        predicate = _predicate(ctx, one)
    if isinstance(predicate, ir.Const):
        if not predicate.value:
            return ir.Clause(attach, ir.Const(0, Bool(), predicate.span), (), clause.span)
        predicate = None
    body = ctx.body(clause.body)
    body = (*_first_values(ctx), *body)
    if effects:
        guarded = (ir.If(predicate, body, (), clause.span),) if predicate is not None else body
        return ir.Clause(attach, None, (*effects, *guarded), clause.span)
    return ir.Clause(attach, predicate, body, clause.span)


def _first_values(ctx: Context) -> Iterator[ir.Stmt]:
    """Variables that live as long as the clause start with zero, though only some block assigns them."""
    for variable in ctx.outliving:
        value = zero(variable.type, variable.span)
        if value is not None:
            yield ir.SetVar(variable.name, value, variable.span)


def _predicate(ctx: Context, one: AttachedClause) -> Optional[ir.Expr]:
    """What the source of a named event demands, and what the clause's own predicate does."""
    own, source = one.clause.predicate, one.source
    if source is None or source.where is None:
        return truth(ctx, own) if own is not None else None
    with ctx.in_source(len(source.lets)):
        where = truth(ctx, source.where)
    if own is None or (isinstance(where, ir.Const) and not where.value):
        return where
    return logical("&&", where, truth(ctx, own), own.span)


def _bare_clause(node: ast.Expr) -> ast.Clause:
    return ast.Clause((), None, (), node.span)
