"""C type names to types: `unsigned int`, `u32`, `struct sock *`, typedefs of the kernel."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from xtrace.core.c_types import LATER_TYPEDEFS, QUALIFIERS, SIZE_WORDS, TYPEDEFS, integer
from xtrace.core.lang import ast
from xtrace.core.lang.typing.context import Context
from xtrace.core.lang.typing.host import Types
from xtrace.core.types import Array, CType, Enumerated, Int, Pointer, String, Struct

BASIC: dict[str, CType] = {
    **TYPEDEFS,
    **{f"{'' if signed else 'u'}int{8 * size}": Int(size, signed) for signed in (True, False) for size in (1, 2, 4, 8)},
    "string": String(),
}
"""Types with one word for a name: the kernel's, and the language's own. C's integers are named by several."""

_TAGS = ("struct", "union", "enum")


def spelled(name: str) -> str:
    """A C type name in one canonical order: `long unsigned int` is `unsigned long`, `struct  sock` is `struct sock`."""
    words = [word for word in name.split() if word not in QUALIFIERS]
    if len(words) < 2 or words[0] in _TAGS:
        return " ".join(words)
    sign = "unsigned" if "unsigned" in words else "signed" if "signed" in words else ""
    longs = words.count("long")
    kind = next((word for word in ("char", "short") if word in words), "long" if longs else "int")
    return f"{sign} {kind}" if sign else kind


def basic(canonical: str) -> Optional[CType]:
    """The type of a name in canonical order that needs no host."""
    words = canonical.split()
    return integer(words) if words and SIZE_WORDS.issuperset(words) else BASIC.get(canonical)


def named_type(types: Types, name: str) -> Optional[CType]:
    """The type that a C name without stars stands for; None where nobody knows it.

    A struct that is not known is still a type (pointers to it are just addresses), of size 0.
    """
    canonical = spelled(name)
    found = basic(canonical)
    if found is not None:
        return found
    tag, _, rest = canonical.partition(" ")
    if tag in ("struct", "union") and rest:
        return types.struct(rest) or Struct(rest, 0, tag == "union")
    if tag == "enum" and rest:
        return types.typedef(canonical) or types.typedef(rest) or Enumerated(rest)
    return types.typedef(canonical) or LATER_TYPEDEFS.get(canonical) or types.struct(canonical)


def resolve_type(ctx: Context, node: ast.TypeName) -> Optional[CType]:
    """The type of a written name with its stars and bound; None after a complaint or where only a host knows it."""
    base = named_type(ctx.types, node.name)
    if base is None:
        if not ctx.hostless:
            hints = ctx.near(node.name, [*BASIC, *sorted(SIZE_WORDS)]) or (
                "a struct is written with the word: struct " + node.name,
            )
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
