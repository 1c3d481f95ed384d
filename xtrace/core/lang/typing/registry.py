"""Which function types which node, and which call: filled by decorators, read by `Context`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Optional

from xtrace.core import ir
from xtrace.core.lang import ast
from xtrace.core.records import dataclass

if TYPE_CHECKING:
    from xtrace.core.lang.typing.context import Context

ExpressionTyper = Callable[["Context", Any], ir.Expr]
StatementTyper = Callable[["Context", Any], None]
Function = Callable[["Context", ast.Call], ir.Expr]
Action = Callable[["Context", ast.Call], None]

EXPRESSIONS: dict[type, ExpressionTyper] = {}
STATEMENTS: dict[type, StatementTyper] = {}


@dataclass(frozen=True)
class Callee:
    """A function of the language: `action` does its work as a statement, `value` inside an expression; `delete` alone
    has both. `most` None: no upper limit."""

    least: int
    most: Optional[int]
    value: Optional[Function] = None
    action: Optional[Action] = None


CALLEES: dict[str, Callee] = {}


def expression(kind: type) -> Callable[[ExpressionTyper], ExpressionTyper]:
    """The decorated function types this node; it gives an expression and may write statements before it."""

    def register(typer: ExpressionTyper) -> ExpressionTyper:
        EXPRESSIONS[kind] = typer
        return typer

    return register


def statement(kind: type) -> Callable[[StatementTyper], StatementTyper]:
    """The decorated function types this statement and writes it."""

    def register(typer: StatementTyper) -> StatementTyper:
        STATEMENTS[kind] = typer
        return typer

    return register


def function(name: str, least: int, most: Optional[int]) -> Callable[[Function], Function]:
    """The decorated function types calls of `name`, which give a value."""

    def register(typer: Function) -> Function:
        known = CALLEES.get(name)
        CALLEES[name] = Callee(least, most, value=typer, action=known.action if known else None)
        return typer

    return register


def action(name: str, least: int, most: Optional[int]) -> Callable[[Action], Action]:
    """The decorated function types calls of `name`, which do something and give no value."""

    def register(typer: Action) -> Action:
        CALLEES[name] = Callee(least, most, action=typer)
        return typer

    return register
