"""Surface trees back to program text, with every operation in parentheses: how tests show what was understood."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch

from xtrace.core.lang import ast


def program(node: ast.Program) -> str:
    config = "".join(f"{name} = {value if isinstance(value, int) else _quoted(value)}; " for name, value in node.config)
    sections = [f"config = {{ {config}}}"] if node.config else []
    return "\n".join(sections + [clause(one) for one in node.clauses])


def clause(node: ast.Clause) -> str:
    predicate = f"/{expr(node.predicate)}/ " if node.predicate else ""
    return f"{', '.join(map(point, node.points))} {predicate}{block(node.body)}"


def point(node: ast.AttachPoint) -> str:
    if node.kind == "event":
        return node.parts[0]
    prototype = f"({node.prototype})" if node.prototype else ""
    return ":".join((node.kind, *node.parts)) + prototype


def block(body: Sequence[ast.Stmt]) -> str:
    return " ".join(["{", *map(statement, body), "}"])


@singledispatch
def statement(node: object) -> str:
    raise TypeError(type(node))


@singledispatch
def expr(node: object) -> str:
    raise TypeError(type(node))


@statement.register
def _(node: ast.Do) -> str:
    return f"{expr(node.expr)};"


@statement.register
def _(node: ast.Assign) -> str:
    return f"{expr(node.target)} {node.op}= {expr(node.value)};"


@statement.register
def _(node: ast.Declare) -> str:
    type_ = f": {type_name(node.type)}" if node.type else ""
    value = f" = {expr(node.value)}" if node.value else ""
    return f"let {expr(node.target)}{type_}{value};"


@statement.register
def _(node: ast.If) -> str:
    otherwise = f" else {block(node.otherwise)}" if node.otherwise else ""
    return f"if ({expr(node.condition)}) {block(node.then)}{otherwise}"


@statement.register
def _(node: ast.Unroll) -> str:
    return f"unroll ({expr(node.count)}) {block(node.body)}"


@statement.register
def _(node: ast.While) -> str:
    return f"while ({expr(node.condition)}) {block(node.body)}"


@statement.register
def _(node: ast.For) -> str:
    over = f"{expr(node.over[0])}..{expr(node.over[1])}" if isinstance(node.over, tuple) else expr(node.over)
    return f"for ({expr(node.variable)} : {over}) {block(node.body)}"


@statement.register
def _(node: ast.Jump) -> str:
    return f"{node.kind};"


@statement.register
def _(node: ast.Block) -> str:
    return block(node.body)


@expr.register
def _(node: ast.Number) -> str:
    return str(node.value)


@expr.register
def _(node: ast.Text) -> str:
    return _quoted(node.value)


@expr.register
def _(node: ast.Boolean) -> str:
    return "true" if node.value else "false"


@expr.register
def _(node: ast.Name) -> str:
    return node.name


@expr.register
def _(node: ast.Scalar) -> str:
    return f"${node.name}"


@expr.register
def _(node: ast.Positional) -> str:
    return f"${node.index or '#'}"


@expr.register
def _(node: ast.MapRef) -> str:
    return f"@{node.name}" + (f"[{', '.join(map(expr, node.keys))}]" if node.keys else "")


@expr.register
def _(node: ast.Unary) -> str:
    return f"({node.op} {expr(node.operand)})"


@expr.register
def _(node: ast.Step) -> str:
    sign = "++" if node.by > 0 else "--"
    return f"({sign}{expr(node.target)})" if node.prefix else f"({expr(node.target)}{sign})"


@expr.register
def _(node: ast.Binary) -> str:
    return f"({expr(node.left)} {node.op} {expr(node.right)})"


@expr.register
def _(node: ast.Ternary) -> str:
    return f"({expr(node.condition)} ? {expr(node.then)} : {expr(node.otherwise)})"


@expr.register
def _(node: ast.Call) -> str:
    return f"{node.function}({', '.join(map(expr, node.args))})"


@expr.register
def _(node: ast.Labelled) -> str:
    return f"{node.name} = {expr(node.value)}"


@expr.register
def _(node: ast.Member) -> str:
    return f"{_base(node.base)}{'->' if node.arrow else '.'}{node.name}"


@expr.register
def _(node: ast.Index) -> str:
    return f"{_base(node.base)}[{expr(node.index)}]"


@expr.register
def _(node: ast.Cast) -> str:
    return f"(({type_name(node.type)}){expr(node.operand)})"


@expr.register
def _(node: ast.SizeOf) -> str:
    return f"sizeof({type_name(node.of) if isinstance(node.of, ast.TypeName) else expr(node.of)})"


@expr.register
def _(node: ast.OffsetOf) -> str:
    return f"offsetof({type_name(node.type)}, {'.'.join(node.members)})"


@expr.register
def _(node: ast.TupleExpr) -> str:
    items = ", ".join(map(expr, node.items))
    return f"({items},)" if len(node.items) == 1 else f"({items})"


@expr.register
def _(node: ast.Has) -> str:
    return f"has({expr(node.subject)})"


def type_name(node: ast.TypeName) -> str:
    stars = " " + "*" * node.pointers if node.pointers else ""
    return node.name + stars + ("" if node.count is None else f"[{node.count or ''}]")


def _base(node: ast.Expr) -> str:
    """What stands before `.` and `[`: `@m[1]` would be a key, `1.0` a fraction."""
    return f"({expr(node)})" if isinstance(node, (ast.MapRef, ast.Number)) else expr(node)


def _quoted(value: str) -> str:
    pieces = []
    for char in value:
        if char in '"\\':
            pieces.append(f"\\{char}")
        elif char.isprintable():
            pieces.append(char)
        else:
            pieces += [f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape")]
    return f'"{"".join(pieces)}"'
