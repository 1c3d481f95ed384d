"""What one kernel event must carry for its clauses, and where each value is in its record."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Optional

from xtrace.backends.ftrace import fetch
from xtrace.backends.ftrace.features import Features
from xtrace.backends.ftrace.fetch import Place, Refused
from xtrace.backends.ftrace.filters import Operand, text_operand
from xtrace.backends.ftrace.model import Column, Source
from xtrace.core import ir
from xtrace.core.attach import Attach, Kprobe, Profile, Tracepoint, Uprobe, UsdtSite
from xtrace.core.records import dataclass
from xtrace.core.types import Array, Enumerated, Int, Pointer, Stack, String, Struct

_KNOWN_BY_SESSION = {
    "tid": Source.TID,
    "pid": Source.PID,
    "uid": Source.UID,
    "gid": Source.GID,
    "ppid": Source.PPID,
    "cgroup": Source.CGROUP,
    "syscall_abi": Source.SYSCALL_ABI,
}
"""Builtins that user space finds out from the thread's id and the events that tell of forks, renames and execs."""

_NOT_RECORDED = {
    "curtask": "ftrace cannot record the address of the current task",
    "jiffies": "ftrace does not record the jiffies counter",
}
_REMEDIES = {"curtask": "--backend bcc or systemtap can", "jiffies": "use nsecs, which every event carries"}


@dataclass
class Columns:
    """The columns of one event while it is lowered. `own`: a definition of ours, with fetch arguments."""

    attach: Attach
    features: Features
    site: Optional[UsdtSite] = None
    own: bool = True
    columns: list[Column] = field(default_factory=list)
    arguments: list[tuple[str, str]] = field(default_factory=list)
    """Name and fetch argument of each field of a definition of ours."""
    _index: dict[ir.Expr, int] = field(default_factory=dict)
    _named: dict[tuple[str, int], str] = field(default_factory=dict)

    def add(self, leaf: ir.Expr) -> int | Refused:
        """The column that holds a leaf; made when it is first asked for."""
        if leaf not in self._index:
            made = self._column(leaf)
            if isinstance(made, Refused):
                return made
            self._index[leaf] = len(self.columns)
            self.columns.append(made)
        return self._index[leaf]

    def operand(self, leaf: ir.Expr) -> Optional[Operand]:
        """The field by which an event filter of the kernel can test a leaf; None where it cannot."""
        if isinstance(leaf, ir.Builtin):
            return self._generic_operand(leaf)
        position = self._index.get(leaf)
        column = self.columns[position] if position is not None else None
        if column is None or column.source is not Source.FIELD or column.field != column.last or column.guards:
            return None
        if isinstance(column.type, String):
            return self._text_operand(column, column.type)
        size, signed = fetch.integer(column.type)
        if column.member is not None and not _plain_number(column):
            return None
        return Operand(column.field, size, signed) if size else None

    def _text_operand(self, column: Column, kind: String) -> Optional[Operand]:
        if column.member is None:
            return text_operand(column.field, kind)
        held = column.member.size if column.member.location == "inline" else 0
        return text_operand(column.field, kind, held)

    def _generic_operand(self, leaf: ir.Builtin) -> Optional[Operand]:
        if leaf.name == "tid":
            return Operand("common_pid", 4, True)
        if (
            leaf.name == "comm"
        ):  # Linux 9f61668073a8, v4.4; a kernel without it refuses the filter, and user space tests
            return Operand("COMM" if self._has_field("comm") else "comm", text_size=16)
        return None

    def _has_field(self, name: str) -> bool:
        return isinstance(self.attach, Tracepoint) and any(member.name == name for member in self.attach.fields)

    # --- one column ---

    def _column(self, leaf: ir.Expr) -> Column | Refused:
        if isinstance(leaf, ir.Builtin):
            return self._builtin(leaf)
        if isinstance(self.attach, Profile):
            return Refused("a timer has no arguments")
        if not self.own:
            return self._of_event(leaf)
        return self._fetched(leaf)

    def _builtin(self, leaf: ir.Builtin) -> Column | Refused:
        if leaf.name in _KNOWN_BY_SESSION:
            return Column(_KNOWN_BY_SESSION[leaf.name], leaf.type)
        if leaf.name == "probe":
            return Column(Source.CONSTANT, leaf.type, text=self.attach.name)
        if leaf.name == "func":
            return Column(Source.CONSTANT, leaf.type, text=getattr(self.attach, "function", ""))
        if leaf.name == "comm":
            if self.own and self.features.comm_argument and not isinstance(self.attach, Profile):
                return self._fetched(leaf)
            return Column(Source.COMM, leaf.type)
        if leaf.name in ("kstack", "ustack"):
            return self._stack(leaf)
        if leaf.name in _NOT_RECORDED:
            return Refused(_NOT_RECORDED[leaf.name], _REMEDIES[leaf.name])
        return Refused(f"ftrace has no {leaf.name}", "--backend bcc or systemtap may")

    def _stack(self, leaf: ir.Builtin) -> Column | Refused:
        depth = leaf.type.depth if isinstance(leaf.type, Stack) else 127
        if leaf.name == "ustack":
            if not (isinstance(self.attach, Profile) or self.features.user_stacks):
                return Refused("this kernel records user stacks only for all users of tracing at once")
            caller = self._argument("$stack0:u64") if self._before_the_prologue else ""
            return Column(Source.USER_STACK, leaf.type, caller, caller, value=depth)
        if not (isinstance(self.attach, Profile) or self.features.kernel_stacks):
            return Refused("this kernel records stacks only for all users of tracing at once")
        return Column(Source.KERNEL_STACK, leaf.type, self._probed_place, self._probed_place, value=depth)

    @property
    def _probed_place(self) -> str:
        """The field of a kernel probe's record with the address at which its own stack begins."""
        if not isinstance(self.attach, Kprobe):
            return ""
        return "__probe_ret_ip" if self.attach.returns else "__probe_ip"

    @property
    def _before_the_prologue(self) -> bool:
        """Is the return address the top of the user's stack? Then the walk by frame pointers leaves the caller out."""
        attach = self.attach
        entry = isinstance(attach, Uprobe) and not attach.returns and attach.function.replace(".", "_").isidentifier()
        return entry and self.features.arch == "x86_64"

    def _of_event(self, leaf: ir.Expr) -> Column | Refused:
        """A value of a tracepoint's own record."""
        if isinstance(leaf, ir.Field):
            member = replace(leaf.member, type=leaf.type) if isinstance(leaf.type, String) else leaf.member
            return Column(Source.FIELD, leaf.type, member.name, member.name, member=member)
        if isinstance(leaf, ir.ReadString) and isinstance(leaf.address, ir.Field):
            return self._string_of_event(leaf, leaf.address)
        return Refused("a tracepoint's record holds no memory behind pointers", "--backend bcc reads it")

    def _string_of_event(self, leaf: ir.ReadString, pointer: ir.Field) -> Column | Refused:
        assert isinstance(self.attach, Tracepoint)
        recorded = self.features.string_field(self.attach.system, self.attach.event, pointer.member.name)
        if recorded:
            member = replace(next(m for m in self.attach.fields if m.name == recorded), type=leaf.type)
            return Column(Source.FIELD, leaf.type, recorded, recorded, member=member, size=_size(leaf))
        if leaf.late:
            member = pointer.member
            return Column(Source.LATE_STRING, leaf.type, member.name, member.name, member=member, size=_size(leaf))
        return Refused(
            "a tracepoint's record holds only the string's address, and this kernel has no event probes to read it",
            "--backend bcc reads it",
        )

    def _fetched(self, leaf: ir.Expr) -> Column | Refused:
        place = self._place
        made = fetch.fetch(leaf, place)
        if isinstance(made, Refused):
            return made
        if made.constant is not None:
            return Column(Source.CONSTANT, leaf.type, value=made.constant)
        guards = tuple(self._argument(guard) for guard in made.guards)
        record = fetch.record_type(leaf)
        if len(made.arguments) == 1:
            first = last = self._argument(made.arguments[0], record.size if isinstance(record, String) else 0)
        else:
            names = [self._new_argument(argument) for argument in made.arguments]
            first, last = names[0], names[-1]
        return Column(Source.FIELD, record, first, last, guards)

    @property
    def _place(self) -> Place:
        return fetch.place_of(self.attach, self.features, self.features.arch, self.site)

    def _argument(self, text: str, size: int = 0) -> str:
        """The argument that fetches `text`; strings of different sizes are cut where they are read, each its own."""
        if (text, size) not in self._named:
            self._named[text, size] = self._new_argument(text)
        return self._named[text, size]

    def _new_argument(self, text: str) -> str:
        name = f"a{len(self.arguments)}"
        self.arguments.append((name, text))
        return name


def needs_event_probe(attach: Attach, leaves: tuple[ir.Expr, ...], features: Features) -> bool:
    """Does a tracepoint's clause read memory that only an event probe on it can record?"""
    if not isinstance(attach, Tracepoint) or not features.event_probes:
        return False
    plain = Columns(attach, features, own=False)
    return any(isinstance(plain.add(_not_late(leaf)), Refused) for leaf in leaves if not isinstance(leaf, ir.Builtin))


def _not_late(leaf: ir.Expr) -> ir.Expr:
    return replace(leaf, late=False) if isinstance(leaf, ir.ReadString) and leaf.late else leaf


def makes_definition(attach: Attach) -> bool:
    """Is the attach point a probe that must be defined first?"""
    return not isinstance(attach, (Tracepoint, Profile))


def _size(leaf: ir.ReadString) -> int:
    return leaf.type.size if isinstance(leaf.type, String) else 64


def _plain_number(column: Column) -> bool:
    """Can filters compare this field of a tracepoint as a number? Not arrays, structs, or pointers to text, which
    filters take for strings (kernel/trace/trace_events_filter.c, filter_assign_type)."""
    member = column.member
    if member is None or member.location != "inline" or member.bit_size:
        return False
    if isinstance(member.type, (Array, Struct, String)):
        return False
    if isinstance(member.type, Pointer):
        return not (isinstance(member.type.to, Int) and member.type.to.size == 1)
    return isinstance(member.type, (Int, Enumerated)) or member.size == 1
