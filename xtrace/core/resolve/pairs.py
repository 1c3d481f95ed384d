"""A pair of probes as two clauses: the entry keeps what the user's clause needs, the exit takes it out and runs it.

entry:                            exit, where @__1_entered[key]:
  @__1_start[key] = start;          $__1_start = @__1_start[key];
  @__1_entered[key] = 1;            delete(@__1_start[key]); delete(@__1_entered[key]);
                                    if (predicate) { body }
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xtrace.core.lang import ast
from xtrace.core.lang.source import Span
from xtrace.core.probes.events import SourceSpec
from xtrace.core.records import dataclass


@dataclass(frozen=True)
class Half:
    """One of the two clauses. `names` are what it uses beside the event's fields, `lets` what its fields may use."""

    clause: ast.Clause
    names: Mapping[str, ast.Expr]
    lets: Mapping[str, ast.Expr]


def entering(clause: ast.Clause, number: int, spec: SourceSpec, wanted: Sequence[str]) -> Half:
    """The clause at the entry, which saves the names in `wanted`."""
    span = clause.span
    stores: list[ast.Stmt] = [
        ast.Assign(_map(number, name, span), "", ast.Name(_hidden(number, name), span), span) for name in wanted
    ]
    stores.append(ast.Assign(_map(number, "entered", span), "", ast.Number(1, span), span))
    names = {_hidden(number, name): spec.save[name] for name in wanted}
    return Half(
        ast.Clause(clause.points, None, tuple(stores), span), {**names, _hidden(number, "key"): spec.key}, spec.let
    )


def leaving(clause: ast.Clause, number: int, spec: SourceSpec, wanted: Sequence[str]) -> Half:
    """The clause at the exit, in which the saved names are variables."""
    span = clause.span
    maps = [_map(number, name, span) for name in wanted]
    entered = _map(number, "entered", span)
    kept = {name: ast.Scalar(_hidden(number, name), span) for name in wanted}
    takes: list[ast.Stmt] = [ast.Assign(kept[name], "", one, span) for name, one in zip(wanted, maps)]
    drops: list[ast.Stmt] = [ast.Do(ast.Call("delete", (one,), span), span) for one in (*maps, entered)]
    body: tuple[ast.Stmt, ...] = clause.body
    names = {_hidden(number, "key"): spec.key}
    if clause.predicate is not None:
        body = (ast.If(clause.predicate, clause.body, (), span),)
    if spec.exit_where is not None:
        names[_hidden(number, "where")] = spec.exit_where
        body = (ast.If(ast.Name(_hidden(number, "where"), span), body, (), span),)
    return Half(ast.Clause(clause.points, entered, (*takes, *drops, *body), span), names, {**kept, **spec.let})


def _hidden(number: int, name: str) -> str:
    return f"__{number}_{name}"


def _map(number: int, name: str, span: Span) -> ast.MapRef:
    return ast.MapRef(_hidden(number, name), (ast.Name(_hidden(number, "key"), span),), span)
