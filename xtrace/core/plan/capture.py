"""What each event must carry, so that the rest of a clause can be evaluated in user space.

The scan is that of OpenBSD's btrace(8) (usr.sbin/btrace/btrace.c, `rules_action_scan`): the kernel records fixed
events, so every value that exists only while the event happens must be named before the trace starts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Optional, Union

from xtrace.core import ir
from xtrace.core.attach import USER_SPACE
from xtrace.core.plan.traverse import blocks, statements, with_blocks, with_expressions, within
from xtrace.core.records import dataclass
from xtrace.core.types import Int, Symbol, Tuple

RECORD_BUILTINS = frozenset(("nsecs", "elapsed", "cpu", "rand", "ncpus", "cpid"))
"""Builtins that need no slot: they come with every record (time, CPU) or do not depend on the event."""

_LEAVES = (ir.Field, ir.Arg, ir.Retval, ir.Register)
_READS = (ir.Load, ir.ReadString, ir.ReadBytes)
_STATE = (ir.Var, ir.MapValue, ir.MapHasKey, ir.MapLength, ir.Captured)
_Read = Union[ir.Load, ir.ReadString, ir.ReadBytes]
_Known = dict[str, ir.Expr]

PID_OF_USER_SYMBOLS = ir.Builtin("pid", Int(4, False))


@dataclass(frozen=True)
class Capture:
    """A clause as user space evaluates it: slot `i` of a record holds the value of `leaves[i]`.

    `unliftable` are memory reads whose address depends on a map, or on a variable that is not one fixed expression
    where the read happens: the kernel cannot know it when the event is recorded. They stay in the clause as they
    were, so a clause with any cannot be evaluated.
    """

    clause: ir.Clause
    leaves: tuple[ir.Expr, ...]
    unliftable: tuple[ir.Expr, ...] = ()


def capture(clause: ir.Clause) -> Capture:
    """What an event of this clause must carry, without repetition, in the order of first use.

    Leaves are fields, arguments, return values, registers, the builtins that belong to the event, and reads of
    memory through any of those (variables that stand for one fixed expression are looked through). A clause that
    only user space fires (`begin`, `end`, `interval`) captures nothing. `usym(x)` becomes an `ir.Address` of the
    tuple (x, pid), because the process may be gone when the name is looked up.
    """
    if all(isinstance(point, USER_SPACE) for point in clause.attach):
        return Capture(clause, ())
    scan = _Scan()
    predicate = None if clause.predicate is None else scan.expression(clause.predicate)
    body = scan.block(clause.body)
    return Capture(replace(clause, predicate=predicate, body=body), tuple(scan.slots), tuple(scan.unliftable))


def from_event(expr: ir.Expr) -> bool:
    """Is this a value of the event itself, by itself a leaf?"""
    return isinstance(expr, _LEAVES) or (isinstance(expr, ir.Builtin) and expr.name not in RECORD_BUILTINS)


def fixed_by_event(expr: ir.Expr) -> bool:
    """Can the kernel compute this when the event happens, knowing nothing else?"""
    return not any(
        isinstance(part, _STATE) or (isinstance(part, ir.Builtin) and part.name in RECORD_BUILTINS)
        for part in within(expr)
    )


class _Scan:
    """One pass over a clause. `known` maps variables to the event-fixed expressions that they stand for here."""

    def __init__(self) -> None:
        self.slots: dict[ir.Expr, int] = {}
        self.unliftable: list[ir.Expr] = []
        self.known: _Known = {}

    def slot(self, leaf: ir.Expr) -> ir.Expr:
        index = self.slots.setdefault(leaf, len(self.slots))
        return ir.Captured(index, leaf.type, leaf.span)

    def expression(self, expr: ir.Expr) -> ir.Expr:
        if from_event(expr):
            return self.slot(expr)
        if isinstance(expr, _READS):
            return self.read(expr)
        if isinstance(expr, ir.Address) and isinstance(expr.type, Symbol) and expr.type.user:
            operand, pid = self.expression(expr.operand), self.slot(PID_OF_USER_SYMBOLS)
            return replace(expr, operand=ir.TupleValue((operand, pid), Tuple((operand.type, pid.type)), expr.span))
        changed: ir.Expr = with_expressions(expr, self.expression)
        return changed

    def read(self, read: _Read) -> ir.Expr:
        resolved: _Read = with_expressions(read, lambda part: look_through(part, self.known))
        if not fixed_by_event(resolved):
            self.unliftable.append(read)
            return read
        return self.arms(resolved)

    def arms(self, read: ir.Expr) -> ir.Expr:
        """A read through `c ? a : b` becomes a choice between two reads: both are recorded, one is used."""
        choice = next((part for part in within(read) if isinstance(part, ir.Ternary)), None)
        if choice is None:
            return self.slot(read)
        condition = self.expression(choice.condition)
        then, otherwise = (self.arms(substitute(read, choice, arm)) for arm in (choice.then, choice.otherwise))
        return ir.Ternary(condition, then, otherwise, read.type, read.span)

    def block(self, body: tuple[ir.Stmt, ...]) -> tuple[ir.Stmt, ...]:
        return tuple(self.statement(statement) for statement in body)

    def statement(self, statement: ir.Stmt) -> ir.Stmt:
        if isinstance(statement, (ir.While, ir.ForEach)):
            self.known = forget_assigned(self.known, statement)
        changed: ir.Stmt = with_expressions(statement, self.expression)
        if isinstance(statement, ir.SetVar):
            self.known = after_assignment(self.known, statement)
        before = self.known
        after: list[_Known] = []
        changed = with_blocks(changed, lambda block: self.branch(block, before, after))
        self.known = common(before, after) if after else before
        return changed

    def branch(self, body: tuple[ir.Stmt, ...], before: _Known, after: list[_Known]) -> tuple[ir.Stmt, ...]:
        self.known = dict(before)
        changed = self.block(body)
        after.append(self.known)
        return changed


def look_through(expr: ir.Expr, known: _Known) -> ir.Expr:
    """The expression with each known variable replaced by what it stands for."""
    if isinstance(expr, ir.Var):
        return known.get(expr.name, expr)
    changed: ir.Expr = with_expressions(expr, lambda part: look_through(part, known))
    return changed


def after_assignment(known: _Known, statement: ir.SetVar) -> _Known:
    """What variables stand for after an assignment."""
    value = look_through(statement.value, known)
    rest = {name: expr for name, expr in known.items() if name != statement.name}
    return {**rest, statement.name: value} if fixed_by_event(value) else rest


def forget_assigned(known: _Known, loop: ir.Stmt) -> _Known:
    """What is still known in a loop and after it: not what it assigns."""
    assigned = {s.name for body in blocks(loop) for s in statements(body) if isinstance(s, ir.SetVar)}
    return {name: expr for name, expr in known.items() if name not in assigned}


def common(before: _Known, after: list[_Known]) -> _Known:
    """What all branches agree on; a branch is known by what it left."""
    first, *others = after if len(after) > 1 else [before, *after]
    return {name: expr for name, expr in first.items() if all(other.get(name) == expr for other in others)}


def substitute(expr: ir.Expr, old: ir.Expr, new: ir.Expr) -> ir.Expr:
    """The expression with every occurrence of `old` replaced."""
    if expr == old:
        return new
    changed: ir.Expr = with_expressions(expr, lambda part: substitute(part, old, new))
    return changed


def separate(program: ir.Program) -> ir.Program:
    """The program with each clause either fired by user space or by the kernel, never both (`begin, kprobe:f`)."""
    clauses: list[ir.Clause] = []
    for clause in program.clauses:
        own = tuple(point for point in clause.attach if isinstance(point, USER_SPACE))
        rest = tuple(point for point in clause.attach if not isinstance(point, USER_SPACE))
        clauses += [replace(clause, attach=points) for points in (own, rest) if points]
    return replace(program, clauses=tuple(clauses))


def conjuncts(predicate: Optional[ir.Expr]) -> list[ir.Expr]:
    """The operands of a chain of `&&`, from the left."""
    if predicate is None:
        return []
    if isinstance(predicate, ir.Logical) and predicate.op == "&&":
        return conjuncts(predicate.left) + conjuncts(predicate.right)
    return [predicate]


def conjunction(parts: list[ir.Expr]) -> Optional[ir.Expr]:
    """All of them joined by `&&`; None for none."""
    result: Any = None
    for part in parts:
        result = part if result is None else ir.Logical("&&", result, part, span=part.span)
    return result  # type: ignore[no-any-return]
