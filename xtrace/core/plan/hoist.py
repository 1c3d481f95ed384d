"""Strings through saved pointers: read at the entry what a program reads at the exit.

`enter { @name[tid] = args.filename; } exit { printf("%s", str(@name[tid])); }` reads memory at a place where the
address is only in a map. An engine that records fixed events cannot; but the pointer was in the entry event, so the
string can be recorded there and the map can hold it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from xtrace.core import ir
from xtrace.core.plan.capture import after_assignment, fixed_by_event, forget_assigned, look_through
from xtrace.core.plan.traverse import all_expressions, statements, with_blocks, with_expressions
from xtrace.core.records import dataclass
from xtrace.core.types import Int, Pointer


@dataclass(frozen=True)
class Hoisted:
    """`moved` names the maps that now hold strings.

    The meaning differs in one point, which a plan must state: memory that is not paged in yet cannot be read at the
    entry (the string is then empty), while the traced call itself has made it present at the exit.
    """

    program: ir.Program
    moved: tuple[str, ...] = ()


def hoist(program: ir.Program) -> Hoisted:
    """Move reads of strings to where their pointers are saved, for each map of which that can be said with certainty.

    A map qualifies when it is only ever set from a value fixed by the event, and only used by `str()` of its value,
    by tests of its value against 0, by `delete` and by `clear`. What such a map still holds at the end prints as
    strings.
    """
    moved = []
    for decl in program.maps:
        read = _only_read(program, decl.name)
        if read is None or not isinstance(decl.value, (Int, Pointer)) or not _only_set_from_events(program, decl.name):
            continue
        rewritten = _Rewrite(decl.name, read).program(program)
        if not _still_a_number(rewritten, decl.name):
            program = rewritten
            moved.append(decl.name)
    return Hoisted(program, tuple(moved))


def _only_read(program: ir.Program, name: str) -> Optional[ir.ReadString]:
    """The `str()` of a map's values if there is one kind of it; None otherwise."""
    kinds = {
        (expr.type, expr.space): expr
        for clause in program.clauses
        for expr in all_expressions(clause)
        if isinstance(expr, ir.ReadString) and _value_of(expr.address, name)
    }
    return next(iter(kinds.values())) if len(kinds) == 1 else None


def _value_of(expr: ir.Expr, name: str) -> Optional[ir.MapValue]:
    """The read of the map's value that `expr` is, through casts that keep all 64 bits."""
    while isinstance(expr, ir.Convert) and (expr.type.size == 8 if isinstance(expr.type, Int) else True):
        expr = expr.operand
    return expr if isinstance(expr, ir.MapValue) and expr.map == name else None


def _only_set_from_events(program: ir.Program, name: str) -> bool:
    """Does every write to the map store what the event itself fixes, and does nothing depend on the stored number?"""
    for clause in program.clauses:
        if any(isinstance(expr, (ir.MapHasKey, ir.MapLength)) and expr.map == name for expr in all_expressions(clause)):
            return False
        known: dict[str, ir.Expr] = {}
        top = set(map(id, clause.body))
        for statement in statements(clause.body):
            if not _sets_from_event(statement, name, known):
                return False
            known = _known_after(known, statement, id(statement) in top)
    return True


def _sets_from_event(statement: ir.Stmt, name: str, known: dict[str, ir.Expr]) -> bool:
    if isinstance(statement, (ir.AddMap, ir.Aggregate, ir.ForEach)) and statement.map == name:
        return False
    if isinstance(statement, ir.SetMap) and statement.map == name:
        return fixed_by_event(look_through(statement.value, known))
    return True


def _known_after(known: dict[str, ir.Expr], statement: ir.Stmt, certain: bool) -> dict[str, ir.Expr]:
    if isinstance(statement, (ir.While, ir.ForEach)):
        return forget_assigned(known, statement)
    if isinstance(statement, ir.SetVar):
        after = after_assignment(known, statement)
        return after if certain else {k: v for k, v in after.items() if k != statement.name}
    return known


class _Rewrite:
    """The program with map `name` holding what `read` gave, instead of the pointer that it read through."""

    def __init__(self, name: str, read: ir.ReadString) -> None:
        self.name = name
        self.read = read

    def program(self, program: ir.Program) -> ir.Program:
        clauses = tuple(
            replace(
                clause,
                predicate=None if clause.predicate is None else self.truth(clause.predicate),
                body=self.block(clause.body),
            )
            for clause in program.clauses
        )
        maps = tuple(replace(decl, value=self.read.type) if decl.name == self.name else decl for decl in program.maps)
        return replace(program, clauses=clauses, maps=maps)

    def block(self, body: tuple[ir.Stmt, ...]) -> tuple[ir.Stmt, ...]:
        return tuple(self.statement(one) for one in body)

    def statement(self, one: ir.Stmt) -> ir.Stmt:
        if isinstance(one, ir.SetMap) and one.map == self.name:
            keys = tuple(self.value(key) for key in one.keys)
            text = ir.ReadString(one.value, self.read.space, self.read.type, one.span)
            return ir.If(one.value, (replace(one, keys=keys, value=text),), (ir.DeleteKey(self.name, keys),), one.span)
        if isinstance(one, (ir.If, ir.While)):
            one = replace(one, condition=self.truth(one.condition))
        else:
            one = with_expressions(one, self.value)
        return with_blocks(one, self.block)

    def value(self, expr: ir.Expr) -> ir.Expr:
        if isinstance(expr, ir.ReadString) and (found := _value_of(expr.address, self.name)):
            return ir.MapValue(self.name, tuple(self.value(key) for key in found.keys), self.read.type, expr.span)
        if isinstance(expr, ir.Logical):
            return replace(expr, left=self.truth(expr.left), right=self.truth(expr.right))
        if isinstance(expr, ir.Unary) and expr.op == "!":
            return replace(expr, operand=self.truth(expr.operand))
        if isinstance(expr, ir.Ternary):
            then, otherwise = self.value(expr.then), self.value(expr.otherwise)
            return replace(expr, condition=self.truth(expr.condition), then=then, otherwise=otherwise)
        changed: ir.Expr = self.against_zero(expr) or with_expressions(expr, self.value)
        return changed

    def truth(self, expr: ir.Expr) -> ir.Expr:
        found = _value_of(expr, self.name)
        if found is None:
            return self.value(expr)
        return ir.MapHasKey(self.name, tuple(self.value(key) for key in found.keys), span=expr.span)

    def against_zero(self, expr: ir.Expr) -> Optional[ir.Expr]:
        """`@m[k] == 0` and `!= 0` as tests of the key."""
        if not isinstance(expr, ir.Binary) or expr.op not in ("==", "!="):
            return None
        if not isinstance(expr.right, ir.Const) or expr.right.value != 0 or not _value_of(expr.left, self.name):
            return None
        tested = self.truth(expr.left)
        return tested if expr.op == "!=" else ir.Unary("!", tested, expr.type, expr.span)


def _still_a_number(program: ir.Program, name: str) -> bool:
    """Is the map, now of strings, still used as one of numbers?"""
    if any(isinstance(site, (ir.PrintMap, ir.PrintValue, ir.Zero)) and site.map == name for site in program.sites):
        return True
    wanted = program.map(name).value
    return any(
        isinstance(expr, ir.MapValue) and expr.map == name and expr.type != wanted
        for clause in program.clauses
        for expr in all_expressions(clause)
    )
