"""Numbers as C expressions of type u64.

u64 arithmetic wraps in C too; a node's own signedness decides where the sign matters.
"""

from __future__ import annotations

from xtrace.backends.bcc.dispatch import condition, narrowed, region, scalar
from xtrace.backends.bcc.handler import Handler
from xtrace.backends.bcc.keys import each_bucket, write_key
from xtrace.backends.bcc.writer import Region, number, word
from xtrace.core import ir
from xtrace.core import types as t

_PLAIN = ("+", "-", "*", "&", "|", "^")
_GUARDED = {"/": "div", "%": "mod"}


@scalar.register
def _(node: ir.Const, handler: Handler) -> str:
    return number(node.value)


@scalar.register
def _(node: ir.Var, handler: Handler) -> str:
    name = handler.vars[node.name]
    return word(name, 0) if isinstance(name, Region) else name


@scalar.register
def _(node: ir.MapValue, handler: Handler) -> str:
    target = handler.out.variable()
    found = handler.maps.readable(node, handler)
    with handler.out.block():
        key = write_key(node.keys, found.key_types, handler)
        handler.out.line(f"{found.leaf} *p = {found.ident}.lookup({key});")
        handler.out.line(f"if (p) {target} = {found.number('p')};")
    return target


@scalar.register
def _(node: ir.MapHasKey, handler: Handler) -> str:
    target = handler.out.variable()
    found = handler.maps.get(node.map, node.keys)
    if found.has_buckets:
        with each_bucket(found, node.keys, node.span, handler) as key:
            handler.out.line(f"if ({found.ident}.lookup({key})) {{ {target} = 1; break; }}")
        return target
    with handler.out.block():
        key = write_key(node.keys, found.key_types, handler)
        handler.out.line(f"{target} = {found.ident}.lookup({key}) != 0;")
    return target


@scalar.register
def _(node: ir.MapLength, handler: Handler) -> str:
    raise handler.refuse(
        f"BPF cannot count the entries of @{node.map}",
        node.span,
        "interval and end probes can; or count in a map of your own",
    )


@scalar.register
def _(node: ir.Unary, handler: Handler) -> str:
    operand = scalar(node.operand, handler)
    return f"(u64)({operand} == 0)" if node.op == "!" else f"({node.op}{operand})"


@scalar.register
def _(node: ir.Binary, handler: Handler) -> str:
    left, right = scalar(node.left, handler), scalar(node.right, handler)
    if node.op in _PLAIN:
        return f"({left} {node.op} {right})"
    if node.op in _GUARDED:
        return f"x_{'s' if node.signed else 'u'}{_GUARDED[node.op]}({left}, {right})"
    if node.op == "<<":
        return f"({left} << ({right} & 63))"
    cast = "(s64)" if node.signed else ""
    if node.op == ">>":
        return f"((u64)({cast}{left} >> ({right} & 63)))"
    return f"((u64)({cast}{left} {node.op} {cast}{right}))"


@scalar.register
def _(node: ir.Logical, handler: Handler) -> str:
    left = condition(node.left, handler)
    with handler.out.aside() as extra:
        right = condition(node.right, handler)
    if not extra:
        return f"((u64)({left} {node.op} {right}))"
    decided = handler.out.variable()
    handler.out.line(f"{decided} = {left};")
    with handler.out.block(f"if ({decided})" if node.op == "&&" else f"if (!{decided})"):
        handler.out.adopt(extra)
        handler.out.line(f"{decided} = {right};")
    return decided


@scalar.register
def _(node: ir.Ternary, handler: Handler) -> str:
    chosen = condition(node.condition, handler)
    with handler.out.aside() as then_lines:
        then = scalar(node.then, handler)
    with handler.out.aside() as other_lines:
        other = scalar(node.otherwise, handler)
    if not then_lines and not other_lines:
        return f"({chosen} ? {then} : {other})"
    target = handler.out.variable()
    for head, lines, value in ((f"if ({chosen})", then_lines, then), ("else", other_lines, other)):
        with handler.out.block(head):
            handler.out.adopt(lines)
            handler.out.line(f"{target} = {value};")
    return target


@scalar.register
def _(node: ir.Convert, handler: Handler) -> str:
    text = scalar(node.operand, handler)
    return f"((u64)({text} != 0))" if isinstance(node.type, t.Bool) else narrowed(text, node.type)


@scalar.register
def _(node: ir.Address, handler: Handler) -> str:
    return scalar(node.operand, handler)


@scalar.register
def _(node: ir.TupleItem, handler: Handler) -> str:
    return word(region(node, handler), 0)
