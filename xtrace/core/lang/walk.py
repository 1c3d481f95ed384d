"""Walk over the surface tree without typing it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from xtrace.core.lang import ast
from xtrace.core.lang.source import Source, Span

_FIELDS: dict[type, tuple[str, ...]] = {}
_LEAVES = (str, int, type(None), Span, Source)


def field_names(kind: type) -> tuple[str, ...]:
    """The names of a node class's fields, in order."""
    names = _FIELDS.get(kind)
    if names is None:
        names = _FIELDS[kind] = tuple(one.name for one in fields(kind)) if is_dataclass(kind) else ()
    return names


def nodes(root: Any) -> Iterator[Any]:
    """The root and every node below it, parents first. A tuple's items count as its children."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, _LEAVES):
            continue
        if isinstance(node, (tuple, list)):
            waiting.extend(reversed(node))
            continue
        yield node
        waiting.extend(getattr(node, name) for name in reversed(field_names(type(node))))


def assigned_maps(clauses: Sequence[ast.Clause]) -> dict[str, Span]:
    """The maps that the text assigns or counts, in live branches or dead ones, and where first."""
    found: dict[str, Span] = {}
    for node in nodes(clauses):
        if isinstance(node, (ast.Assign, ast.Step)) and isinstance(node.target, ast.MapRef):
            found.setdefault(node.target.name, node.span)
    return found


def computed_maps(clauses: Sequence[ast.Clause]) -> dict[str, Span]:
    """The maps that are assigned the result of arithmetic, and where first."""
    found: dict[str, Span] = {}
    for node in nodes(clauses):
        if not isinstance(node, ast.Assign) or not isinstance(node.target, ast.MapRef):
            continue
        if node.op or isinstance(node.value, ast.Binary):
            found.setdefault(node.target.name, node.span)
    return found
