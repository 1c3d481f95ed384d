"""bpftrace's macros: `macro name($variable, expression, @map) { … }`, put in where they are called.

A macro is hygienic: its own variables are renamed, and what it reads of its caller's comes in by its parameters. Called
as a statement it becomes a block; one that is nothing but an expression can be called wherever a value stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Optional, Union

from xtrace.core.errors import Diagnostic
from xtrace.core.lang import ast
from xtrace.core.lang.lexer import MAP, NAME, SCALAR
from xtrace.core.lang.parser_cursor import Cursor
from xtrace.core.lang.parser_statements import block
from xtrace.core.lang.source import Source, Span
from xtrace.core.lang.walk import field_names
from xtrace.core.records import dataclass

_DEEPEST = 8
_LARGEST = 20_000
_TALLEST = 250
_LEAVES = (str, int, type(None), Span, Source)


@dataclass(frozen=True)
class Macro:
    """`parameters` keep their `$` and `@`. `value` is set where the body is one expression without a semicolon."""

    name: str
    parameters: tuple[str, ...]
    body: tuple[ast.Stmt, ...]
    value: Optional[ast.Expr]
    span: Span


def macro(c: Cursor) -> Macro:
    """Read a definition, from the word `macro` on."""
    start = c.advance().start
    name = c.name("the name of the macro")
    parameters: list[str] = []
    if c.token.text == "(":
        opening = c.advance()
        while c.token.kind in (NAME, SCALAR, MAP):
            parameters.append(c.advance().text)
            if not c.accept(","):
                break
        c.close(opening)
    span = c.since(start)
    body = block(c)
    last = c.peek(-2).text
    value = body[0].expr if len(body) == 1 and isinstance(body[0], ast.Do) and last != ";" else None
    return Macro(name.text, tuple(parameters), body, value, span)


Call = Union[ast.Call, ast.Name]


@dataclass(frozen=True)
class _Meaning:
    """What the parameters of a macro stand for in one call: names of variables and maps, and expressions."""

    names: dict[str, str]
    values: dict[str, ast.Expr]


_NO_MACRO = _Meaning({}, {})


class Expansion:
    """Puts the macros of a program into its clauses and collects what is wrong with their calls."""

    def __init__(self, macros: Sequence[Macro], diagnostics: list[Diagnostic]) -> None:
        self._macros = {macro.name: macro for macro in macros}
        self._diagnostics = diagnostics
        self._open: list[str] = []
        self._left = _LARGEST
        self._too_large = False

    def clause(self, clause: ast.Clause) -> ast.Clause:
        """The clause with its macros put in."""
        try:
            predicate = None if clause.predicate is None else self._node(clause.predicate, _NO_MACRO)
            expanded = replace(clause, predicate=predicate, body=self._body(clause.body, _NO_MACRO))
        except RecursionError:
            self._complain_of_size(clause.span)
            return clause
        if _height((expanded.predicate, expanded.body)) > _TALLEST:
            self._complain_of_size(clause.span)
        return expanded

    def _complain_of_size(self, span: Span) -> None:
        if not self._too_large:
            self._too_large = True
            self._report("XT0108", "the macros become too large when they are put in", span)

    def _report(self, code: str, message: str, span: Span, *hints: str) -> None:
        self._diagnostics.append(Diagnostic(code, message, span, hints))

    # --- rewriting: `meaning` tells what the parameters and variables of the macro being put in stand for ---------

    def _body(self, body: Sequence[ast.Stmt], meaning: _Meaning) -> tuple[ast.Stmt, ...]:
        return tuple(self._node(statement, meaning) for statement in body)

    def _node(self, node: Any, meaning: _Meaning) -> Any:
        """A node with macros put in and parameters replaced."""
        if isinstance(node, _LEAVES):
            return node
        if isinstance(node, tuple):
            return tuple(self._node(item, meaning) for item in node)
        self._left -= 1
        if isinstance(node, ast.Do):
            called = self._called(node.expr)
            if called is not None and called.value is None:
                return self._statement(called, node.expr, node.span, meaning)
        if isinstance(node, (ast.Call, ast.Name)):
            called = None if _name(node) in meaning.values else self._called(node)
            if called is not None:
                return self._value(called, node, meaning)
        return self._replaced(node, meaning)

    def _replaced(self, node: Any, meaning: _Meaning) -> Any:
        """What a parameter or variable of a macro stands for; any other node with its children rewritten."""
        if isinstance(node, ast.Name) and node.name in meaning.values:
            return meaning.values[node.name]
        if isinstance(node, ast.Scalar) and self._open:
            return replace(node, name=meaning.names.get(f"${node.name}", f"{node.name}__{self._open[-1]}"))
        if isinstance(node, ast.MapRef) and self._open:
            name = meaning.names.get(f"@{node.name}")
            if name is None:
                hint = f"name it as a parameter: macro {self._open[-1]}(@{node.name})"
                self._report("XT0123", f"a macro cannot reach for the map @{node.name}", node.span, hint)
            node = replace(node, name=node.name if name is None else name)
        kind = type(node)
        return kind(**{name: self._node(getattr(node, name), meaning) for name in field_names(kind)})

    # --- calls ---------------------------------------------------------------------------------------------------

    def _called(self, node: ast.Expr) -> Optional[Macro]:
        """The macro that an expression calls; by its bare name where it takes no arguments."""
        if not isinstance(node, (ast.Call, ast.Name)):
            return None
        found = self._macros.get(_name(node))
        return found if found and (isinstance(node, ast.Call) or not found.parameters) else None

    def _statement(self, called: Macro, call: Any, span: Span, meaning: _Meaning) -> ast.Stmt:
        inner = self._enter(called, call, meaning)
        if inner is None:
            return ast.Block((), span)
        self._open.append(called.name)
        body = self._body(called.body, inner)
        self._open.pop()
        return ast.Block(body, span)

    def _value(self, called: Macro, call: Call, meaning: _Meaning) -> ast.Expr:
        if called.value is None:
            hint = f"call {called.name}() as a statement of its own"
            self._report("XT0116", "macros with statements in them are not supported as values", call.span, hint)
            return call
        inner = self._enter(called, call, meaning)
        if inner is None:
            return call
        self._open.append(called.name)
        value: ast.Expr = self._node(called.value, inner)
        self._open.pop()
        return value

    def _enter(self, called: Macro, call: Call, meaning: _Meaning) -> Optional[_Meaning]:
        """What the parameters stand for in one call; None after a complaint."""
        if called.name in self._open:
            self._report("XT0123", f"the macro {called.name} calls itself", call.span)
            return None
        if len(self._open) >= _DEEPEST or self._left < 0:
            self._complain_of_size(call.span)
            return None
        args = call.args if isinstance(call, ast.Call) else ()
        if len(args) != len(called.parameters):
            takes = ", ".join(called.parameters) or "nothing"
            message = f"the macro {called.name} takes {len(called.parameters)} arguments, not {len(args)}"
            self._report("XT0123", message, call.span, f"it takes {takes}")
            return None
        return self._bound(called, args, meaning)

    def _bound(self, called: Macro, args: tuple[ast.Expr, ...], meaning: _Meaning) -> Optional[_Meaning]:
        bound = _Meaning({}, {})
        for parameter, arg in zip(called.parameters, args):
            given = self._node(arg, meaning)
            if parameter[0] not in "$@":
                bound.values[parameter] = given
            elif isinstance(given, ast.Scalar if parameter[0] == "$" else ast.MapRef) and not getattr(
                given, "keys", ()
            ):
                bound.names[parameter] = given.name
            else:
                kind = "map without keys" if parameter[0] == "@" else "variable"
                message = f"the parameter {parameter} of {called.name} needs a {kind}, not {arg.span.text}"
                self._report("XT0123", message, arg.span)
                return None
        return bound


def _height(root: Any) -> int:
    """The length of the longest way down a tree, found without recursion."""
    highest, waiting = 0, [(root, 0)]
    while waiting:
        node, height = waiting.pop()
        if isinstance(node, _LEAVES):
            continue
        if isinstance(node, tuple):
            waiting += [(item, height) for item in node]
            continue
        highest = max(highest, height + 1)
        waiting += [(getattr(node, name), height + 1) for name in field_names(type(node))]
    return highest


def _name(node: Call) -> str:
    return node.function if isinstance(node, ast.Call) else node.name
