"""What the tests of typing share: a small kernel of their own, and short ways to type a program text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Optional

from xtrace.core import ir
from xtrace.core.attach import Attach, Begin, End, Interval, Kprobe, Parameter, Profile, Tracepoint, Uprobe
from xtrace.core.errors import ProgramError
from xtrace.core.lang import ast
from xtrace.core.lang.parser import parse
from xtrace.core.lang.source import Source
from xtrace.core.lang.typing import EventSource, Settings, Typer, check
from xtrace.core.types import Array, CType, Enumerated, Int, Member, Pointer, Space, Struct

CHAR, U8, U16, U32, U64 = Int(1, True), Int(1, False), Int(2, False), Int(4, False), Int(8, False)
I32, I64 = Int(4, True), Int(8, True)


class SmallKernel:
    """Types of a kernel that has a few structs only."""

    STRUCTS: Mapping[str, tuple[int, tuple[Member, ...]]] = {
        "sock": (
            760,
            (Member("__sk_common", Struct("sock_common", 136), 0, 136), Member("sk_flags", U8, 200, 1, 3, 2)),
        ),
        "sock_common": (
            136,
            (
                Member("skc_daddr", U32, 0, 4),
                Member("skc_dport", U16, 12, 2),
                Member("skc_v6_daddr", Array(U8, 16), 56, 16),
            ),
        ),
        "task_struct": (
            9000,
            (
                Member("comm", Array(CHAR, 16), 3000, 16),
                Member("real_parent", Pointer(Struct("task_struct", 9000)), 2500, 8),
                Member("tgid", I32, 2404, 4),
                Member("cpus", Array(U32, 4), 100, 16),
            ),
        ),
        "path": (16, (Member("dentry", Pointer(Struct("dentry", 192)), 8, 8),)),
        "dentry": (192, (Member("d_name", Struct("qstr", 16), 32, 16),)),
        "qstr": (16, (Member("name", Pointer(U8), 8, 8), Member("len", U32, 4, 4))),
    }
    ENUMERATORS: Mapping[str, int] = {"SKB_DROP_REASON_NOT_SPECIFIED": 2, "TCP_CLOSE": 7}

    def struct(self, name: str) -> Optional[CType]:
        found = self.STRUCTS.get(name)
        return Struct(name, found[0]) if found else None

    def member(self, struct: str, name: str) -> Optional[Member]:
        return next((member for member in self.members(struct) if member.name == name), None)

    def members(self, struct: str) -> tuple[Member, ...]:
        return self.STRUCTS.get(struct, (0, ()))[1]

    def typedef(self, name: str) -> Optional[CType]:
        known: dict[str, CType] = {"sa_family_t": U16, "enum skb_drop_reason": Enumerated("skb_drop_reason")}
        return known.get(name)

    def enumerator(self, name: str) -> Optional[int]:
        return self.ENUMERATORS.get(name)

    def enum_values(self, enum: str) -> Mapping[int, str]:
        return {}


OPENAT = Tracepoint(
    "tracepoint:syscalls:sys_enter_openat",
    "syscalls",
    "sys_enter_openat",
    (Member("dfd", I64, 16, 8), Member("filename", Pointer(CHAR), 24, 8), Member("flags", I64, 32, 8)),
)
KFREE_SKB = Tracepoint(
    "tracepoint:skb:kfree_skb",
    "skb",
    "kfree_skb",
    (
        Member("skbaddr", Pointer(Struct("sk_buff")), 8, 8),
        Member("protocol", U16, 24, 2),
        Member("reason", Enumerated("skb_drop_reason"), 28, 4),
        Member("saddr", Array(U8, 4), 32, 4),
        Member("name", CHAR, 36, 4, location="data_loc"),
        Member("args", Array(U64, 6), 40, 48),
        Member("task", Array(CHAR, 16), 88, 16),
    ),
)
VFS_READ = Kprobe(
    "kprobe:vfs_read",
    "vfs_read",
    "vfs_read",
    parameters=(Parameter("file", Pointer(Struct("file"))), Parameter("buf", Pointer(CHAR, Space.USER)),
                Parameter("count", U32)),
)  # fmt: skip
VFS_READ_RETURN = replace(VFS_READ, name="kretprobe:vfs_read", returns=True, result=I32)
MALLOC = Uprobe("uprobe:/lib/libc.so.6:malloc", "/lib/libc.so.6", "malloc", 0x1000)

PLACES: dict[str, Attach] = {
    "begin": Begin(),
    "end": End(),
    "interval": Interval("interval:s:1", 10**9),
    "profile": Profile("profile:hz:99", 99),
    "tracepoint": KFREE_SKB,
    "kprobe": Kprobe("kprobe:f", "f", "f"),
    "kretprobe": Kprobe("kretprobe:f", "f", "f", returns=True),
    "uprobe": MALLOC,
}


def typed(text: str, *attach: Attach, source: Optional[EventSource] = None, **settings: Any) -> ir.Program:
    """The program typed for the small kernel; clause after clause at the given attach points, or at what PLACES has
    for its probe type. Raises ProgramError with everything that is wrong."""
    program = parse(Source("test.bt", text))
    typer = Typer(program, SmallKernel(), Settings(**settings))
    for position, clause in enumerate(program.clauses):
        where = attach[position] if position < len(attach) else PLACES[clause.points[0].kind]
        typer.type_clause(clause, (where,), source)
    return typer.program()


def expression(text: str, attach: Attach = PLACES["kprobe"], **settings: Any) -> ir.Expr:
    """The typed form of one expression, as the value that `print` is given."""
    program = typed(f"kprobe:f {{ print({text}); }}", attach, **settings)
    output = program.clauses[0].body[-1]
    assert isinstance(output, ir.Output)
    return output.args[0]


def body(text: str, attach: Attach = PLACES["kprobe"], **settings: Any) -> tuple[ir.Stmt, ...]:
    """The typed statements of one clause."""
    return typed(f"kprobe:f {{ {text} }}", attach, **settings).clauses[0].body


def refusals(text: str, *attach: Attach, source: Optional[EventSource] = None, **settings: Any) -> dict[str, str]:
    """The complaints of a program that does not type: the text that each points at, by code."""
    try:
        typed(text, *attach, source=source, **settings)
    except ProgramError as error:
        return {one.code: one.span.text if one.span else "" for one in error.diagnostics}
    return {}


def complaints(text: str) -> list[tuple[str, str]]:
    """Code and place of everything that `check` says about a program text."""
    return [(one.code, one.span.text if one.span else "") for one in check(parse(Source("test.bt", text)))]


def parsed_expression(text: str) -> ast.Expr:
    """One expression as the parser sees it."""
    statement = parse(Source("event.yaml", f"begin {{ print({text}); }}")).clauses[0].body[0]
    assert isinstance(statement, ast.Do)
    assert isinstance(statement.expr, ast.Call)
    return statement.expr.args[0]
