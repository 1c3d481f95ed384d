"""C type names to types: `unsigned int`, `u32`, `struct sock *`, typedefs of the kernel."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from xtrace.core.lang import ast
from xtrace.core.lang.typing.context import Context
from xtrace.core.lang.typing.host import Types
from xtrace.core.lang.typing.kinds import INT64, UINT64
from xtrace.core.types import Array, Bool, CType, Enumerated, Int, Pointer, String, Struct, Void

_UINT8, _UINT16, _UINT32 = Int(1, False), Int(2, False), Int(4, False)
_INT8, _INT16, _INT32 = Int(1, True), Int(2, True), Int(4, True)

BASIC: dict[str, CType] = {
    "void": Void(),
    "bool": Bool(),
    "_Bool": Bool(),
    "char": _INT8,
    "string": String(),
    "size_t": UINT64,
    "ssize_t": INT64,
    "uintptr_t": UINT64,
    "intptr_t": INT64,
    "off_t": INT64,
    "loff_t": INT64,
    "pid_t": _INT32,
    "uid_t": _UINT32,
    "gid_t": _UINT32,
    "mode_t": _UINT32,
    "dev_t": _UINT32,
    "sector_t": UINT64,
    "__be16": _UINT16,
    "__be32": _UINT32,
    "__be64": UINT64,
    "__le16": _UINT16,
    "__le32": _UINT32,
    "__le64": UINT64,
}
for _size, _words in ((1, "char"), (2, "short"), (4, "int"), (8, "long")):
    for _signed in (True, False):
        _type = Int(_size, _signed)
        _bits, _sign = 8 * _size, "" if _signed else "u"
        for _name in (f"{_sign}int{_bits}", f"{_sign}int{_bits}_t", f"{'s' if _signed else 'u'}{_bits}"):
            BASIC[_name] = _type
        BASIC[f"__{'s' if _signed else 'u'}{_bits}"] = _type
        BASIC[f"{'signed' if _signed else 'unsigned'} {_words}"] = _type
        if _words != "char":
            BASIC[_words if _signed else f"u{_words}"] = _type

_QUALIFIERS = frozenset(("const", "volatile", "restrict", "__user", "__rcu", "__kernel", "__percpu"))
_TAGS = ("struct", "union", "enum")


def spelled(name: str) -> str:
    """A C type name in one canonical order: `long unsigned int` is `unsigned long`, `struct  sock` is `struct sock`."""
    words = [word for word in name.split() if word not in _QUALIFIERS]
    if len(words) < 2 or words[0] in _TAGS:
        return " ".join(words)
    sign = "unsigned" if "unsigned" in words else "signed" if "signed" in words else ""
    longs = words.count("long")
    kind = next((word for word in ("char", "short") if word in words), "long" if longs else "int")
    return f"{sign} {kind}" if sign else kind


def named_type(types: Types, name: str) -> Optional[CType]:
    """The type that a C name without stars stands for; None where nobody knows it.

    A struct that is not known is still a type (pointers to it are just addresses), of size 0.
    """
    canonical = spelled(name)
    if canonical in ("unsigned", "signed"):
        canonical += " int"
    found = BASIC.get(canonical)
    if found is not None:
        return found
    tag, _, rest = canonical.partition(" ")
    if tag in ("struct", "union") and rest:
        return types.struct(rest) or Struct(rest, 0, tag == "union")
    if tag == "enum" and rest:
        return types.typedef(canonical) or types.typedef(rest) or Enumerated(rest)
    return types.typedef(canonical) or types.struct(canonical)


def resolve_type(ctx: Context, node: ast.TypeName) -> Optional[CType]:
    """The type of a written name with its stars and bound; None after a complaint or where only a host knows it."""
    base = named_type(ctx.types, node.name)
    if base is None:
        if not ctx.hostless:
            hints = ctx.near(node.name, list(BASIC)) or ("a struct is written with the word: struct " + node.name,)
            ctx.report("XT0211", f"the type {node.name} is not known here", node.span, *hints)
            return None
        if not node.pointers:
            return None
        base = Struct(node.name)
    if isinstance(base, String):
        base = replace(base, size=ctx.settings.config.max_strlen)
    for _ in range(node.pointers):
        base = Pointer(base, ctx.place.cast_space)
    return Array(base, node.count) if node.count is not None else base
