"""Walking typed programs: the parts of a node, and a node with other parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Callable

from xtrace.core import ir

PARTS: dict[type, tuple[str, ...]] = {
    ir.Load: ("base",),
    ir.ReadString: ("address",),
    ir.ReadBytes: ("address", "length"),
    ir.MapValue: ("keys",),
    ir.MapHasKey: ("keys",),
    ir.Unary: ("operand",),
    ir.Binary: ("left", "right"),
    ir.Compare: ("left", "right"),
    ir.Contains: ("text", "part"),
    ir.Cut: ("text", "length"),
    ir.TextLength: ("text",),
    ir.TextByte: ("text",),
    ir.Logical: ("left", "right"),
    ir.Ternary: ("condition", "then", "otherwise"),
    ir.Convert: ("operand",),
    ir.Address: ("operand",),
    ir.TupleValue: ("items",),
    ir.TupleItem: ("base",),
    ir.SetVar: ("value",),
    ir.SetMap: ("keys", "value"),
    ir.AddMap: ("keys", "by"),
    ir.Aggregate: ("keys", "value"),
    ir.DeleteKey: ("keys",),
    ir.If: ("condition",),
    ir.While: ("condition",),
    ir.Output: ("args",),
}
"""Where each node keeps its expressions, in the order in which they are evaluated."""

BLOCKS: dict[type, tuple[str, ...]] = {ir.If: ("then", "otherwise"), ir.While: ("body",), ir.ForEach: ("body",)}
"""Where each statement keeps its statements."""

Change = Callable[[ir.Expr], ir.Expr]


def expressions(node: ir.Expr | ir.Stmt) -> Iterator[ir.Expr]:
    """The expressions directly under a node."""
    for name in PARTS.get(type(node), ()):
        part = getattr(node, name)
        if isinstance(part, tuple):
            yield from part
        elif part is not None:
            yield part


def blocks(statement: ir.Stmt) -> Iterator[tuple[ir.Stmt, ...]]:
    """The blocks directly under a statement."""
    for name in BLOCKS.get(type(statement), ()):
        yield getattr(statement, name)


def within(expr: ir.Expr) -> Iterator[ir.Expr]:
    """The expression and everything under it, parents first."""
    yield expr
    for part in expressions(expr):
        yield from within(part)


def statements(body: tuple[ir.Stmt, ...]) -> Iterator[ir.Stmt]:
    """All statements of a body, nested ones after the statement that holds them."""
    for statement in body:
        yield statement
        for block in blocks(statement):
            yield from statements(block)


def all_expressions(clause: ir.Clause) -> Iterator[ir.Expr]:
    """Every expression of a clause, the predicate first."""
    if clause.predicate is not None:
        yield from within(clause.predicate)
    for statement in statements(clause.body):
        for expr in expressions(statement):
            yield from within(expr)


def with_expressions(node: Any, change: Change) -> Any:
    """The same node with `change` applied to the expressions directly under it; the node itself when none changed."""
    changed: dict[str, Any] = {}
    for name in PARTS.get(type(node), ()):
        part = getattr(node, name)
        if isinstance(part, tuple):
            new: Any = tuple(change(item) for item in part)
            if any(a is not b for a, b in zip(part, new)):
                changed[name] = new
        elif part is not None and (new := change(part)) is not part:
            changed[name] = new
    return replace(node, **changed) if changed else node


def with_blocks(statement: ir.Stmt, change: Callable[[tuple[ir.Stmt, ...]], tuple[ir.Stmt, ...]]) -> ir.Stmt:
    """The same statement with `change` applied to each of its blocks."""
    names = BLOCKS.get(type(statement), ())
    changed: dict[str, Any] = {name: change(getattr(statement, name)) for name in names}
    return replace(statement, **changed) if changed else statement
