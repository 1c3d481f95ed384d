"""Maps: their keys, their values, `++`, and the aggregations; what is learnt of a map's type goes to the map table."""

from __future__ import annotations

from typing import Optional

from xtrace.core import ir
from xtrace.core.lang import ast
from xtrace.core.lang.source import Span
from xtrace.core.lang.typing.context import Context, unknown
from xtrace.core.lang.typing.kinds import (
    INT64,
    INTEGERS,
    NUMBERS,
    READABLE,
    article,
    describe,
    is_number,
    is_signed,
    join,
    join_values,
    stored,
)
from xtrace.core.lang.typing.operators import combine, convert, element_size, negate, tuple_items
from xtrace.core.lang.typing.registry import expression
from xtrace.core.lang.typing.tables import MapEntry
from xtrace.core.lang.typing.variables import step_variable
from xtrace.core.lang.walk import nodes
from xtrace.core.records import dataclass
from xtrace.core.types import (
    AGGREGATIONS,
    Aggregation,
    Avg,
    Count,
    CType,
    Hist,
    Int,
    LinearHist,
    Max,
    Min,
    Pointer,
    Stats,
    Sum,
    Tuple,
    Unknown,
    ValueType,
    Void,
)

AGGREGATION_NAMES = ("count", "sum", "min", "max", "avg", "stats", "hist", "lhist")
_MOST_LINEAR_BUCKETS = 1000
_MOST_HIST_BITS = 5


def shown(name: str) -> str:
    return f"@{name}"


def typed_keys(ctx: Context, ref: ast.MapRef) -> tuple[ir.Expr, ...]:
    """The keys of a map reference, checked against the other uses of the map. A tuple as the only key is its items."""
    keys = ctx.exprs(ref.keys)
    if len(keys) == 1 and isinstance(keys[0].type, Tuple):
        keys = tuple_items(keys[0])
    for position, key in enumerate(keys):
        if isinstance(key.type, Void):
            keys[position] = ctx.no_value(ref.keys[min(position, len(ref.keys) - 1)], "as a map key")
    _agree_on_keys(ctx, ref, tuple(stored(key.type) for key in keys))
    return tuple(keys)


def _agree_on_keys(ctx: Context, ref: ast.MapRef, types: tuple[CType, ...]) -> None:
    entry = ctx.tables.entry(ref.name, ref.span)
    if entry.keys is None:
        ctx.tables.set_keys(ref.name, types, ref.span)
        return
    joined = [join(a, b) for a, b in zip(entry.keys, types)]
    if len(types) != len(entry.keys) or None in joined:
        message = f"{shown(ref.name)} has {_describe_keys(types)} here but {_describe_keys(entry.keys)} elsewhere"
        ctx.report("XT0214", message, ref.span, *_elsewhere("it is used so", entry.keys_span))
        return
    ctx.tables.set_keys(ref.name, tuple(key for key in joined if key is not None), ref.span)


def _describe_keys(types: tuple[CType, ...]) -> str:
    if not types:
        return "no key"
    return f"the key{'s' if len(types) > 1 else ''} [{', '.join(describe(type_) for type_ in types)}]"


def _elsewhere(what: str, span: Optional[Span]) -> tuple[str, ...]:
    return (f"{what} at {span.location()}: {span.text}",) if span else ()


# --- reading -----------------------------------------------------------------------------------------------------


@expression(ast.MapRef)
def read(ctx: Context, ref: ast.MapRef) -> ir.Expr:
    keys = typed_keys(ctx, ref)
    entry = ctx.tables.mark_read(ref.name, ref.span)
    type_ = read_type(ctx, ref, entry)
    return unknown(ref.span) if type_ is None else ir.MapValue(ref.name, keys, type_, ref.span)


def read_type(ctx: Context, ref: ast.MapRef, entry: MapEntry) -> Optional[CType]:
    """The type of one value of a map; None after a complaint that it cannot be read."""
    value = entry.value
    if isinstance(value, READABLE):
        return Int(8, isinstance(value, Count) or value.signed)
    if isinstance(value, AGGREGATIONS):
        message = f"{shown(ref.name)} holds {describe(value)}, which has no single value"
        ctx.report("XT0215", message, ref.span, f"print({shown(ref.name)}) shows all of it")
        return None
    return value


# --- writing -----------------------------------------------------------------------------------------------------


def agree_on_value(ctx: Context, ref: ast.MapRef, value: ValueType, span: Span) -> bool:
    """Enter what a map is assigned; False after a complaint that names both places."""
    entry = ctx.tables.entry(ref.name, ref.span)
    joined = join_values(entry.value, value)
    if joined is None:
        code = "XT0215" if isinstance(entry.value, AGGREGATIONS) or isinstance(value, AGGREGATIONS) else "XT0213"
        message = f"{shown(ref.name)} is assigned {article(value)} here but holds {article(entry.value)}"
        ctx.report(code, message, span, *_elsewhere("it gets that", entry.value_span))
        return False
    ctx.tables.set_value(ref.name, joined, span)
    return True


def assign(ctx: Context, node: ast.Assign, ref: ast.MapRef) -> None:
    """`@m[k] = value`, `@m[k] += value`, `@m[k] = count()`"""
    if isinstance(node.value, ast.Call) and node.value.function in AGGREGATION_NAMES:
        aggregate(ctx, node, ref, node.value)
        return
    keys = typed_keys(ctx, ref)
    if node.op:
        _compound(ctx, node, ref, keys)
        return
    mark = len(ctx.out)
    value = ctx.value(node.value, "as a map's value")
    keys = tuple(ctx.kept_before(mark, keys))
    if agree_on_value(ctx, ref, stored(value.type), node.span):
        ctx.out.append(ir.SetMap(ref.name, keys, value, node.span))


def _compound(ctx: Context, node: ast.Assign, ref: ast.MapRef, keys: tuple[ir.Expr, ...]) -> None:
    """`@m[k] += value`, which is `@m[k] = @m[k] + value`: the old value is read first."""
    mark = len(ctx.out)
    value = ctx.value(node.value, "in an operation")
    if not is_number(value.type):
        ctx.report("XT0206", f"{node.op}= does not take {article(value.type)}", node.value.span)
        return
    held = ctx.tables.entry(ref.name, ref.span).value
    changed = len(ctx.out) > mark and any(
        isinstance(inner, ast.MapRef) and inner.name == ref.name for inner in nodes(node.value)
    )
    if node.op in ("+", "-") and isinstance(held, (*INTEGERS, Unknown, *AGGREGATIONS)) and not changed:
        keys = tuple(ctx.kept_before(mark, keys))
        add(ctx, ref, keys, value if node.op == "+" else _less(ctx, value, node.span), node.span)
        return
    entry = ctx.tables.mark_read(ref.name, ref.span)
    type_ = Int(8, is_signed(value.type)) if entry.value_span is None else read_type(ctx, ref, entry)
    if type_ is None:
        return
    *kept, before = ctx.kept_before(mark, (*keys, ir.MapValue(ref.name, keys, type_, ref.span)))
    result = combine(ctx, node.op, before, value, node.span)
    if agree_on_value(ctx, ref, stored(result.type), node.span):
        ctx.out.append(ir.SetMap(ref.name, tuple(kept), result, node.span))


def _less(ctx: Context, value: ir.Expr, span: Span) -> ir.Expr:
    """What to add to take `value` away: a number with a sign, whatever the type of the value."""
    return negate(ctx, "-", convert(value, INT64, span), span)


def add(ctx: Context, ref: ast.MapRef, keys: tuple[ir.Expr, ...], by: ir.Expr, span: Span) -> bool:
    """`@m[k] += by` on a map of integers."""
    agreed = agree_on_value(ctx, ref, Int(8, is_signed(by.type)), span)
    if agreed:
        ctx.out.append(ir.AddMap(ref.name, keys, by, span))
    return agreed


@expression(ast.Step)
def step(ctx: Context, node: ast.Step) -> ir.Expr:
    """`@x++` and its like inside an expression: the change is written before the statement."""
    if isinstance(node.target, ast.Scalar):
        return step_variable(ctx, node)
    ref = node.target
    keys = typed_keys(ctx, ref)
    by = _step(ctx, node, ref)
    if node.prefix:
        if not add(ctx, ref, keys, by, node.span):
            return unknown(node.span)
        return _current(ctx, ref, keys)
    before = ctx.keep(_current(ctx, ref, keys))
    return before if add(ctx, ref, keys, by, node.span) else unknown(node.span)


def _step(ctx: Context, node: ast.Step, ref: ast.MapRef) -> ir.Expr:
    """What a step adds: a number counts by one, a pointer by the size of what it points to."""
    held = ctx.tables.mark_read(ref.name, ref.span).value
    size = element_size(ctx, held, node.span) if isinstance(held, Pointer) else 1
    return ir.Const(node.by * (size or 0), INT64, node.span)


def _current(ctx: Context, ref: ast.MapRef, keys: tuple[ir.Expr, ...]) -> ir.Expr:
    entry = ctx.tables.mark_read(ref.name, ref.span)
    type_ = entry.value if isinstance(entry.value, NUMBERS) else INT64
    return ir.MapValue(ref.name, keys, type_, ref.span)


def step_statement(ctx: Context, node: ast.Step, ref: ast.MapRef) -> None:
    """`@x++;` alone: nobody needs its value."""
    add(ctx, ref, typed_keys(ctx, ref), _step(ctx, node, ref), node.span)


# --- aggregations ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Arity:
    least: int
    most: int


_ARITY = {
    "count": _Arity(0, 0),
    "sum": _Arity(1, 1),
    "min": _Arity(1, 1),
    "max": _Arity(1, 1),
    "avg": _Arity(1, 1),
    "stats": _Arity(1, 1),
    "hist": _Arity(1, 2),
    "lhist": _Arity(4, 4),
}
_BY_SIGN: dict[str, type] = {"sum": Sum, "min": Min, "max": Max, "avg": Avg, "stats": Stats}


def aggregate(ctx: Context, node: ast.Assign, ref: ast.MapRef, call: ast.Call) -> None:
    """`@m[k] = count()` and the others."""
    arity = _ARITY[call.function]
    if node.op:
        message = f"{call.function}() is assigned with =, not {node.op}="
        ctx.report("XT0215", message, node.span)
        return
    if not arity.least <= len(call.args) <= arity.most:
        wants = str(arity.least or "no") if arity.least == arity.most else f"{arity.least} or {arity.most}"
        plural = "" if wants == "1" else "s"
        message = f"{call.function}() takes {wants} argument{plural}, not {len(call.args)}"
        ctx.report("XT0204", message, call.span)
        return
    keys = typed_keys(ctx, ref)
    mark = len(ctx.out)
    value = _fed(ctx, call)
    keys = tuple(ctx.kept_before(mark, keys))
    kind = _aggregation(ctx, call, value)
    if kind is not None and agree_on_value(ctx, ref, kind, call.span):
        ctx.out.append(ir.Aggregate(ref.name, keys, value, node.span))


def _fed(ctx: Context, call: ast.Call) -> Optional[ir.Expr]:
    if not call.args:
        return None
    value = ctx.value(call.args[0], f"in {call.function}()")
    if not is_number(value.type):
        return ctx.report("XT0205", f"{call.function}() takes a number, not {article(value.type)}", call.args[0].span)
    return value


def _aggregation(ctx: Context, call: ast.Call, value: Optional[ir.Expr]) -> Optional[Aggregation]:
    if value is None:
        return Count()
    if call.function == "hist":
        return _hist(ctx, call)
    if call.function == "lhist":
        return _linear(ctx, call)
    kind: Aggregation = _BY_SIGN[call.function](is_signed(value.type))
    return kind


def _hist(ctx: Context, call: ast.Call) -> Optional[Aggregation]:
    bits = ctx.constant(call.args[1], "the second argument of hist()") if len(call.args) > 1 else 0
    if bits is not None and not 0 <= bits <= _MOST_HIST_BITS:
        ctx.report(
            "XT0205", f"hist() splits a power of two in 2**k for k from 0 to {_MOST_HIST_BITS}", call.args[1].span
        )
        return None
    return None if bits is None else Hist(bits)


def _linear(ctx: Context, call: ast.Call) -> Optional[Aggregation]:
    bounds = [ctx.constant(arg, f"the {what} of lhist()") for arg, what in zip(call.args[1:], ("low", "high", "step"))]
    low, high, step_size = bounds
    if low is None or high is None or step_size is None:
        return None
    if step_size <= 0 or low >= high:
        ctx.report("XT0205", "lhist(value, low, high, step) needs low < high and step > 0", call.span)
        return None
    if (high - low) / step_size > _MOST_LINEAR_BUCKETS:
        hint = f"a step of {-(-(high - low) // _MOST_LINEAR_BUCKETS)} or more"
        ctx.report("XT0205", f"lhist() has at most {_MOST_LINEAR_BUCKETS} buckets", call.span, hint)
        return None
    return LinearHist(low, high, step_size)
