"""Where the parser stands: the tokens of one section, the complaints so far, how deep it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Optional

from xtrace.core.errors import Diagnostic
from xtrace.core.lang.lexer import BROKEN, END, NAME, OPERATOR, TEXT, Token
from xtrace.core.lang.source import Source, Span

_DEEPEST = 48
"""Levels of parentheses, calls and blocks; each costs the parser about 7 Python frames of the 1,000 there are."""

TALLEST = 120
"""The height of an expression's tree: whoever walks it recurses as often."""

_CLOSING = {"(": ")", "[": "]", "{": "}"}


class Failure(Exception):  # noqa: N818 - never leaves the parser
    """The statement or section cannot be read on. `diagnostic` is None where the lexer has complained already."""

    def __init__(self, diagnostic: Optional[Diagnostic]) -> None:
        super().__init__()
        self.diagnostic = diagnostic


class Cursor:
    """A place in a list of tokens that ends with one of kind END.

    `height` is that of the expression read last; `ended` tells that an open brace at the end was complained about.
    """

    def __init__(self, source: Source, tokens: list[Token], diagnostics: list[Diagnostic]) -> None:
        self.source = source
        self.diagnostics = diagnostics
        self.height = 0
        self.ended = False
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self.token = tokens[0]

    def peek(self, ahead: int = 1) -> Token:
        """The token `ahead` places after the current one; the last one where there are fewer."""
        place = self._at + ahead
        return self._tokens[place] if place < len(self._tokens) else self._tokens[-1]

    @property
    def before(self) -> Token:
        """The token read last; the current one at the beginning."""
        return self._tokens[max(0, self._at - 1)]

    def advance(self) -> Token:
        """Take the current token, which is not of kind END, and move on."""
        token = self.token
        self._at += 1
        self.token = self._tokens[self._at]
        return token

    def accept(self, text: str) -> Optional[Token]:
        """Take the current token if it reads `text`."""
        return self.advance() if self.token.text == text else None

    def expect(self, text: str, where: str) -> Token:
        """Take the token `text`, or fail; `where` ends the sentence "expected …"."""
        if self.token.text == text:
            return self.advance()
        raise self.unexpected(f"{text} {where}")

    def name(self, what: str) -> Token:
        """Take a name, or fail; `what` it is the name of."""
        if self.token.kind == NAME:
            return self.advance()
        raise self.unexpected(what)

    def close(self, opening: Token) -> Token:
        """Take what closes `opening`. Where it is missing before `{`, `;` or the end, complain and go on without."""
        closing = _CLOSING[opening.text]
        if self.token.text == closing:
            return self.advance()
        if self.token.kind == BROKEN:
            raise Failure(None)
        hints = [f"the {opening.text} of line {self.line(opening)} is still open"]
        if self.token.text == "=":
            hints.insert(0, "= assigns; == compares")
        if self.token.kind == END or self.token.text in ("{", ";", "}"):
            code = "XT0107" if self.token.kind == END else "XT0101"
            if not (self.diagnostics and self.diagnostics[-1].span == self.place()):
                self.report(code, f"expected {closing}, found {self.shown(self.token)}", self.place(), *hints)
            if self.token.text in ("{", ";"):
                return self.before
            raise Failure(None)
        raise self.unexpected(closing, *hints)

    def line(self, token: Token) -> int:
        return self.source.position(token.start)[0]

    @property
    def broken(self) -> bool:
        """Whether the lexer has complained about something that may have swallowed what follows it."""
        return any(token.kind == BROKEN for token in self._tokens)

    # --- spans ---------------------------------------------------------------------------------------------------

    def span(self, token: Token) -> Span:
        return Span(self.source, token.start, token.end)

    def since(self, start: int) -> Span:
        """The span from an offset to the end of the token read last."""
        return Span(self.source, start, max(start, self.before.end))

    def place(self) -> Span:
        """The current token, or the end of the last one where the tokens end or the line did."""
        before, token = self.before, self.token
        if token.kind == END or (before is not token and self.line(before) != self.line(token)):
            return Span(self.source, before.end, before.end)
        return self.span(token)

    # --- complaints ----------------------------------------------------------------------------------------------

    def report(self, code: str, message: str, span: Span, *hints: str) -> None:
        """Complain and go on."""
        self.diagnostics.append(Diagnostic(code, message, span, hints))

    def failure(self, code: str, message: str, span: Span, *hints: str) -> Failure:
        """A complaint after which the statement cannot be read on; to be raised."""
        return Failure(Diagnostic(code, message, span, hints))

    def unexpected(self, wanted: str, *hints: str) -> Failure:
        """The usual complaint: what was expected, what was found."""
        if self.token.kind == BROKEN:
            return Failure(None)
        code = "XT0107" if self.token.kind == END and wanted[:1] in ")]}" else "XT0101"
        return self.failure(code, f"expected {wanted}, found {self.shown(self.token)}", self.place(), *hints)

    def shown(self, token: Token) -> str:
        """A token as a message names it."""
        if token.kind == END:
            whole = token.end >= len(self.source.text.rstrip())
            return "the end of the program" if whole else "the end of this part"
        if token.kind == TEXT:
            return f"the string {_short(token.text, 24)}"
        return _short(token.text, 40)

    # --- depth ---------------------------------------------------------------------------------------------------

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One level of nesting; fails where there are too many."""
        if self._depth >= _DEEPEST:
            raise self.failure("XT0108", f"nested more than {_DEEPEST} levels deep", self.span(self.token))
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def grow(self, height: int, span: Span) -> None:
        """Note the height of an expression just made; fails where it is too tall."""
        if height > TALLEST:
            raise self.failure("XT0108", f"this expression has more than {TALLEST} operators one in another", span)
        self.height = height

    # --- recovery ------------------------------------------------------------------------------------------------

    def skip_statement(self) -> None:
        """Go on behind the next `;` or block of this block and the `else` that belongs to it, or to the `}` that ends
        it."""
        depth = 0
        while self.token.kind != END:
            text = self.token.text
            if self.token.kind == OPERATOR:
                if text == "}" and depth == 0:
                    return
                depth += (text == "{") - (text == "}")
                if depth == 0 and text in ";}":
                    self.advance()
                    if self.token.text != "else":
                        return
                    continue
            self.advance()


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 4]}…"
