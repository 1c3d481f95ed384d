"""Typed expressions as SystemTap text. Every value is a 64-bit `long` or a `string`; the functions named `xt_*` are the
library that the template prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from xtrace.backends.systemtap.names import variable
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.errors import Diagnostic
from xtrace.core.lang.source import Span
from xtrace.core.quoting import stp_str

MAX_STRING = 512
"""MAXSTRINGLEN on 64-bit hosts (runtime_defines.h): longer strings are cut by the runtime."""


class UnsupportedError(Exception):
    """An expression that a script cannot say; carries the diagnostic."""

    def __init__(self, message: str, span: Span | None, hint: str = "") -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic("XT0901", message, span, (hint,) if hint else ())


@dataclass
class Context:
    """What expressions mean inside one probe: its fields, arguments, names, and loop variables.

    `readers` says how the number of a map's element is read (`@count({0})`). `fields` translates event fields,
    `arguments` function arguments by index; None where the common accessors serve.
    """

    maps: Mapping[str, str]
    readers: Mapping[str, str] = field(default_factory=dict)
    histograms: frozenset[str] = frozenset()
    probe: str = ""
    function: str = ""
    user: bool = False
    big_endian: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[int, str] | None = None
    entries: dict[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    """Of each enclosing `for` over a map: its key variables and its value."""


SYSCALL_ABI = "xt_syscall_abi"
"""The script's function that tells the ABI of the call which the current task is in (`xtrace.core.syscall_abi`)."""

_BUILTINS = {
    "pid": "pid()",
    "tid": "tid()",
    "comm": "execname()",
    "uid": "uid()",
    "gid": "gid()",
    "cpu": "cpu()",
    "ppid": "ppid()",
    "nsecs": "ktime_get_ns()",
    "elapsed": "(ktime_get_ns() - xt_started)",
    "rand": "xt_rand()",
    "jiffies": "jiffies()",
    "cpid": "xtrace_cpid",
    "ncpus": "xtrace_cpus",
    "curtask": "task_current()",
    "syscall_abi": f"{SYSCALL_ABI}()",
}

_SIGNED = {"/": "xt_div", "%": "xt_mod"}
_UNSIGNED = {"/": "xt_udiv", "%": "xt_umod", ">>": "xt_shr"}
_ORDER = {"<": "xt_ult({0}, {1})", ">": "xt_ult({1}, {0})", "<=": "!xt_ult({1}, {0})", ">=": "!xt_ult({0}, {1})"}
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
_READERS = {1: "char", 2: "short", 4: "int", 8: "long"}


def key_text(keys: tuple[ir.Expr, ...], context: Context) -> list[str]:
    """The key expressions, tuples spread out; a map without keys is an array with the one key 0."""
    spread: list[str] = []
    for key in keys:
        if isinstance(key.type, t.Tuple):
            spread += key_text(_items(key), context)
        else:
            spread.append(expression(key, context))
    return spread or ["0"]


def _items(value: ir.Expr) -> tuple[ir.Expr, ...]:
    if isinstance(value, ir.TupleValue):
        return value.items
    raise UnsupportedError("SystemTap has no tuple values: write the tuple out where it is used", value.span)


def values(args: tuple[ir.Expr, ...], context: Context) -> list[tuple[str, ir.Expr]]:
    """Output arguments, tuples spread out, each with the expression it came from."""
    spread: list[tuple[str, ir.Expr]] = []
    for arg in args:
        if isinstance(arg.type, t.Tuple):
            spread += values(_items(arg), context)
        else:
            spread.append((expression(arg, context), arg))
    return spread


def expression(e: ir.Expr, c: Context) -> str:
    """The script text of one expression. Raises UnsupportedError."""
    handler = _HANDLERS.get(type(e))
    if handler is None:
        raise UnsupportedError(f"SystemTap cannot compute this ({type(e).__name__})", e.span)
    return handler(e, c)


def truth(e: ir.Expr, c: Context) -> str:
    """The text of a condition.

    Truth values and numbers are kept apart: stap writes C that gcc, with the kernel's -Werror, does not take where a
    product or a shift is a condition, or where a comparison is an operand (-Wint-in-bool-context, -Wbool-operation,
    -Wbool-compare).
    """
    handler = _CONDITIONS.get(type(e))
    text = handler(e, c) if handler else None
    return text or f"({expression(e, c)} != 0)"


def _from_truth(e: ir.Expr, c: Context) -> str:
    return f"({truth(e, c)} ? 1 : 0)"


def _const(e: ir.Const, c: Context) -> str:
    # The lexer reads the sign apart from the digits, so the smallest number has no literal.
    return "xt_least()" if e.value == -(2**63) else str(e.value)


def _text(e: ir.Text, c: Context) -> str:
    return str(stp_str(e.value))


def _builtin(e: ir.Builtin, c: Context) -> str:
    if e.name == "probe":
        return str(stp_str(c.probe))
    if e.name == "func":
        return str(stp_str(c.function))
    if e.name == "kstack":
        return "backtrace()"
    if e.name == "ustack":
        return 'sprintf("%d %s", pid(), ubacktrace())'
    if e.name not in _BUILTINS:
        raise UnsupportedError(f"SystemTap has no {e.name}", e.span)
    return _BUILTINS[e.name]


def _field(e: ir.Field, c: Context) -> str:
    name = e.member.name
    if name not in c.fields:
        raise UnsupportedError(
            f"SystemTap sees a tracepoint's prototype, not its record, and has no translation for the field {name}",
            e.span,
            "the ftrace and BCC backends read the record itself",
        )
    return c.fields[name]


def _arg(e: ir.Arg, c: Context) -> str:
    if c.arguments is None:
        return f"ulong_arg({e.index + 1})"
    if e.index not in c.arguments:
        raise UnsupportedError(f"the argument {e.index} of this probe has no name that SystemTap could use", e.span)
    return c.arguments[e.index]


def _retval(e: ir.Retval, c: Context) -> str:
    return _narrow("returnval()", e.type)


def _register(e: ir.Register, c: Context) -> str:
    return f"{'u_register' if c.user else 'register'}({stp_str(e.name)})"


def _load(e: ir.Load, c: Context) -> str:
    size = _size(e.type)
    address = expression(e.base, c)
    if e.offset:
        address = f"({address} + {e.offset})"
    word = f"xt_{e.space.value}_{_READERS[size]}({address})"
    if e.bit_size:
        word = f"((({word}) >> {e.bit_offset}) & {(1 << e.bit_size) - 1})"
        return f"xt_extend({word}, {64 - e.bit_size})" if _is_signed(e.type) else word
    return _narrow(word, e.type)


def _read_string(e: ir.ReadString, c: Context) -> str:
    length = _limit(e.type)
    return f"xt_{e.space.value}_string({expression(e.address, c)}, {length})"


def _read_bytes(e: ir.ReadBytes, c: Context) -> str:
    if e.space is t.Space.USER:
        raise UnsupportedError("SystemTap cannot copy raw user memory", e.span)
    return f'sprintf("%*M", {expression(e.length, c)}, {expression(e.address, c)})'


def _var(e: ir.Var, c: Context) -> str:
    return variable(e.name)


def map_element(name: str, keys: tuple[ir.Expr, ...], c: Context) -> str:
    return f"{c.maps[name]}[{', '.join(key_text(keys, c))}]"


def _map_value(e: ir.MapValue, c: Context) -> str:
    element = map_element(e.map, e.keys, c)
    return c.readers.get(e.map, "{0}").format(element, f"[{', '.join(key_text(e.keys, c))}] in {c.maps[e.map]}")


def _has_key(e: ir.MapHasKey, c: Context) -> str:
    return f"([{', '.join(key_text(e.keys, c))}] in {c.maps[e.map]})"


def _unary(e: ir.Unary, c: Context) -> str:
    return _from_truth(e, c) if e.op == "!" else f"({e.op}{expression(e.operand, c)})"


def _negation(e: ir.Unary, c: Context) -> str | None:
    return f"(!{truth(e.operand, c)})" if e.op == "!" else None


def _comparison(e: ir.Binary, c: Context) -> str | None:
    if e.op not in _COMPARISONS:
        return None
    left, right = expression(e.left, c), expression(e.right, c)
    if not e.signed and e.op in _ORDER:
        return f"({_ORDER[e.op].format(left, right)})"
    return f"({left} {e.op} {right})"


def _binary(e: ir.Binary, c: Context) -> str:
    if e.op in _COMPARISONS:
        return _from_truth(e, c)
    left, right = expression(e.left, c), expression(e.right, c)
    function = (_SIGNED if e.signed else _UNSIGNED).get(e.op)
    if function:
        return f"{function}({left}, {right})"
    if e.op in ("<<", ">>"):
        return f"({left} {e.op} ({right} & 63))"
    return f"({left} {e.op} {right})"


def _compare(e: ir.Compare, c: Context) -> str:
    left, right = expression(e.left, c), expression(e.right, c)
    if e.length:
        left, right = (f"substr({side}, 0, {e.length})" for side in (left, right))
    return f"({left} {e.op} {right})"


def _contains(e: ir.Contains, c: Context) -> str:
    return f"isinstr({expression(e.text, c)}, {expression(e.part, c)})"


def _cut(e: ir.Cut, c: Context) -> str:
    return f"xt_cut({expression(e.text, c)}, {expression(e.length, c)}, {_limit(e.type)})"


def _text_length(e: ir.TextLength, c: Context) -> str:
    return f"strlen({expression(e.text, c)})"


def _text_byte(e: ir.TextByte, c: Context) -> str:
    return f"xt_byte({expression(e.text, c)}, {e.index})"


def _map_length(e: ir.MapLength, c: Context) -> str:
    if e.map in c.histograms:
        raise UnsupportedError(f"SystemTap cannot count the keys of @{e.map}, which holds histograms", e.span)
    return f"n_{c.maps[e.map]}"


def _logical(e: ir.Logical, c: Context) -> str:
    return f"({truth(e.left, c)} {e.op} {truth(e.right, c)})"


def _ternary(e: ir.Ternary, c: Context) -> str:
    return f"({truth(e.condition, c)} ? {expression(e.then, c)} : {expression(e.otherwise, c)})"


def _convert(e: ir.Convert, c: Context) -> str:
    return _from_truth(e.operand, c) if isinstance(e.type, t.Bool) else _narrow(expression(e.operand, c), e.type)


def _address(e: ir.Address, c: Context) -> str:
    text = expression(e.operand, c)
    if isinstance(e.type, t.Symbol) and e.type.user:
        return f'sprintf("%d:%d", pid(), {text})'
    if isinstance(e.type, t.Inet) and not isinstance(e.operand.type, (t.Inet, t.Buffer, t.Array)):
        return f"xt_inet{'_big' if c.big_endian else ''}({text})"
    return text


def _tuple_item(e: ir.TupleItem, c: Context) -> str:
    if isinstance(e.base, ir.Var) and e.base.name in c.entries:
        keys, value = c.entries[e.base.name]
        if e.index == 1:
            return value
        if len(keys) == 1:
            return keys[0]
    inner = e.base
    if isinstance(inner, ir.TupleItem) and isinstance(inner.base, ir.Var) and inner.base.name in c.entries:
        return c.entries[inner.base.name][0][e.index]
    if isinstance(inner, ir.TupleValue):
        return expression(inner.items[e.index], c)
    return _tuple(e, c)


def _tuple(e: ir.Expr, c: Context) -> str:
    raise UnsupportedError("SystemTap has no tuple values", e.span, "keep the items in variables of their own")


def _narrow(text: str, kind: t.CType) -> str:
    """Cut a 64-bit value to its type's size and extend it again by the type's sign."""
    size = _size(kind)
    if size == 8:
        return text
    return f"xt_extend({text}, {64 - 8 * size})" if _is_signed(kind) else f"({text} & {(1 << 8 * size) - 1})"


def _size(kind: t.CType) -> int:
    if isinstance(kind, (t.Int, t.Enumerated)):
        return kind.size
    return 1 if isinstance(kind, t.Bool) else 8


def _is_signed(kind: t.CType) -> bool:
    return isinstance(kind, (t.Int, t.Enumerated)) and kind.signed


def _limit(kind: t.CType) -> int:
    size = kind.size if isinstance(kind, t.String) else 64
    return min(size, MAX_STRING) - 1


_HANDLERS: dict[type, Callable[[Any, Context], str]] = {
    ir.Const: _const,
    ir.Text: _text,
    ir.Builtin: _builtin,
    ir.Field: _field,
    ir.Arg: _arg,
    ir.Retval: _retval,
    ir.Register: _register,
    ir.Load: _load,
    ir.ReadString: _read_string,
    ir.ReadBytes: _read_bytes,
    ir.Var: _var,
    ir.MapValue: _map_value,
    ir.MapHasKey: _from_truth,
    ir.MapLength: _map_length,
    ir.Unary: _unary,
    ir.Binary: _binary,
    ir.Compare: _from_truth,
    ir.Contains: _contains,
    ir.Cut: _cut,
    ir.TextLength: _text_length,
    ir.TextByte: _text_byte,
    ir.Logical: _from_truth,
    ir.Ternary: _ternary,
    ir.Convert: _convert,
    ir.Address: _address,
    ir.TupleItem: _tuple_item,
    ir.TupleValue: _tuple,
}

_CONDITIONS: dict[type, Callable[[Any, Context], str | None]] = {
    ir.MapHasKey: _has_key,
    ir.Unary: _negation,
    ir.Binary: _comparison,
    ir.Compare: _compare,
    ir.Logical: _logical,
}
"""What is a truth value by itself; None where it is not."""
