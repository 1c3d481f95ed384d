"""Expressions as Python source text: a clause is compiled once, so that an event costs a function call.

Every generated expression has one value and no side effect but assigning the scratch name `_t`, which is read at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from os import urandom
from typing import Any

from xtrace.core import ir
from xtrace.core.evaluate.storage import Store
from xtrace.core.evaluate.values import byte_at, cut, length_of, mean, missing, same_start, shortened
from xtrace.core.lang.arithmetic import convert, divide, remainder, wrap
from xtrace.core.messages import StackValue, SymbolValue, Value
from xtrace.core.types import Array, Avg, Bool, CType, Enumerated, Hist, Inet, Int, LinearHist, Stats, String, Symbol

LIMIT = 1 << 63
MASK = (1 << 64) - 1

NAMES: Mapping[str, Any] = {
    "wrap": wrap,
    "divide": divide,
    "remainder": remainder,
    "cut": cut,
    "same_start": same_start,
    "shortened": shortened,
    "byte_at": byte_at,
    "length_of": length_of,
    "mean": mean,
    "byteorder": sys.byteorder,
    "random": lambda: int.from_bytes(urandom(4), "little"),
    "StackValue": StackValue,
    "SymbolValue": SymbolValue,
}
"""What generated expressions may call."""

_COMPARISONS = frozenset(("<", "<=", ">", ">=", "==", "!="))
_BIT_OPERATORS = frozenset("&|^")
_STATEFUL = (Stats, Avg)


class Expressions:
    """Makes source text for the expressions of one clause.

    `own` gives the values of builtins for clauses that the controller fires itself, None for clauses of events, whose
    builtins must have been captured. `stores` are the program's maps, known to generated code as `m0`, `m1`, ...
    """

    def __init__(
        self, stores: Mapping[str, Store], own: Mapping[str, Value] | None, builtins: Mapping[str, int]
    ) -> None:
        self._stores = stores
        self._own = own
        self._builtins = builtins
        self.variables: dict[str, str] = {}
        self.constants: dict[str, Any] = {}

    def variable(self, name: str) -> str:
        """The Python name of a variable."""
        return self.variables.setdefault(name, f"v{len(self.variables)}")

    def value(self, expr: ir.Expr) -> str:
        """Source text that gives the value. Raises ValueError for what must be captured first."""
        return _MAKERS[type(expr)](self, expr)

    def truth(self, expr: ir.Expr) -> str:
        """Source text that is true where the value is not 0; cheaper than the value of a comparison."""
        if isinstance(expr, ir.Logical):
            return f"({self.truth(expr.left)} {'and' if expr.op == '&&' else 'or'} {self.truth(expr.right)})"
        if isinstance(expr, ir.Unary) and expr.op == "!":
            return f"(not {self.truth(expr.operand)})"
        if isinstance(expr, ir.Binary) and expr.op in _COMPARISONS:
            return self._comparison(expr)
        if isinstance(expr, ir.Compare):
            return self._likeness(expr)
        if isinstance(expr, ir.Contains):
            return f"({self.value(expr.part)} in {self.value(expr.text)})"
        if isinstance(expr, ir.MapHasKey):
            return f"({self.key(expr.map, expr.keys)} in {self._stores[expr.map].code})"
        return self.value(expr)

    def fitted(self, expr: ir.Expr, kind: CType) -> str:
        """The value as it is stored where `kind` is declared: strings and integers cut to their size."""
        text = self.value(expr)
        if isinstance(kind, String) and isinstance(expr.type, String) and expr.type.size > kind.size:
            return f"cut({text}, {kind.size})"
        return converted(text, kind.size, kind.signed) if isinstance(kind, Int) and not _fits(expr, kind) else text

    def key(self, name: str, keys: tuple[ir.Expr, ...]) -> str:
        """The tuple that is the key."""
        kinds = self._stores[name].decl.keys
        parts = [self.fitted(key, kind) for key, kind in zip(keys, kinds)]
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"

    def constant(self, value: Any) -> str:
        """The name under which generated code finds an object."""
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    # --- one maker per kind of expression ---

    def _number(self, expr: ir.Const) -> str:
        return f"({expr.value})" if expr.value < 0 else str(expr.value)

    def _text(self, expr: ir.Text) -> str:
        return repr(expr.value)

    def _captured(self, expr: ir.Captured) -> str:
        return f"r[{expr.index}]"

    def _builtin(self, expr: ir.Builtin) -> str:
        if expr.name in _BUILTINS:
            return _BUILTINS[expr.name]
        if expr.name in self._builtins:
            return str(self._builtins[expr.name])
        if self._own is None:
            raise ValueError(f"the builtin {expr.name} must be captured before evaluation")
        if expr.name == "probe":
            return "r[0]"
        return self.constant(self._own.get(expr.name, missing(expr.type)))

    def _uncaptured(self, expr: ir.Expr) -> str:
        raise ValueError(f"{type(expr).__name__} must be captured before evaluation")

    def _variable(self, expr: ir.Var) -> str:
        return self.variable(expr.name)

    def _map_value(self, expr: ir.MapValue) -> str:
        store = self._stores[expr.map]
        key, kind = self.key(expr.map, expr.keys), store.decl.value
        if isinstance(kind, (Hist, LinearHist)):
            raise ValueError(f"@{expr.map} is a histogram and has no value to compute with")
        if isinstance(kind, _STATEFUL):
            return f"mean({store.code}.get({key}), {kind.signed})"
        default = missing(expr.type)
        text = repr(default) if isinstance(default, (int, str, bytes)) else self.constant(default)
        return f"{store.code}.get({key}, {text})"

    def _map_length(self, expr: ir.MapLength) -> str:
        return f"len({self._stores[expr.map].code})"

    def _from_truth(self, expr: ir.Expr) -> str:
        return f"(1 if {self.truth(expr)} else 0)"

    def _unary(self, expr: ir.Unary) -> str:
        if expr.op == "!":
            return self._from_truth(expr)
        operand = self.value(expr.operand)
        return f"(~{operand})" if expr.op == "~" else _wrapped(f"-{operand}", _width(expr.operand) + 1)

    def _binary(self, expr: ir.Binary) -> str:
        if expr.op in _COMPARISONS:
            return self._from_truth(expr)
        if expr.op in "/%":
            return self._division(expr)
        left, right = self.value(expr.left), self.value(expr.right)
        if expr.op in _BIT_OPERATORS:
            return f"({left} {expr.op} {right})"
        if expr.op in ("<<", ">>"):
            return self._shift(expr, left, right)
        return _wrapped(f"{left} {expr.op} {right}", _width(expr))

    def _shift(self, expr: ir.Binary, left: str, right: str) -> str:
        count = str(expr.right.value & 63) if isinstance(expr.right, ir.Const) else f"({right} & 63)"
        if expr.op == "<<":
            return _wrapped(f"{left} << {count}", 128)
        if expr.signed or _never_negative(expr.left):
            return f"({left} >> {count})"
        return _wrapped(f"({left} & {MASK}) >> {count}", 64)

    def _division(self, expr: ir.Binary) -> str:
        left, right = self.value(expr.left), self.value(expr.right)
        if isinstance(expr.right, ir.Const) and expr.right.value > 0 and _never_negative(expr.left):
            return f"({left} {'//' if expr.op == '/' else '%'} {right})"
        name = "divide" if expr.op == "/" else "remainder"
        if expr.signed:
            return f"wrap({name}({left}, {right}))"
        return f"wrap({name}({left} & {MASK}, {right} & {MASK}))"

    def _comparison(self, expr: ir.Binary) -> str:
        left, right = self.value(expr.left), self.value(expr.right)
        if expr.signed or expr.op in ("==", "!="):
            return f"({left} {expr.op} {right})"
        left = left if _never_negative(expr.left) else f"({left} & {MASK})"
        right = right if _never_negative(expr.right) else f"({right} & {MASK})"
        return f"({left} {expr.op} {right})"

    def _likeness(self, expr: ir.Compare) -> str:
        left, right = self.value(expr.left), self.value(expr.right)
        if expr.length:
            return f"({'not ' if expr.op == '!=' else ''}same_start({left}, {right}, {expr.length}))"
        return f"({left} {expr.op} {right})"

    def _cut(self, expr: ir.Cut) -> str:
        assert isinstance(expr.type, String)
        return f"shortened({self.value(expr.text)}, {self.value(expr.length)}, {expr.type.size})"

    def _text_length(self, expr: ir.TextLength) -> str:
        return f"length_of({self.value(expr.text)})"

    def _text_byte(self, expr: ir.TextByte) -> str:
        return f"byte_at({self.value(expr.text)}, {expr.index})"

    def _ternary(self, expr: ir.Ternary) -> str:
        return f"({self.value(expr.then)} if {self.truth(expr.condition)} else {self.value(expr.otherwise)})"

    def _convert(self, expr: ir.Convert) -> str:
        if isinstance(expr.type, Bool):
            return self._from_truth(expr.operand)
        if not isinstance(expr.type, (Int, Enumerated)) or expr.type.size == 8:
            return self.value(expr.operand)
        if isinstance(expr.operand, ir.Const):
            return str(convert(expr.operand.value, expr.type.size, expr.type.signed))
        return converted(self.value(expr.operand), expr.type.size, expr.type.signed)

    def _address(self, expr: ir.Address) -> str:
        operand = self.value(expr.operand)
        if isinstance(expr.type, Symbol):
            pair = isinstance(expr.operand, ir.TupleValue)
            return f"SymbolValue(*{operand})" if pair else f"SymbolValue({operand})"
        if isinstance(expr.type, Inet) and not isinstance(expr.operand.type, (Array, Inet)):
            return f"({operand} & 0xffffffff).to_bytes(4, byteorder)"
        return operand

    def _tuple(self, expr: ir.TupleValue) -> str:
        return "(" + "".join(f"{self.value(item)}, " for item in expr.items) + ")"

    def _item(self, expr: ir.TupleItem) -> str:
        return f"{self.value(expr.base)}[{expr.index}]"


_BUILTINS = {"nsecs": "t", "elapsed": "(t - start)", "cpu": "c", "rand": "random()"}

_MAKERS: Mapping[type, Callable[[Expressions, Any], str]] = {
    ir.Const: Expressions._number,
    ir.Text: Expressions._text,
    ir.Captured: Expressions._captured,
    ir.Builtin: Expressions._builtin,
    ir.Field: Expressions._uncaptured,
    ir.Arg: Expressions._uncaptured,
    ir.Retval: Expressions._uncaptured,
    ir.Register: Expressions._uncaptured,
    ir.Load: Expressions._uncaptured,
    ir.ReadString: Expressions._uncaptured,
    ir.ReadBytes: Expressions._uncaptured,
    ir.Var: Expressions._variable,
    ir.MapValue: Expressions._map_value,
    ir.MapHasKey: Expressions._from_truth,
    ir.MapLength: Expressions._map_length,
    ir.Unary: Expressions._unary,
    ir.Binary: Expressions._binary,
    ir.Compare: Expressions._from_truth,
    ir.Contains: Expressions._from_truth,
    ir.Cut: Expressions._cut,
    ir.TextLength: Expressions._text_length,
    ir.TextByte: Expressions._text_byte,
    ir.Logical: Expressions._from_truth,
    ir.Ternary: Expressions._ternary,
    ir.Convert: Expressions._convert,
    ir.Address: Expressions._address,
    ir.TupleValue: Expressions._tuple,
    ir.TupleItem: Expressions._item,
}


def _wrapped(text: str, width: int) -> str:
    """The value of `text`, of at most `width` bits and a sign, brought into 64 bits where it may leave them."""
    if width <= 63:
        return f"({text})"
    return f"(_t if -{LIMIT} <= (_t := {text}) < {LIMIT} else wrap(_t))"


def converted(text: str, size: int, signed: bool) -> str:
    """Source text that cuts a value to `size` bytes and extends it again."""
    mask, sign = (1 << 8 * size) - 1, 1 << (8 * size - 1)
    return f"((({text} & {mask}) ^ {sign}) - {sign})" if signed else f"({text} & {mask})"


def _width(expr: ir.Expr) -> int:
    """How many bits, without sign, the value can need; 63 or more where nothing is known.

    Only what is read or converted is cut to its type's size: arithmetic is on 64 bits whatever its type says.
    """
    if isinstance(expr, ir.Const):
        return expr.value.bit_length()
    if isinstance(expr, (ir.Captured, ir.Builtin, ir.Convert)):
        return 8 * expr.type.size if isinstance(expr.type, (Int, Enumerated)) else 1 if expr.type == Bool() else 64
    if isinstance(expr, ir.Binary):
        return _binary_width(expr)
    return 1 if isinstance(expr, (ir.Logical, ir.Compare, ir.MapHasKey, ir.Contains)) else 64


def _fits(expr: ir.Expr, kind: Int) -> bool:
    if kind.size == 8:
        return True
    return _width(expr) <= 8 * kind.size - kind.signed and (kind.signed or _never_negative(expr))


def _binary_width(expr: ir.Binary) -> int:
    if expr.op in _COMPARISONS:
        return 1
    left, right = _width(expr.left), _width(expr.right)
    if expr.op in "+-":
        return max(left, right) + 1
    if expr.op == "*":
        return left + right
    return min(left, 64) if expr.op in ("/", "%", ">>") and _never_negative(expr.left) else 64


def _never_negative(expr: ir.Expr) -> bool:
    """Is the signed 64-bit form surely the same as the unsigned one?"""
    if isinstance(expr, ir.Const):
        return expr.value >= 0
    if isinstance(expr, (ir.Captured, ir.Convert)):
        return isinstance(expr.type, (Int, Enumerated)) and expr.type.size < 8 and not expr.type.signed
    return isinstance(expr, ir.Builtin) and expr.name in ("nsecs", "cpu", "ncpus", "cpid", "elapsed")
