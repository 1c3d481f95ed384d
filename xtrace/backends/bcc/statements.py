"""Statements as C: variables, map updates, control flow, and records for the user."""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch

from xtrace.backends.bcc import layout
from xtrace.backends.bcc.dispatch import condition, scalar, store
from xtrace.backends.bcc.handler import Handler
from xtrace.backends.bcc.keys import each_bucket, pointer, write_key, write_values
from xtrace.backends.bcc.maps import BpfMap
from xtrace.backends.bcc.sites import sent, value_types
from xtrace.backends.bcc.writer import Region
from xtrace.core import ir
from xtrace.core import types as t

RECORD_HEADER = 2
"""Words before a record's values: the site's number and the time."""
LARGEST_RECORD = 24 << 10
"""Bytes: a record is made in per-CPU memory, of which one map value takes 32 KB at most (PCPU_MIN_UNIT_SIZE)."""
LOOP_LIMIT = 256
"""Turns of a `while` loop: the verifier follows every one of them (BPF_COMPLEXITY_LIMIT_INSNS)."""


@singledispatch
def statement(node: ir.Stmt, handler: Handler) -> None:
    """Write one statement. Raises UnsupportedError for what BPF cannot do."""
    raise handler.refuse(f"BPF cannot do {type(node).__name__}", node.span)


def body(nodes: Iterable[ir.Stmt], handler: Handler) -> None:
    for node in nodes:
        statement(node, handler)


@statement.register
def _(node: ir.SetVar, handler: Handler) -> None:
    place = handler.vars[node.name]
    if isinstance(place, Region):
        store(node.value, handler.var_types[node.name], place, handler)
    else:
        handler.out.line(f"{place} = {scalar(node.value, handler)};")


@statement.register
def _(node: ir.SetMap, handler: Handler) -> None:
    found = handler.maps.get(node.map, node.keys, node.value.type)
    with handler.out.block():
        value = handler.out.slot(found.leaf_words, "v")
        kind = node.value.type if found.kind != "value" else found.value
        store(node.value, kind, value, handler)  # type: ignore[arg-type]
        key = write_key(node.keys, found.key_types, handler)
        handler.out.line(f"if ({found.ident}.update({key}, {pointer(value)})) x_lost({handler.full_slot(found)});")


@statement.register
def _(node: ir.AddMap, handler: Handler) -> None:
    found = handler.maps.get(node.map, node.keys, t.Int())
    _feed(found, node.keys, scalar(node.by, handler), handler)


@statement.register
def _(node: ir.Aggregate, handler: Handler) -> None:
    found = handler.maps.get(node.map, node.keys, t.Count() if node.value is None else t.Sum())
    value = "1ULL" if node.value is None else scalar(node.value, handler)
    if not found.has_buckets:
        _feed(found, node.keys, value, handler)
        return
    with handler.out.block():
        key = handler.out.slot(found.key_words, "k")
        write_values(node.keys, found.key_types, key, 0, handler)
        handler.out.line(f"{key.text}[{found.key_words - 1}] = {_bucket(found, value)};")
        handler.out.line(f"{found.ident}_feed({pointer(key)}, 1);")


def _bucket(found: BpfMap, value: str) -> str:
    if isinstance(found.value, t.LinearHist):
        shape = found.value
        return f"x_linear({value}, {shape.low}LL, {shape.high}LL, {shape.step}LL)"
    assert isinstance(found.value, t.Hist)
    return f"x_log2({value}, {found.value.bits})"


def _feed(found: BpfMap, keys: tuple[ir.Expr, ...], value: str, handler: Handler) -> None:
    with handler.out.block():
        key = write_key(keys, found.key_types, handler)
        handler.out.line(f"{found.ident}_feed({key}, {value});")


@statement.register
def _(node: ir.DeleteKey, handler: Handler) -> None:
    found = handler.maps.get(node.map, node.keys)
    if found.has_buckets:
        with each_bucket(found, node.keys, node.span, handler) as key:
            handler.out.line(f"{found.ident}.delete({key});")
        return
    with handler.out.block():
        key = write_key(node.keys, found.key_types, handler)
        handler.out.line(f"{found.ident}.delete({key});")


@statement.register
def _(node: ir.If, handler: Handler) -> None:
    with handler.out.block(f"if ({condition(node.condition, handler)})"):
        body(node.then, handler)
    if node.otherwise:
        with handler.out.block("else"):
            body(node.otherwise, handler)


@statement.register
def _(node: ir.While, handler: Handler) -> None:
    """A bounded loop (Linux 2589726d12a1, v5.3). One that reaches the bound is counted as cut."""
    if not handler.host.bounded_loops:
        raise handler.refuse("this kernel's BPF has no loops", node.span, "unroll (N) { … } repeats a fixed number")
    out, turn = handler.out, handler.out.name("turn")
    out.line(f"int {turn};")
    with out.block(f"for ({turn} = 0; {turn} < {LOOP_LIMIT}; {turn}++)"):
        out.line(f"if (!{condition(node.condition, handler)}) break;")
        body(node.body, handler)
    out.line(f"if ({turn} == {LOOP_LIMIT}) x_lost(XTRACE_LOOPS);")


@statement.register
def _(node: ir.ForEach, handler: Handler) -> None:
    message = f"BPF programs made by BCC cannot walk through @{node.map}"
    raise handler.refuse(message, node.span, "interval and end probes can: walk through it there")


@statement.register
def _(node: ir.Jump, handler: Handler) -> None:
    handler.out.line("goto done;" if node.kind == "return" else f"{node.kind};")


@statement.register
def _(node: ir.Output, handler: Handler) -> None:
    site = handler.site(node)
    args = sent(site, node.args)
    types = value_types(site, args)
    if isinstance(site, ir.Exit):
        handler.out.line("x_exit();")
    with handler.out.block():
        words = RECORD_HEADER + sum(layout.words(kind) for kind in types)
        if words * layout.WORD > LARGEST_RECORD:
            message = f"one record holds {LARGEST_RECORD} bytes, and this one takes {words * layout.WORD}"
            raise handler.refuse(message, node.span, "show less at once, or lower max_strlen")
        record = handler.out.slot(words, "r")
        handler.out.line(f"{record.text}[0] = {node.site};")
        handler.out.line(f"{record.text}[1] = x_now();")
        write_values(args, types, record, RECORD_HEADER, handler)
        size = words * layout.WORD
        handler.out.line(f"if (x_events.perf_submit(ctx, {record.text}, {size})) x_lost(XTRACE_EVENTS);")
    if isinstance(site, ir.Exit):
        handler.out.line("goto done;")
