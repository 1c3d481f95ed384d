"""The names that a clause really uses, where a tool's options have become constants and decide branches.

Typing folds such branches away, so a field that stands only in a dead one must not count as missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Union

from xtrace.core.lang import ast
from xtrace.core.lang.source import Source, Span
from xtrace.core.lang.walk import field_names

_LEAVES = (str, int, type(None), Span, Source)
Constant = Union[int, str, None]


def names_in_use(*nodes: Any) -> frozenset[str]:
    """The bare names below the nodes, dead branches left out."""
    return frozenset(name for node in nodes for name in _names(node))


def _names(node: Any) -> Iterator[str]:
    if isinstance(node, _LEAVES):
        return
    if isinstance(node, ast.Name):
        yield node.name
    for part in _live_parts(node):
        yield from _names(part)


def _live_parts(node: Any) -> Iterator[Any]:
    if isinstance(node, (tuple, list)):
        yield from node
    elif isinstance(node, (ast.If, ast.Ternary)):
        decided = _constant(node.condition)
        if decided is None:
            yield node.condition
        if decided is None or decided:
            yield node.then
        if not decided:
            yield node.otherwise
    elif isinstance(node, ast.Binary) and node.op in ("&&", "||"):
        yield node.left
        if _constant(node.left) is None or bool(_constant(node.left)) == (node.op == "&&"):
            yield node.right
    else:
        yield from (getattr(node, name) for name in field_names(type(node)))


def _constant(node: Any) -> Constant:
    """The value of a constant as options make them, None for anything else."""
    if isinstance(node, (ast.Number, ast.Boolean)):
        return int(node.value)
    if isinstance(node, ast.Text):
        return node.value
    if isinstance(node, ast.Unary) and node.op == "!":
        operand = _constant(node.operand)
        return None if operand is None else int(not operand)
    return _binary(node) if isinstance(node, ast.Binary) else None


def _binary(node: ast.Binary) -> Constant:
    left, right = _constant(node.left), _constant(node.right)
    if node.op in ("&&", "||") and left is not None:
        decides = bool(left) == (node.op == "||")
        return int(bool(left)) if decides else right if right is None else int(bool(right))
    if node.op not in ("==", "!=") or left is None or right is None:
        return None
    return int((left == right) == (node.op == "=="))
