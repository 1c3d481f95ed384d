"""Expressions of clauses that the worker runs itself, as Python text that is valid in 2.7 and in 3.

Numbers are kept in the signed 64-bit range whatever the signedness of their type, strings are bytes: what the worker
decodes from records and maps.
"""

from __future__ import annotations

from functools import singledispatch

from xtrace.backends.bcc.own import Clause
from xtrace.core import ir
from xtrace.core import types as t

_BUILTINS = {
    "nsecs": "nsecs",
    "elapsed": "(nsecs - trace.started)",
    "pid": "os.getpid()",
    "tid": "os.getpid()",
    "ncpus": "len(online_cpus())",
    "probe": "probe",
}
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


@singledispatch
def value(node: ir.Expr, clause: Clause) -> str:
    """Python for a value. Raises UnsupportedError for what the worker cannot compute."""
    raise clause.refuse(f"has no {type(node).__name__}", node.span)


def values(nodes: tuple[ir.Expr, ...], clause: Clause) -> str:
    """Python for a list of values."""
    return f"[{', '.join(value(node, clause) for node in nodes)}]"


@value.register
def _(node: ir.Const, clause: Clause) -> str:
    return str(node.value) if node.value >= 0 else f"({node.value})"


@value.register
def _(node: ir.Text, clause: Clause) -> str:
    return repr(node.value.encode("utf-8", "surrogateescape"))


@value.register
def _(node: ir.Builtin, clause: Clause) -> str:
    if node.name == "cpid":
        return str(clause.program.cpid)
    if node.name not in _BUILTINS:
        raise clause.refuse(f"does not know {node.name}", node.span)
    return _BUILTINS[node.name]


@value.register
def _(node: ir.Var, clause: Clause) -> str:
    return clause.variable(node.name)


@value.register
def _(node: ir.MapValue, clause: Clause) -> str:
    return f"{clause.map(node.map)}.number({values(node.keys, clause)})"


@value.register
def _(node: ir.MapHasKey, clause: Clause) -> str:
    return f"{clause.map(node.map)}.has({values(node.keys, clause)})"


@value.register
def _(node: ir.MapLength, clause: Clause) -> str:
    return f"{clause.map(node.map)}.length()"


@value.register
def _(node: ir.Unary, clause: Clause) -> str:
    operand = value(node.operand, clause)
    return f"int(not {operand})" if node.op == "!" else f"signed({node.op}{operand})"


@value.register
def _(node: ir.Binary, clause: Clause) -> str:
    left, right = value(node.left, clause), value(node.right, clause)
    if node.op in ("/", "%"):
        return f"{'quotient' if node.op == '/' else 'remainder'}({left}, {right}, {int(node.signed)})"
    if not node.signed and (node.op in _COMPARISONS or node.op == ">>"):
        left = f"({left} & ALL_BITS)"
        right = f"({right} & ALL_BITS)"
    if node.op in _COMPARISONS:
        return f"int({left} {node.op} {right})"
    shifted = f"({right} & 63)" if node.op in ("<<", ">>") else right
    return f"signed({left} {node.op} {shifted})"


@value.register
def _(node: ir.Compare, clause: Clause) -> str:
    cut = f"[:{node.length}]" if node.length else ""
    return f"int({value(node.left, clause)}{cut} {node.op} {value(node.right, clause)}{cut})"


@value.register
def _(node: ir.Contains, clause: Clause) -> str:
    return f"int({value(node.part, clause)} in {value(node.text, clause)})"


@value.register
def _(node: ir.Cut, clause: Clause) -> str:
    assert isinstance(node.type, t.String)
    return f"{value(node.text, clause)}[: min({value(node.length, clause)} & ALL_BITS, {node.type.size - 1})]"


@value.register
def _(node: ir.TextLength, clause: Clause) -> str:
    return f"len({value(node.text, clause)})"


@value.register
def _(node: ir.Logical, clause: Clause) -> str:
    word = "and" if node.op == "&&" else "or"
    return f"int(bool({value(node.left, clause)} {word} {value(node.right, clause)}))"


@value.register
def _(node: ir.Ternary, clause: Clause) -> str:
    condition = value(node.condition, clause)
    return f"({value(node.then, clause)} if {condition} else {value(node.otherwise, clause)})"


@value.register
def _(node: ir.Convert, clause: Clause) -> str:
    operand = value(node.operand, clause)
    if isinstance(node.type, t.Bool):
        return f"int({operand} != 0)"
    if isinstance(node.type, (t.Int, t.Enumerated)) and node.type.size < 8:
        return f"narrowed({operand}, {8 * node.type.size}, {int(node.type.signed)})"
    return operand


@value.register
def _(node: ir.Address, clause: Clause) -> str:
    operand = value(node.operand, clause)
    if isinstance(node.type, t.Symbol) and node.type.user:
        return f"({operand}, os.getpid())"
    if isinstance(node.type, t.Inet) and not isinstance(node.operand.type, (t.Inet, t.Array)):
        return f'struct.pack("=I", {operand} & 0xffffffff)'
    return operand


@value.register
def _(node: ir.TupleValue, clause: Clause) -> str:
    return f"({''.join(f'{value(item, clause)}, ' for item in node.items)})"


@value.register
def _(node: ir.TupleItem, clause: Clause) -> str:
    return f"{value(node.base, clause)}[{node.index}]"
