"""Statements of clauses that the worker runs itself, as Python text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch

from xtrace.backends.bcc.own import Clause
from xtrace.backends.bcc.own_expressions import value, values
from xtrace.backends.bcc.sites import sent
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.evaluate.values import missing
from xtrace.core.plan.traverse import all_expressions, statements

_ROUNDS = 1 << 20
"""How often a `while` may go round before it is ended, as in xtrace's evaluator."""


def function(name: str, written: ir.Clause, clause: Clause) -> tuple[str, ...]:
    """The lines of the clause's function. Raises UnsupportedError."""
    clause.line("# " + (written.span.location() if written.span and written.span.location().isprintable() else name))
    for variable, kind in sorted(_variables(written).items()):
        clause.line(f"{clause.variable(variable)} = {_nothing(kind)}")
    if written.predicate is not None:
        clause.line(f"if not {value(written.predicate, clause)}:")
        clause.line("    return")
    _block(written.body, clause)
    return (f"def {name}(trace, nsecs, probe):", *clause.lines)


def _variables(written: ir.Clause) -> dict[str, t.CType]:
    found = {node.name: node.type for node in all_expressions(written) if isinstance(node, ir.Var)}
    for node in statements(written.body):
        if isinstance(node, ir.SetVar):
            found.setdefault(node.name, node.value.type)
    return found


def _nothing(kind: t.CType) -> str:
    """A variable before anything is assigned to it."""
    if isinstance(kind, t.Tuple):
        return f"({''.join(f'{_nothing(item)}, ' for item in kind.items)})"
    return 'b""' if missing(kind) in ("", b"") else "0"


def _block(nodes: Sequence[ir.Stmt], clause: Clause) -> None:
    if not nodes:
        clause.line("pass")
    for node in nodes:
        statement(node, clause)


def _nested(nodes: Sequence[ir.Stmt], clause: Clause) -> None:
    clause.depth += 1
    _block(nodes, clause)
    clause.depth -= 1


@singledispatch
def statement(node: ir.Stmt, clause: Clause) -> None:
    """Write one statement. Raises UnsupportedError for what the worker cannot do."""
    raise clause.refuse(f"has no {type(node).__name__}", node.span)


@statement.register
def _(node: ir.SetVar, clause: Clause) -> None:
    clause.line(f"{clause.variable(node.name)} = {value(node.value, clause)}")


@statement.register
def _(node: ir.SetMap, clause: Clause) -> None:
    clause.line(f"{clause.map(node.map)}.store({values(node.keys, clause)}, {value(node.value, clause)})")


@statement.register
def _(node: ir.AddMap, clause: Clause) -> None:
    if node.map in clause.fed:
        raise clause.refuse(f"cannot add to @{node.map} while BPF does", node.span, "add in a map of its own")
    keys = clause.name("k")
    clause.line(f"{keys} = {values(node.keys, clause)}")
    found = clause.map(node.map)
    clause.line(f"{found}.store({keys}, signed({found}.number({keys}) + {value(node.by, clause)}))")


@statement.register
def _(node: ir.Aggregate, clause: Clause) -> None:
    raise clause.refuse(f"cannot feed @{node.map}", node.span, "feed it in a clause of its own")


@statement.register
def _(node: ir.DeleteKey, clause: Clause) -> None:
    clause.line(f"{clause.map(node.map)}.delete({values(node.keys, clause)})")


@statement.register
def _(node: ir.If, clause: Clause) -> None:
    clause.line(f"if {value(node.condition, clause)}:")
    _nested(node.then, clause)
    if node.otherwise:
        clause.line("else:")
        _nested(node.otherwise, clause)


@statement.register
def _(node: ir.While, clause: Clause) -> None:
    turn = clause.name("turn")
    clause.line(f"for {turn} in range({_ROUNDS}):")
    clause.line(f"    if not {value(node.condition, clause)}:")
    clause.line("        break")
    _nested(node.body, clause)
    clause.line("else:")
    clause.line(f'    trace.speaker.notice("a loop was ended after {_ROUNDS} rounds")')


@statement.register
def _(node: ir.ForEach, clause: Clause) -> None:
    clause.line(f"for {clause.variable(node.variable)} in {clause.map(node.map)}.pairs():")
    _nested(node.body, clause)


@statement.register
def _(node: ir.Jump, clause: Clause) -> None:
    clause.line(node.kind)


@statement.register
def _(node: ir.Output, clause: Clause) -> None:
    site = clause.program.sites[node.site] if node.site < len(clause.program.sites) else None
    if isinstance(site, ir.PrintValue) and isinstance(site.type, t.AGGREGATIONS):
        keys = clause.name("k")
        clause.line(f"{keys} = {values(sent(site, node.args), clause)}")
        clause.line(f"trace.do({node.site}, {keys} + [{clause.map(str(site.map))}.state({keys})], nsecs)")
    else:
        clause.line(f"trace.do({node.site}, {values(node.args, clause)}, nsecs)")
