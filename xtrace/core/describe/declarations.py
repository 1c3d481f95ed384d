"""Types and fields as C writes them, for people who read listings."""

from __future__ import annotations

from xtrace.core import attach as at
from xtrace.core.types import (
    Array,
    Bool,
    CType,
    Enumerated,
    Inet,
    Int,
    Member,
    Pointer,
    Stack,
    String,
    Struct,
    Void,
)

_SIGNED = {1: "char", 2: "short", 4: "int", 8: "long"}
_UNSIGNED = {1: "unsigned char", 2: "unsigned short", 4: "unsigned int", 8: "unsigned long"}
_WORDS: dict[type, str] = {Void: "void", Bool: "bool", Inet: "inet", String: "string"}


def type_name(kind: CType) -> str:
    """A type in C's words, without the name of what has it: `unsigned int`, `struct sock *`, `char[16]`."""
    if isinstance(kind, Int):
        return (_SIGNED if kind.signed else _UNSIGNED).get(kind.size, f"{'' if kind.signed else 'u'}int{8 * kind.size}")
    if isinstance(kind, Pointer):
        inner = type_name(kind.to)
        return f"{inner}*" if inner.endswith("*") else f"{inner} *"
    if isinstance(kind, Array):
        return f"{type_name(kind.of)}[{kind.count or ''}]"
    if isinstance(kind, Struct):
        return f"{'union' if kind.union else 'struct'} {kind.name or '{…}'}"
    if isinstance(kind, Enumerated):
        return f"enum {kind.name}"
    if isinstance(kind, Stack):
        return "ustack" if kind.user else "kstack"
    return _WORDS.get(type(kind), "unknown")


def declaration(name: str, kind: CType) -> str:
    """`name` declared with a type: `int fd`, `char comm[16]`, `struct sock * sk`."""
    if isinstance(kind, Array):
        return f"{declaration(name, kind.of)}[{kind.count or ''}]"
    return f"{type_name(kind)} {name}"


def member(found: Member) -> str:
    """A field in the host's own words where it has some."""
    if found.declaration:
        return " ".join(found.declaration.split())
    return declaration(found.name, found.type)


def arguments(point: at.Attach) -> tuple[str, ...]:
    """What `args` and the argument builtins give at an attach point, one declaration each."""
    if isinstance(point, at.Tracepoint):
        return tuple(member(one) for one in point.fields)
    if isinstance(point, at.Kprobe):
        result = () if point.result is None else (declaration("retval", point.result),)
        return result if point.returns else tuple(declaration(one.name, one.type) for one in point.parameters)
    if isinstance(point, at.Usdt) and point.sites:
        sites = point.sites[0].arguments
        return tuple(declaration(f"arg{n}", Int(one.size, one.signed)) for n, one in enumerate(sites))
    return ()
