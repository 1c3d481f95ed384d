"""Expressions as fetch arguments: what the kernel itself can read when a probe is hit.

Grammar: Documentation/trace/kprobetrace.rst, uprobetracer.rst, eprobetrace.rst. A fetch argument is a register, a
field of the event under an event probe, or memory read through those by constant offsets; anything else is computed
in user space from what was recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

from xtrace.backends.ftrace import registers
from xtrace.backends.ftrace.features import Features
from xtrace.backends.ftrace.tokens import MAX_FETCH
from xtrace.core import ir
from xtrace.core.attach import Attach, Kprobe, Tracepoint, Uprobe, UsdtSite
from xtrace.core.records import dataclass
from xtrace.core.types import Array, Bool, Buffer, CType, Enumerated, Inet, Int, Member, Pointer, Space, String, Struct

MAX_BYTES = 128
"""Longest `buf()` that is recorded, in bytes: it takes a fetch argument for every eight."""


@dataclass(frozen=True)
class Fetch:
    """One or more fetch arguments (`expression:type`) that lie next to each other in the record and hold one value.

    `guards` are the pointers that were followed. `constant` is set instead where nothing needs to be recorded.
    """

    arguments: tuple[str, ...]
    guards: tuple[str, ...] = ()
    constant: Optional[int] = None


@dataclass(frozen=True)
class Refused:
    """Why an expression cannot be recorded, and what would help."""

    reason: str
    remedy: str = ""


@dataclass(frozen=True)
class Place:
    """Where a probe fires, as far as reading values is concerned. `user`: memory is that of a user program."""

    arch: str
    features: Features
    user: bool
    entry: bool
    returns: bool
    leaf: Callable[[ir.Expr], str | Refused | int]
    """A value without memory reads as a fetch expression; an int for a constant."""


def place_of(attach: Attach, features: Features, arch: str, site: Optional[UsdtSite] = None) -> Place:
    """How values are read at an attach point; `site` is the one of a USDT probe or inlined function that is meant."""
    if isinstance(attach, Tracepoint):
        return Place(arch, features, False, False, False, lambda expr: _event_leaf(expr, attach))
    if isinstance(attach, Kprobe) and site is not None:
        return Place(arch, features, False, False, False, lambda expr: _usdt_leaf(expr, arch, site))
    if isinstance(attach, Kprobe):
        entry = not attach.returns and attach.offset == 0 and not attach.sites
        if by_fprobe(attach, features):
            return Place(arch, features, False, entry, attach.returns, lambda e: _fprobe_leaf(e, attach, features))
        known = entry or (attach.trampoline and features.arguments_at_return)
        named = known and (attach.returns or features.kprobe_args)
        leaf = lambda expr: _function_leaf(expr, arch, known, attach.returns, named)  # noqa: E731
        return Place(arch, features, False, entry, attach.returns, leaf)
    if isinstance(attach, Uprobe):
        return Place(
            arch, features, True, not attach.returns, attach.returns,
            lambda expr: _function_leaf(expr, arch, not attach.returns, attach.returns),
        )  # fmt: skip
    assert site is not None
    return Place(arch, features, True, False, False, lambda expr: _usdt_leaf(expr, arch, site))


def by_fprobe(attach: Kprobe, features: Features) -> bool:
    """Is the function probed by an fprobe event? Those give arguments at the exit and need no kprobes, but take only
    whole functions and no registers."""
    if not features.fprobes or attach.sites or attach.offset or attach.module or not attach.symbol.isidentifier():
        return False
    return attach.trampoline or features.lacks("kprobe.usable")


def fetch(expr: ir.Expr, place: Place) -> Fetch | Refused:
    """How to record the value of a leaf, a memory read, or a read through memory reads."""
    if isinstance(expr, ir.ReadString):
        return _string(expr, place)
    if isinstance(expr, ir.ReadBytes):
        return _bytes(expr, place)
    if isinstance(expr, ir.Load):
        return _load(expr, place)
    if isinstance(expr, ir.Builtin) and expr.name == "comm":
        return Fetch(("$comm:string",)) if place.features.comm_argument else Refused("$comm is not known here")
    leaf = place.leaf(expr)
    if isinstance(leaf, Refused):
        return leaf
    if isinstance(leaf, int):
        return Fetch((), constant=leaf)
    if isinstance(expr, ir.Field) and isinstance(expr.type, String):
        return Fetch((f"{leaf}:string",))
    return Fetch((leaf if ":" in leaf else f"{leaf}:{_width(place, leaf)}",))


def _width(place: Place, leaf: str) -> str:
    return "s64" if not place.arch.startswith(("i686", "armv7")) else "s32"


# --- leaves ------------------------------------------------------------------------------------------------------


def _function_leaf(
    expr: ir.Expr, arch: str, entry: bool, returns: bool, kernel_args: bool = False
) -> str | Refused | int:
    if isinstance(expr, ir.Retval):
        return "$retval" if returns else Refused("there is a return value only where a function returns")
    if isinstance(expr, ir.Register):
        name = registers.register(arch, expr.name)
        return f"%{name}" if name else Refused(f"{arch} has no register {expr.name!r}")
    if isinstance(expr, ir.Arg):
        if not entry:
            remedy = "save the argument in a map at the function's entry, @args[tid] = arg0"
            return Refused("arguments are only known at a function's entry", remedy)
        if kernel_args:
            return f"$arg{expr.index + 1}"
        found = registers.argument(arch, expr.index)
        return found or Refused(f"where {arch} passes argument {expr.index} is not known to xtrace")
    return _other_leaf(expr)


def _fprobe_leaf(expr: ir.Expr, attach: Kprobe, features: Features) -> str | Refused | int:
    if isinstance(expr, ir.Register):
        return Refused("an fprobe event records arguments, not registers", "use a kprobe")
    known = not attach.returns or features.fprobe_arguments_at_exit
    return _function_leaf(expr, features.arch, known, attach.returns, kernel_args=True)


def _usdt_leaf(expr: ir.Expr, arch: str, site: UsdtSite) -> str | Refused | int:
    if not isinstance(expr, ir.Arg):
        return _other_leaf(expr)
    if expr.index >= len(site.arguments):
        return Refused(f"the probe has {len(site.arguments)} arguments, counted from arg0")
    argument = site.arguments[expr.index]
    operand = registers.operand(arch, argument)
    if operand is None and not argument.operand:
        return Refused("the argument does not exist any more where the function was inlined")
    if operand is None:
        return Refused(f"tracefs cannot read a USDT argument at {argument.operand!r}", "--backend bcc can")
    if operand.constant is not None:
        return operand.constant
    return f"{operand.fetch}:{'s' if argument.signed else 'u'}{8 * argument.size}"


def _event_leaf(expr: ir.Expr, attach: Tracepoint) -> str | Refused | int:
    if not isinstance(expr, ir.Field):
        return _other_leaf(expr)
    member = expr.member
    # An event probe takes integers and strings of the record, no arrays (get_event_field, kernel/trace/trace_eprobe.c).
    if isinstance(member.type, (Array, Struct)) or not member.name.isidentifier():
        return Refused(f"an event probe does not record args.{member.name}, which is (part of) an array")
    return f"${member.name}"


def _other_leaf(expr: ir.Expr) -> str | Refused | int:
    if isinstance(expr, ir.Const):
        return expr.value
    if isinstance(expr, ir.Builtin):
        return Refused(f"ftrace does not record {expr.name}", "--backend bcc or systemtap")
    return Refused("ftrace reads only registers, fields, and memory at constant offsets from them")


# --- memory ------------------------------------------------------------------------------------------------------


def _load(expr: ir.Load, place: Place) -> Fetch | Refused:
    address = _address(expr.base, expr.offset, expr.space, place)
    if isinstance(address, Refused):
        return address
    code = _load_type(expr)
    if code is None:
        return Refused(f"ftrace cannot record a value of type {type(expr.type).__name__.lower()}")
    return _checked(Fetch((f"{address.text}:{code}",), address.guards))


def _load_type(expr: ir.Load) -> Optional[str]:
    size, signed = integer(expr.type)
    if size not in (1, 2, 4, 8):
        return None
    if expr.bit_size:
        return f"b{expr.bit_size}@{expr.bit_offset}/{8 * size}"
    return f"{'s' if signed else 'u'}{8 * size}"


def integer(kind: CType) -> tuple[int, bool]:
    """Size in bytes and signedness of a type that is read as one integer; (0, False) for others."""
    if isinstance(kind, (Int, Enumerated)):
        return kind.size, kind.signed
    if isinstance(kind, Bool):
        return 1, False
    return (8, False) if isinstance(kind, Pointer) else (0, False)


def _string(expr: ir.ReadString, place: Place) -> Fetch | Refused:
    """A string; an address of unknown space is the type `string`'s, which tells the spaces apart by the address
    (Linux 9de1fec50b23, v5.6, and before 5.3 read both alike)."""
    address = _address(expr.address, 0, Space.AUTO, place)
    if isinstance(address, Refused):
        return address
    user_type = expr.space is Space.USER and not place.user and place.features.ustring
    return _checked(Fetch((f"{address.text}:{'ustring' if user_type else 'string'}",), address.guards))


def _bytes(expr: ir.ReadBytes, place: Place) -> Fetch | Refused:
    if not isinstance(expr.length, ir.Const):
        return Refused("ftrace records bytes only of a constant length", "give buf() a constant length")
    length = expr.length.value
    if not 0 < length <= MAX_BYTES:
        return Refused(f"ftrace records at most {MAX_BYTES} bytes of memory, not {length}", "read less, or use bcc")
    arguments: list[str] = []
    guards: tuple[str, ...] = ()
    position = 0
    while position < length:
        size = next(size for size in (8, 4, 2, 1) if size <= length - position)
        address = _address(expr.address, position, expr.space, place)
        if isinstance(address, Refused):
            return address
        arguments.append(f"{address.text}:u{8 * size}")
        guards = address.guards
        position += size
    return _checked(Fetch(tuple(arguments), guards))


@dataclass(frozen=True)
class _Address:
    text: str
    guards: tuple[str, ...]


def _address(base: ir.Expr, offset: int, space: Space, place: Place) -> _Address | Refused:
    """`+offset(base)`, with the pointer that it goes through as a guard."""
    base, offset = _with_offset(base, offset)
    guards: tuple[str, ...] = ()
    if isinstance(base, ir.Load):
        if base.bit_size or integer(base.type)[0] != 8:
            return Refused("ftrace follows only pointers of full size")
        inner = _address(base.base, base.offset, base.space, place)
        if isinstance(inner, Refused):
            return inner
        text, guards = inner.text, inner.guards
    else:
        leaf = place.leaf(base)
        if isinstance(leaf, Refused):
            return leaf
        if isinstance(leaf, int):
            return _absolute(leaf + offset, place)
        text = leaf.partition(":")[0]
        if ":" in leaf and not leaf.endswith("64"):
            return Refused("the argument is too small to be a pointer")
    mark = "u" if space is Space.USER and not place.user and place.features.ustring else ""
    sign = "+" if offset >= 0 else "-"
    return _Address(f"{sign}{mark}{abs(offset)}({text})", (*guards, f"{text}:u64"))


def _absolute(address: int, place: Place) -> _Address | Refused:
    if place.user:
        return Refused("ftrace cannot read a user program's memory at a fixed address")
    return _Address(f"@0x{address & (1 << 64) - 1:x}", ())


def _with_offset(base: ir.Expr, offset: int) -> tuple[ir.Expr, int]:
    """A base without the constants added to it and without casts that change nothing."""
    while True:
        if isinstance(base, ir.Convert) and integer(base.type)[0] == 8:
            base = base.operand
        elif isinstance(base, ir.Binary) and base.op in ("+", "-") and isinstance(base.right, ir.Const):
            offset += base.right.value if base.op == "+" else -base.right.value
            base = base.left
        elif isinstance(base, ir.Binary) and base.op == "+" and isinstance(base.left, ir.Const):
            offset += base.left.value
            base = base.right
        else:
            return base, offset


def _checked(made: Fetch) -> Fetch | Refused:
    if any(len(argument.partition(":")[0]) > MAX_FETCH for argument in made.arguments):
        return Refused(f"reading through this many pointers takes more than {MAX_FETCH} characters in tracefs")
    return made


def record_type(expr: ir.Expr) -> CType:
    """The type by which a recorded leaf is decoded."""
    kind = expr.type
    if isinstance(kind, (String, Buffer, Inet, Array)):
        return kind
    if isinstance(expr, (ir.Arg, ir.Retval, ir.Register)):
        return Int(8, True)
    size, signed = integer(kind)
    return Int(size or 8, signed)


def field_member(members: dict[str, Member], first: str, last: str, kind: CType) -> Member:
    """The bytes from field `first` to field `last` of a record as one member. Raises KeyError for unknown fields."""
    begin, end = members[first], members[last]
    size = end.offset + end.size - begin.offset
    if begin.location != "inline" or first == last:
        return Member(first, kind, begin.offset, begin.size, location=begin.location)
    return Member(first, kind, begin.offset, size)
