"""What of an event a hist trigger can use: as a key, as a summed value, as its filter.

Each answer gives exactly what user space would compute from the record, or raises `Stays` with the reason.
"""

from __future__ import annotations

from typing import Optional

from xtrace.backends.ftrace.features import Features
from xtrace.backends.ftrace.fetch import integer
from xtrace.backends.ftrace.filters import Filter, Operand, keeps, kernel_filter
from xtrace.backends.ftrace.hist import STACK_DEPTH, STACK_KEY, TEXT_WIDTH
from xtrace.backends.ftrace.model import Column, HistKey, KeyKind, Source
from xtrace.backends.ftrace.placement import Placed
from xtrace.core import ir
from xtrace.core.attach import Kprobe, Tracepoint
from xtrace.core.plan.capture import Capture, conjuncts
from xtrace.core.records import dataclass
from xtrace.core.syscall_abi import SHIFT, UNKNOWN
from xtrace.core.types import Array, Enumerated, Int, Pointer, Stack, String, Struct

THREAD = "common_pid"


class Stays(Exception):  # noqa: N818 - it is an answer, not a failure
    """Why something is left to user space; the words end "…, because" of a sentence that `xtrace plan` shows."""


class Offered(Stays):
    """The kernel would do it where the user asks for that: it costs more, or says a little less."""


class Unnamed(Offered):
    """The event does not carry the task's name, which only an event probe on it would record."""


@dataclass(frozen=True)
class Numeric:
    """A field of the record as a number."""

    field: str
    size: int
    signed: bool


@dataclass(frozen=True)
class HistFields:
    """One clause on one event. `asked`: the user wants the kernel to aggregate, even where that costs more or says a
    little less. `names`: so also for the names of tasks."""

    capture: Capture
    place: Placed
    columns: tuple[int, ...]
    features: Features
    asked: bool
    names: bool

    def key(self, expr: ir.Expr, condition: Optional[ir.Expr]) -> HistKey:
        """One part of a map's key. What the condition fixes needs no place in the table."""
        if isinstance(expr, ir.Const):
            return HistKey("", KeyKind.CONSTANT, constant=expr.value)
        if isinstance(expr, ir.Text):
            return HistKey("", KeyKind.CONSTANT, constant=expr.value)
        if isinstance(expr, ir.Builtin) and expr.name == "cpu":
            return HistKey("common_cpu")
        inner = without_casts(_unnamed(expr))
        if isinstance(inner, ir.Binary) and self._of_abi(inner.right):
            return self._call_key(inner.left)
        if not isinstance(inner, ir.Captured):
            raise Stays("a key is computed")
        fixed = _fixed(inner, condition)
        if fixed is not None:
            return HistKey("", KeyKind.CONSTANT, constant=fixed)
        return self._captured_key(self._column(inner))

    def _captured_key(self, column: Column) -> HistKey:
        if column.source is Source.TID:
            return HistKey(THREAD)
        if column.source is Source.PID:
            return HistKey(THREAD, KeyKind.PROCESS)
        if column.source is Source.COMM:
            return self._name_key()
        if column.source is Source.KERNEL_STACK:
            return self._stack_key(column)
        if column.source is Source.CONSTANT:
            return HistKey("", KeyKind.CONSTANT, constant=column.text or column.value)
        if isinstance(column.type, String):
            return self._text_key(column, column.type)
        found = self._numeric(column)
        return HistKey(found.field, KeyKind.NUMBER, found.size, found.signed)

    def _of_abi(self, mark: ir.Expr) -> bool:
        """Is it what `syscall_name()` adds to a number?"""
        abi = mark.left if isinstance(mark, ir.Binary) else None
        return isinstance(abi, ir.Captured) and self._column(abi).source is Source.SYSCALL_ABI

    def _call_key(self, number: ir.Expr) -> HistKey:
        if not self.asked:
            raise Offered(
                "the kernel's tables do not tell the ABI of system calls (--aggregate kernel shows the names of both)"
            )
        found = self.number(number)
        return HistKey(found.field, KeyKind.NUMBER, found.size, found.signed, mark=UNKNOWN << SHIFT)

    def _name_key(self) -> HistKey:
        """`common_comm` is the name at each event (7.x); `.execname` the one at a thread's first event."""
        if self.features.common_comm and isinstance(self.place.attach, Tracepoint):
            return HistKey("common_comm", KeyKind.TEXT)
        if self.names:
            return HistKey(THREAD, KeyKind.NAME)
        raise Unnamed("this kernel's tables keep the name that a thread had first (--aggregate kernel takes that)")

    def _stack_key(self, column: Column) -> HistKey:
        mode = getattr(column.type, "mode", "")
        if not self.asked:
            raise Offered(f"the kernel's tables keep {STACK_DEPTH} frames of a stack (--aggregate kernel takes that)")
        if mode != "bpftrace":
            raise Stays(f"the kernel's tables have no addresses, which stacks in {mode} mode show")
        depth = column.type.depth if isinstance(column.type, Stack) else STACK_DEPTH
        point = self.place.attach
        start = point.symbol if isinstance(point, Kprobe) and not point.returns and not point.sites else ""
        return HistKey(STACK_KEY, KeyKind.STACK, depth=min(depth, STACK_DEPTH), start=start)

    def _text_key(self, column: Column, kind: String) -> HistKey:
        if column.source is not Source.FIELD or column.guards or column.field != column.last:
            raise Stays("a key is a string that is read from memory")
        held = column.member.size if column.member else kind.size
        if (column.member and column.member.location != "inline") or not 0 < held <= min(TEXT_WIDTH, kind.size):
            raise Stays(f"a key is a string of more than {TEXT_WIDTH} bytes")
        return HistKey(column.field, KeyKind.TEXT)

    def number(self, expr: ir.Expr) -> Numeric:
        """A value that the kernel sums or sorts into buckets."""
        inner = without_casts(expr)
        if not isinstance(inner, ir.Captured):
            raise Stays("the value is computed")
        return self._numeric(self._column(inner))

    def _column(self, expr: ir.Captured) -> Column:
        return self.place.columns.columns[self.columns[expr.index]]

    def _numeric(self, column: Column) -> Numeric:
        if column.source is not Source.FIELD or column.field != column.last:
            raise Stays(f"the kernel's tables do not know the {column.source.value} of an event")
        if column.guards:
            raise Stays("a value is read through a pointer, whose faults only user space sees")
        size, signed = integer(column.type)
        if not size or not _plain(column, size):
            raise Stays(f"the field {column.field} is no plain number")
        return Numeric(column.field, size, signed)

    def filter(self, condition: Optional[ir.Expr]) -> str:
        """The condition as a trigger's own filter, which must be exactly that."""
        if condition is None:
            return ""
        made = self._filter(condition)
        if made is None or not made.exact:
            raise Stays("an event filter cannot test the whole predicate")
        return made.text

    def _filter(self, condition: ir.Expr) -> Optional[Filter]:
        return kernel_filter(condition, self.operand, self.features.bit_tests)

    def operand(self, expr: ir.Expr) -> Optional[Operand]:
        """The field by which a filter tests a leaf, None for anything else."""
        return self.place.columns.operand(self.capture.leaves[expr.index]) if isinstance(expr, ir.Captured) else None


def _plain(column: Column, size: int) -> bool:
    """Does the kernel read the field as the number that user space reads? Not bit fields, arrays, or pointers to
    text, which it takes for strings."""
    member = column.member
    if member is None:
        return True
    if member.location != "inline" or member.bit_size or member.size != size:
        return False
    if isinstance(member.type, Pointer):
        return not (isinstance(member.type.to, Int) and member.type.to.size == 1)
    return not isinstance(member.type, (Array, Struct, String))


def _unnamed(expr: ir.Expr) -> ir.Expr:
    """The number that is shown as a name."""
    return expr.operand if isinstance(expr, ir.Address) and isinstance(expr.type, Enumerated) else expr


def without_casts(expr: ir.Expr) -> ir.Expr:
    """The expression under casts that keep its value."""
    while isinstance(expr, ir.Convert) and keeps(expr):
        expr = expr.operand
    return expr


def _fixed(leaf: ir.Captured, condition: Optional[ir.Expr]) -> int | str | None:
    """The only value that a leaf can have where the condition holds, if that is so: `comm == "x" && …`."""
    for one in conjuncts(condition):
        if not isinstance(one, (ir.Binary, ir.Compare)) or one.op != "==" or getattr(one, "length", False):
            continue
        for this, other in ((one.left, one.right), (one.right, one.left)):
            if without_casts(this) == leaf and isinstance(other, (ir.Const, ir.Text)):
                return other.value
    return None
