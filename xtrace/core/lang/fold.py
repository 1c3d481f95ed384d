"""Replace a tool's options by their values, before anything else looks at the program.

A folded program has no trace of its options: conditions on them are constants, and typing drops the dead branches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from typing import Any, Union

from xtrace.core.errors import Diagnostic, ProgramError
from xtrace.core.lang import ast
from xtrace.core.lang.source import Source, Span
from xtrace.core.lang.walk import field_names

OptionValue = Union[int, str, bool]

_LEAVES = (str, int, float, bool, type(None), Span, Source)


def fold_options(program: ast.Program, options: Mapping[str, OptionValue]) -> ast.Program:
    """The program with each `$option` replaced by its value, in expressions and as a part of an attach point
    (`interval:s:$every`).

    Raises ProgramError (XT0230) where the program assigns a name that is an option.
    """
    if not options:
        return program
    folding = _Folding(options)
    folded = replace(program, clauses=tuple(folding.node(clause) for clause in program.clauses))
    if folding.assigned:
        raise ProgramError(*folding.assigned)
    return folded


class _Folding:
    def __init__(self, options: Mapping[str, OptionValue]) -> None:
        self._options = options
        self.assigned: list[Diagnostic] = []

    def node(self, node: Any) -> Any:
        """A node with its options replaced; the same object where there are none."""
        if isinstance(node, _LEAVES):
            return node
        if isinstance(node, tuple):
            return self._items(node)
        if isinstance(node, ast.Scalar):
            return _literal(self._options[node.name], node.span) if node.name in self._options else node
        if isinstance(node, ast.AttachPoint):
            return self._point(node)
        if isinstance(node, (ast.Assign, ast.Declare, ast.Step)) and self._is_option(node.target):
            return node
        if isinstance(node, ast.For) and self._is_option(node.variable):
            return node
        return self._children(node)

    def _items(self, items: tuple[Any, ...]) -> tuple[Any, ...]:
        folded = tuple([self.node(item) for item in items])
        return items if all(a is b for a, b in zip(items, folded)) else folded

    def _children(self, node: Any) -> Any:
        if not is_dataclass(node):
            return node
        changed = {}
        for name in field_names(type(node)):
            before = getattr(node, name)
            after = self.node(before)
            if after is not before:
                changed[name] = after
        return replace(node, **changed) if changed else node  # type: ignore[type-var]

    def _is_option(self, target: object) -> bool:
        if not isinstance(target, ast.Scalar) or target.name not in self._options:
            return False
        message = f"${target.name} is an option of this tool and cannot be assigned"
        hint = "choose another name for the variable"
        self.assigned.append(Diagnostic("XT0230", message, target.span, (hint,)))
        return True

    def _point(self, point: ast.AttachPoint) -> ast.AttachPoint:
        parts = tuple(self._part(part) for part in point.parts)
        return replace(point, parts=parts) if parts != point.parts else point

    def _part(self, part: str) -> str:
        name = part[1:]
        return str(self._options[name]) if part[:1] == "$" and name in self._options else part


def _literal(value: OptionValue, span: Span) -> ast.Expr:
    if isinstance(value, bool):
        return ast.Boolean(value, span)
    if isinstance(value, int):
        return ast.Number(value, span)
    return ast.Text(value, span)
