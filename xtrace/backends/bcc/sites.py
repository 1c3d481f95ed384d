"""Output sites: what their records hold, and what the worker has to do when it meets one."""

from __future__ import annotations

from typing import Any

from xtrace.backends.bcc import layout
from xtrace.core import ir
from xtrace.core import types as t


def sent(site: ir.Site, args: tuple[ir.Expr, ...]) -> tuple[ir.Expr, ...]:
    """The arguments that a record holds. An aggregation's value is left out: each CPU has a part of it, so user space
    looks it up under the keys that are sent."""
    by_name = isinstance(site, ir.PrintValue) and isinstance(site.type, t.AGGREGATIONS)
    return args[:-1] if by_name else args


def value_types(site: ir.Site, args: tuple[ir.Expr, ...]) -> tuple[t.CType, ...]:
    """The types of a record's values: what the site declares, else what the arguments are."""
    declared = declared_types(site)
    return declared if len(declared) == len(args) else tuple(arg.type for arg in args)


def declared_types(site: ir.Site) -> tuple[t.CType, ...]:
    if isinstance(site, (ir.Printf, ir.Cat, ir.System)):
        return site.types
    if isinstance(site, ir.Emit):
        return tuple(kind for _, kind in site.columns)
    if isinstance(site, ir.PrintValue):
        value = () if isinstance(site.type, t.AGGREGATIONS) else (site.type,)
        return site.key_types + value
    return ()


def description(site: ir.Site, types: tuple[t.CType, ...]) -> dict[str, Any]:
    """The site as the worker knows it, ready for JSON."""
    described: dict[str, Any] = {"do": _WORDS[type(site)], "values": [layout.code(kind) for kind in types]}
    if isinstance(site, ir.PrintValue) and isinstance(site.type, t.AGGREGATIONS):
        described["lookup"] = 1
    for name in ("format", "map", "top", "div", "delimiter", "to"):
        if hasattr(site, name):
            described[name] = getattr(site, name)
    if isinstance(site, ir.Emit):
        described["columns"] = [name for name, _ in site.columns]
    return described


_WORDS: dict[type, str] = {
    ir.Printf: "printf",
    ir.Emit: "emit",
    ir.PrintValue: "print-value",
    ir.PrintMap: "print-map",
    ir.Clear: "clear",
    ir.Zero: "zero",
    ir.Exit: "exit",
    ir.Time: "time",
    ir.Cat: "cat",
    ir.Join: "join",
    ir.System: "system",
}
