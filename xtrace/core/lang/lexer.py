"""Text to tokens. A clause is read at a time, since its attach points are not made of tokens (`parser_points`)."""

from __future__ import annotations

import re
from typing import Optional

from xtrace.core.errors import Diagnostic
from xtrace.core.lang.literals import number, unescaped, unknown_escapes
from xtrace.core.lang.source import Source, Span

NAME, NUMBER, TEXT, SCALAR, POSITIONAL, MAP, OPERATOR, BROKEN, END = range(9)
"""Kinds of tokens. BROKEN is a literal or comment that was complained about; END is behind the last of every run."""

_TOKEN = re.compile(
    r"""
    (?P<trivia>(?:[ \t\r\n\f\v]+|//[^\n]*|/\*.*?\*/)+)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<number>[0-9][A-Za-z0-9_]*)
    |(?P<scalar>\$[A-Za-z_][A-Za-z0-9_]*)
    |(?P<map>@[A-Za-z_][A-Za-z0-9_]*|@)
    |(?P<text>"(?:[^"\\\n]|\\[^\n])*")
    |(?P<positional>\$(?:[0-9]+|\#))
    |(?P<char>'(?:[^'\\\n]|\\[^\n])+')
    |(?P<comment>/\*)
    |(?P<quote>["'])
    |(?P<operator><<=|>>=|&&|\|\||<<|>>|<=|>=|==|!=|\+\+|--|->|\.\.|[-+*/%&|^]=|[-+*/%&|^!~<>=?:;,.(){}\[\]\#])
    |(?P<stray>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_KINDS = {
    "name": NAME,
    "scalar": SCALAR,
    "map": MAP,
    "operator": OPERATOR,
}
_TYPOGRAPHIC = "“”„‘’‚«»"


class Token:
    """One word of a program. `value` is an int for numbers and positional parameters, a str for the others."""

    __slots__ = ("end", "kind", "start", "text", "value")

    def __init__(self, kind: int, text: str, start: int, end: int, value: int | str = "") -> None:
        self.kind = kind
        self.text = text
        self.start = start
        self.end = end
        self.value = value


class Lexer:
    """Reads tokens from a source and collects what is wrong with them."""

    def __init__(self, source: Source, diagnostics: list[Diagnostic]) -> None:
        self._source = source
        self._text = source.text
        self._diagnostics = diagnostics

    def after_trivia(self, position: int) -> int:
        """The offset of the next character that belongs to no blank and no comment."""
        match = _TOKEN.match(self._text, position)
        return match.end() if match and match.lastgroup == "trivia" else position

    def run(self, position: int, end: Optional[int] = None, ends: str = "}") -> list[Token]:
        """The tokens from `position` up to the first of `ends` outside all braces, it included, or up to `end`.

        The last token has kind END and lies behind them.
        """
        text, match_at = self._text, _TOKEN.match
        end = len(text) if end is None else end
        tokens: list[Token] = []
        depth = 0
        while position < end:
            match = match_at(text, position, end)
            if match is None:
                break
            start, position = match.span()
            group = match.lastgroup or ""
            kind = _KINDS.get(group)
            if kind is None:
                position = self._special(group, start, position, end, tokens)
                continue
            word = match.group()
            tokens.append(Token(kind, word, start, position))
            if kind == OPERATOR:
                if word == "{":
                    depth += 1
                elif word == "}":
                    depth -= 1
                if depth <= 0 and word in ends:
                    break
        tokens.append(Token(END, "", position, position))
        return tokens

    def _special(self, group: str, start: int, position: int, end: int, tokens: list[Token]) -> int:
        """Take in what is more than a word; gives the offset behind it."""
        if group == "trivia":
            return position
        text = self._text[start:position]
        if group == "number":
            tokens.append(self._number(text, start, position))
        elif group == "text":
            self._check_escapes(text, start)
            tokens.append(Token(TEXT, text, start, position, unescaped(text[1:-1])))
        elif group == "positional":
            tokens.append(self._positional(text, start, position))
        elif group == "char":
            tokens.append(self._character(text, start, position))
        elif group == "comment":
            self._report("XT0105", "this comment is never closed", start, position, "close it with */")
            tokens.append(Token(BROKEN, "/*", start, end))
            return end
        elif group == "quote":
            return self._unclosed(start, end, tokens)
        else:
            return self._stray(start, end)
        return position

    def _number(self, text: str, start: int, position: int) -> Token:
        try:
            return Token(NUMBER, text, start, position, number(text))
        except ValueError as wrong:
            self._report("XT0106", f"{_short(text)} {wrong}", start, position)
            return Token(NUMBER, text, start, position, 0)

    def _positional(self, text: str, start: int, position: int) -> Token:
        index = 0 if text == "$#" else int(text[1:7])
        if text != "$#" and not 0 < index < 1_000:
            hint = "the first parameter is $1"
            self._report("XT0106", f"{_short(text)} is no positional parameter", start, position, hint)
            index = 1
        return Token(POSITIONAL, text, start, position, index)

    def _character(self, text: str, start: int, position: int) -> Token:
        self._check_escapes(text, start)
        inside = unescaped(text[1:-1])
        if len(inside) != 1 or not (inside.isascii() or "\udc80" <= inside <= "\udcff"):
            self._report("XT0106", f"{_short(text)} is not one byte", start, position, "strings have double quotes")
            return Token(BROKEN, text, start, position)
        return Token(NUMBER, text, start, position, ord(inside) & 0xFF)

    def _check_escapes(self, text: str, start: int) -> None:
        for offset, escape in unknown_escapes(text[1:-1]) if "\\" in text else ():
            at = start + 1 + offset
            hint = f"a backslash itself is written \\\\{escape[1]}"
            self._report("XT0103", f"{escape} is no escape", at, at + len(escape), hint)

    def _unclosed(self, start: int, end: int, tokens: list[Token]) -> int:
        stop = self._text.find("\n", start, end)
        stop = end if stop < 0 else stop
        kind = "string" if self._text[start] == '"' else "character literal"
        hint = "did you forget a closing quote? a line break in a string is written \\n"
        self._report("XT0102", f"this {kind} is not closed on its line", start, stop, hint)
        tokens.append(Token(BROKEN, self._text[start:stop], start, stop))
        return stop

    def _stray(self, start: int, end: int) -> int:
        """Complain once about a run of characters that mean nothing."""
        stop = start + 1
        while stop < end and (match := _TOKEN.match(self._text, stop, end)) and match.lastgroup == "stray":
            stop = match.end()
        first = self._text[start]
        hints = []
        if first in _TYPOGRAPHIC:
            hints.append("this is a typographic quote; use the plain ones, \" or '")
        elif first == "\u00a0":
            hints.append("this is a no-break space; use a plain one")
        elif first == "\\":
            hints.append("a backslash only has a meaning inside a string")
        elif first == "$":
            hints.append("a variable is written $name, a positional parameter $1")
        shown = first if first.isprintable() else f"U+{ord(first):04X}"
        self._report("XT0104", f"the character {shown} has no meaning here", start, stop, *hints)
        return stop

    def _report(self, code: str, message: str, start: int, end: int, *hints: str) -> None:
        self._diagnostics.append(Diagnostic(code, message, Span(self._source, start, end), hints))


def _short(text: str) -> str:
    return text if len(text) <= 24 else f"{text[:20]}…"
