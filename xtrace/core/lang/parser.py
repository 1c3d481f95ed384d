"""Program text to a surface tree.

A program is read section by section. What is wrong in one statement, attach point or section is complained about, and
reading goes on with the next, so that one run tells all of it.
"""

from __future__ import annotations

from typing import Optional

from xtrace.core.errors import Diagnostic, ProgramError
from xtrace.core.lang import ast
from xtrace.core.lang.complaints import in_order
from xtrace.core.lang.lexer import END, Lexer
from xtrace.core.lang.parser_cursor import Cursor, Failure
from xtrace.core.lang.parser_expressions import expression
from xtrace.core.lang.parser_macros import Expansion
from xtrace.core.lang.parser_points import PointReader
from xtrace.core.lang.parser_preamble import PreambleReader
from xtrace.core.lang.parser_statements import ProbeInside, block
from xtrace.core.lang.source import Source, Span


def parse(source: Source) -> ast.Program:
    """The program that a text stands for.

    Raises ProgramError with all that is wrong with its syntax (XT01xx), in the order of the text.
    """
    return _Parser(source).program()


def parse_expression(source: Source) -> ast.Expr:
    """The expression that a whole text stands for, as fields and conditions of probe files are written.

    Raises ProgramError (XT01xx).
    """
    diagnostics: list[Diagnostic] = []
    tokens = Lexer(source, diagnostics).run(0, ends="")
    cursor = Cursor(source, tokens, diagnostics)
    found: Optional[ast.Expr] = None
    try:
        found = expression(cursor)
        if cursor.token.kind != END:
            raise cursor.unexpected("the end of the expression")
    except Failure as failure:
        if failure.diagnostic:
            diagnostics.append(failure.diagnostic)
    if found is None or diagnostics:
        raise ProgramError(*in_order(diagnostics))
    return found


def parse_attach_point(source: Source) -> ast.AttachPoint:
    """The one attach point that a whole text stands for, as `attach:` of probe files is written.

    Raises ProgramError (XT01xx).
    """
    diagnostics: list[Diagnostic] = []
    lexer = Lexer(source, diagnostics)
    point, position = PointReader(source, lexer, diagnostics).point(lexer.after_trivia(0))
    position = lexer.after_trivia(position)
    if point is not None and position < len(source.text):
        span = Span(source, position, len(source.text))
        diagnostics.append(Diagnostic("XT0110", f"expected one attach point only, found {span.text[:40]}", span))
    if point is None or diagnostics:
        raise ProgramError(*in_order(diagnostics))
    return point


class _Parser:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._diagnostics: list[Diagnostic] = []
        self._lexer = Lexer(source, self._diagnostics)
        self._points = PointReader(source, self._lexer, self._diagnostics)
        self._preamble = PreambleReader(source, self._lexer, self._diagnostics)
        self._clauses: list[ast.Clause] = []

    def program(self) -> ast.Program:
        text = self._source.text
        position = text.find("\n") if text.startswith("#!") else 0
        position = len(text) if position < 0 else position
        while (position := self._lexer.after_trivia(position)) < len(text):
            behind = self._preamble.section(position)
            position = self._clause(position) if behind is None else behind
        if self._preamble.macros:
            expansion = Expansion(self._preamble.macros, self._diagnostics)
            self._clauses = [expansion.clause(clause) for clause in self._clauses]
        if not self._clauses and not self._diagnostics:
            span = Span(self._source, 0, 0)
            hint = "such as tracepoint:syscalls:sys_enter_openat { … }"
            self._diagnostics.append(Diagnostic("XT0115", "the program has no probe", span, (hint,)))
        if self._diagnostics:
            raise ProgramError(*in_order(self._diagnostics))
        config, definitions = tuple(self._preamble.config), tuple(self._preamble.definitions)
        return ast.Program(self._source, tuple(self._clauses), config, definitions, tuple(self._preamble.maps))

    def _clause(self, start: int) -> int:
        """Read a clause; the offset behind it, which is greater than `start`."""
        complaints = len(self._diagnostics)
        points, position = self._points.clause(start)
        complained = len(self._diagnostics) > complaints
        tokens = self._lexer.run(position)
        cursor = Cursor(self._source, tokens, self._diagnostics)
        try:
            predicate = self._predicate(cursor)
            if cursor.token.text != "{":
                if complained:
                    raise Failure(None)
                raise cursor.unexpected("a block { … } after the probe")
            body = block(cursor)
        except Failure as failure:
            if failure.diagnostic:
                self._diagnostics.append(failure.diagnostic)
        except ProbeInside as probe:
            return probe.position
        else:
            span = Span(self._source, start, cursor.before.end)
            self._clauses.append(ast.Clause(points, predicate, body, span))
        return max(tokens[-1].end, start + 1)

    def _predicate(self, c: Cursor) -> Optional[ast.Expr]:
        """Read `/ … /` if there is one; after a complaint, go on at the block."""
        if c.token.text != "/":
            return None
        opening = c.advance()
        try:
            if c.token.text == "/":
                raise c.failure("XT0111", "this predicate is empty", c.since(opening.start), "leave it out")
            found = expression(c)
            if c.token.text == "=":
                raise c.unexpected("/ at the end of the predicate", "= assigns; == compares")
            if c.token.text != "/":
                hint = "a predicate is one expression in slashes, followed by a block { … }"
                raise c.unexpected("/ at the end of the predicate", hint)
        except Failure as failure:
            if failure.diagnostic:
                self._diagnostics.append(failure.diagnostic)
            while c.token.kind != END and c.token.text not in "{}":
                c.advance()
            if c.token.text != "{":
                raise Failure(None) from None
            return None
        c.advance()
        return found
