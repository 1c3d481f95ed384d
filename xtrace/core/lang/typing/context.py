"""One clause being typed: where it is attached, its variables, the statements written so far, its complaints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Callable, Optional

from xtrace.core import ir
from xtrace.core.attach import Attach
from xtrace.core.errors import Diagnostic, Severity
from xtrace.core.lang import ast
from xtrace.core.lang.source import Span
from xtrace.core.lang.typing.host import EventSource, Settings, Types
from xtrace.core.lang.typing.probes import Place
from xtrace.core.lang.typing.registry import EXPRESSIONS, STATEMENTS
from xtrace.core.lang.typing.scope import Learned, Scopes, Variable
from xtrace.core.lang.typing.tables import Tables
from xtrace.core.types import Int, Space, Unknown, Void

HOST_CODES = frozenset(("XT0201", "XT0209", "XT0210", "XT0211", "XT0219"))
"""Complaints that another host might not have; `has()` answers no to them."""

_DEEPEST = 130
"""Expressions in one another: each takes a few frames of Python's stack, in every stage, of which it has 1000."""
_MOST_BLOCKS, _MOST_LOOPS = 60, 15
"""Blocks and loops in one another: the evaluator's Python may have 100 and 20."""

Macros = dict[str, ast.Expr]


class Context:
    """Types one clause. Expressions are typed by `expr`, which may write statements to `out` first (`@x++` inside a
    larger expression); statements are typed by `body`.

    `learned` carries what earlier rounds found out about variables to the next round.
    """

    def __init__(
        self,
        tables: Tables,
        types: Types,
        hostless: bool,
        settings: Settings,
        macros: Macros,
        place: Place,
        source: Optional[EventSource],
        learned: Learned,
    ) -> None:
        self.tables = tables
        self.types = types
        self.hostless = hostless
        self.settings = settings
        self.macros = macros
        self.place = place
        self.source = source
        self.inside_source = False
        self.visible_lets = len(source.lets) if source else 0
        self.learned = learned
        self.unsettled = False
        self.scopes = Scopes()
        self.outliving: list[Variable] = []
        self.read_untyped: list[Variable] = []
        self.out: list[ir.Stmt] = []
        self.diagnostics: list[Diagnostic] = []
        self.loops = 0
        self.expansions = 0
        self.unrolled = 0
        self._depth = 0
        self._blocks = 0
        self._bearable = True

    @property
    def attach(self) -> Optional[Attach]:
        return self.place.attach

    # --- complaints ----------------------------------------------------------------------------------------------

    def report(self, code: str, message: str, span: Optional[Span], *hints: str) -> ir.Expr:
        """Complain, and give an expression of unknown type so that typing goes on without a second complaint."""
        self.diagnostics.append(Diagnostic(code, message, span, hints))
        return unknown(span)

    def warn(self, code: str, message: str, span: Optional[Span], *hints: str) -> None:
        severity: Severity = "warning"
        self.diagnostics.append(Diagnostic(code, message, span, hints, severity))

    def near(self, name: str, known: Sequence[str]) -> tuple[str, ...]:
        """A hint with the known names most like a wrong one; empty where none is like it."""
        from difflib import get_close_matches

        found = get_close_matches(name, known, n=3, cutoff=0.6)
        return (f"did you mean {', '.join(found)}?",) if found else ()

    # --- expressions and statements ------------------------------------------------------------------------------

    def expr(self, node: ast.Expr) -> ir.Expr:
        if self._depth == _DEEPEST:
            return self.too_deep(node.span)
        self._depth += 1
        typed = EXPRESSIONS[type(node)](self, node)
        self._depth -= 1
        return typed

    def too_deep(self, span: Optional[Span], message: str = "what stands here is nested too deeply") -> ir.Expr:
        """Complain, once in a clause: the parser bounds what stands in one place, but not what #defines, macros and
        named events put together."""
        if self._bearable:
            self._bearable = False
            self.report("XT0236", message, span)
        return unknown(span)

    def value(self, node: ast.Expr, use: str) -> ir.Expr:
        """An expression that must have a value: an absent optional field is complained about."""
        typed = self.expr(node)
        return self.no_value(node, use) if isinstance(typed.type, Void) else typed

    def no_value(self, node: ast.Expr, use: str) -> ir.Expr:
        text = node.span.text
        return self.report("XT0219", f"{text} is not known on this host and cannot be used {use}", node.span)

    def constant(self, node: ast.Expr, what: str) -> Optional[int]:
        """An integer known now; None after a complaint, or where the host must tell first."""
        typed = self.value(node, f"as {what}")
        if isinstance(typed, ir.Const):
            return typed.value
        if not isinstance(typed.type, Unknown):
            self.report("XT0223", f"{what} must be a constant integer", node.span)
        return None

    def text(self, node: ast.Expr, what: str) -> Optional[str]:
        """A string known now; None after a complaint."""
        if isinstance(node, ast.Text):
            return node.value
        typed = self.value(node, f"as {what}")
        if isinstance(typed, ir.Text):
            return typed.value
        if not isinstance(typed.type, Unknown):
            self.report("XT0223", f"{what} must be a string literal", node.span)
        return None

    def body(self, statements: Sequence[ast.Stmt]) -> tuple[ir.Stmt, ...]:
        """A block of its own."""
        if self._blocks == _MOST_BLOCKS or self.loops > _MOST_LOOPS:
            kind = "blocks" if self._blocks == _MOST_BLOCKS else "loops"
            self.too_deep(statements[0].span if statements else None, f"too many {kind} stand in one another")
            return ()
        self._blocks += 1
        self.scopes.open()
        with self.writing() as out:
            for node in statements:
                STATEMENTS[type(node)](self, node)
        self.scopes.close()
        self._blocks -= 1
        return tuple(out)

    @contextmanager
    def writing(self) -> Iterator[list[ir.Stmt]]:
        """Collect what is written meanwhile in a list of its own."""
        outer, self.out = self.out, []
        try:
            yield self.out
        finally:
            self.out = outer

    @contextmanager
    def in_source(self, visible_lets: int) -> Iterator[None]:
        """Names mean what the source of the named event says, with its first `visible_lets` lets."""
        before = self.inside_source, self.visible_lets
        self.inside_source, self.visible_lets = True, visible_lets
        try:
            yield
        finally:
            self.inside_source, self.visible_lets = before

    # --- evaluation order ----------------------------------------------------------------------------------------

    def in_order(self, typers: Sequence[Callable[[], ir.Expr]]) -> list[ir.Expr]:
        """Type several operands from the left. Where a later one writes statements, what was typed before it and
        could change is kept in a temporary first."""
        done: list[ir.Expr] = []
        for typer in typers:
            mark = len(self.out)
            typed = typer()
            done = self.kept_before(mark, done)
            done.append(typed)
        return done

    def kept_before(self, mark: int, operands: Sequence[ir.Expr]) -> list[ir.Expr]:
        """Operands that were typed when `out` had `mark` statements, with the values they had then."""
        if len(self.out) == mark:
            return list(operands)
        written = self.out[mark:]
        del self.out[mark:]
        kept = [self.keep(operand) for operand in operands]
        self.out += written
        return kept

    def exprs(self, nodes: Sequence[ast.Expr]) -> list[ir.Expr]:
        return self.in_order([lambda node=node: self.expr(node) for node in nodes])  # type: ignore[misc]

    def keep(self, operand: ir.Expr) -> ir.Expr:
        """The value that an expression has now, whatever happens later."""
        if isinstance(operand, (ir.Const, ir.Text)):
            return operand
        name = self.scopes.unique("kept")
        self.out.append(ir.SetVar(name, operand, operand.span))
        return ir.Var(name, operand.type, operand.span)

    # --- variables ----------------------------------------------------------------------------------------------

    def default_unassigned(self) -> None:
        """Variables that are declared and read, but that nothing types, are integers (0) in the next round."""
        for variable in self.read_untyped:
            if variable.type is None and not self.hostless:
                self.learned.types[variable.number] = Int()
                self.unsettled = True

    # --- memory --------------------------------------------------------------------------------------------------

    def space_of(self, address: ir.Expr, plain: Optional[Space] = None) -> Space:
        """Which memory an address lies in; a plain integer's is `plain`, or what the probe suggests."""
        space = getattr(address.type, "space", None)
        if isinstance(space, Space):
            return space
        return plain if plain is not None else self.place.integer_space


def unknown(span: Optional[Span]) -> ir.Expr:
    """An expression that only a host can type, or that was complained about."""
    return ir.Var("", Unknown(), span)
