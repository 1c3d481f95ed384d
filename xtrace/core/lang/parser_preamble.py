"""What may stand between clauses: the C preamble, the config block, and sections that only bpftrace has."""

from __future__ import annotations

import re
from typing import Optional, Union

from xtrace.core.errors import Diagnostic
from xtrace.core.lang import ast
from xtrace.core.lang.lexer import END, NAME, NUMBER, TEXT, Lexer, Token
from xtrace.core.lang.parser_cursor import Cursor, Failure
from xtrace.core.lang.parser_macros import Macro, macro
from xtrace.core.lang.parser_statements import ProbeInside
from xtrace.core.lang.source import Source, Span
from xtrace.core.lang.spellings import MAP_KINDS, TAGS, UNSUPPORTED_SECTIONS, setting_name

Setting = tuple[str, Union[int, str]]

_DIRECTIVE = re.compile(r'\#(?:\\\r?\n|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|[^\n])*', re.DOTALL)
_DIRECTIVES = frozenset(
    (
        "include",
        "define",
        "undef",
        "if",
        "ifdef",
        "ifndef",
        "elif",
        "else",
        "endif",
        "pragma",
        "error",
        "warning",
        "line",
    )
)
_HEAD = re.compile(r"[^\n{(;]*[^\s{(;]")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ATTRIBUTE = re.compile(r"\s*__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)")
_DEFINITION = re.compile(r"(?:struct|union|enum)(?:\s+[A-Za-z_]\w*)?\s*[{;]|typedef\s")
_SECTION = re.compile(rf"(?:{'|'.join(UNSUPPORTED_SECTIONS)})(?=\s+[A-Za-z_\"$@])")
_MACRO = re.compile(r"macro\s+[A-Za-z_]")
_MAP_DECLARATION = re.compile(r"let\s+@")
_CONFIG = re.compile(r"config\s*[={]")
_ADVICE = {
    "functions": "a macro may do: macro name(x) { … }",
    "imports": "put the clauses into one file",
}


class PreambleReader:
    """Reads one section that is no clause. What is wrong is complained about, and reading goes on behind it."""

    def __init__(self, source: Source, lexer: Lexer, diagnostics: list[Diagnostic]) -> None:
        self._source = source
        self._text = source.text
        self._lexer = lexer
        self._diagnostics = diagnostics
        self.config: list[Setting] = []
        self.definitions: list[Span] = []
        self.macros: list[Macro] = []
        self.maps: list[ast.MapDeclaration] = []

    def section(self, position: int) -> Optional[int]:
        """Read the section at `position`; the offset behind it, or None where a clause begins there."""
        first = self._text[position]
        if first == "#":
            return self._directive(position)
        if first == ";":
            return position + 1
        if first == "}":
            self._report("XT0101", "this } closes nothing", position, position + 1, "a block ends before it")
            return position + 1
        if _DEFINITION.match(self._text, position):
            return self._definition(position)
        if _CONFIG.match(self._text, position):
            return self._config(position)
        if _MAP_DECLARATION.match(self._text, position):
            return self._map_declaration(position)
        if _MACRO.match(self._text, position):
            return self._macro(position)
        section = _SECTION.match(self._text, position)
        if section:
            feature = UNSUPPORTED_SECTIONS[section.group()]
            return self._unsupported(feature, position, ";" if feature == "imports" else "}", _ADVICE[feature])
        return None

    def _report(self, code: str, message: str, start: int, end: int, *hints: str) -> None:
        self._diagnostics.append(Diagnostic(code, message, Span(self._source, start, end), hints))

    def _unsupported(self, feature: str, position: int, ends: str, hint: str) -> int:
        """Complain about a section once, and go on behind it."""
        head = _HEAD.match(self._text, position)
        stop = head.end() if head else position + 1
        self._report("XT0116", f"{feature} are not supported", position, stop, hint)
        inside: list[Diagnostic] = []
        return Lexer(self._source, inside).run(position, ends=ends)[-1].end

    # --- C -------------------------------------------------------------------------------------------------------

    def _directive(self, position: int) -> int:
        match = _DIRECTIVE.match(self._text, position)
        stop = match.end() if match else position + 1
        word = _WORD.search(self._text, position, stop)
        if word is None or word.group() not in _DIRECTIVES or self._text[position + 1 : word.start()].strip():
            line = self._text[position:stop].split("\n")[0]
            self._report("XT0117", f"{line[:40]} is no directive", position, position + len(line), *_comment_hint(word))
        elif word.group() in ("error", "warning"):
            pass
        else:
            self.definitions.append(Span(self._source, position, stop))
        return stop

    def _definition(self, position: int) -> int:
        """A struct, union, enum or typedef, up to its `}` or `;`."""
        typedef = self._text.startswith("typedef", position)
        tokens = self._lexer.run(position, ends=";" if typedef else "};")
        stop = tokens[-1].end
        words = [token.text for token in tokens]
        if words[-2] not in ("}", ";") or words.count("{") != words.count("}"):
            opening = next((token for token in tokens if token.text == "{"), tokens[0])
            self._report("XT0107", "this definition is never closed", opening.start, opening.end, "close it with }")
        attribute = _ATTRIBUTE.match(self._text, stop)
        stop = attribute.end() if attribute else stop
        self.definitions.append(Span(self._source, position, stop))
        return stop

    def _macro(self, position: int) -> int:
        tokens = self._lexer.run(position)
        try:
            self.macros.append(macro(Cursor(self._source, tokens, self._diagnostics)))
        except ProbeInside as probe:
            return probe.position
        except Failure as failure:
            if failure.diagnostic:
                self._diagnostics.append(failure.diagnostic)
        return tokens[-1].end

    def _map_declaration(self, position: int) -> int:
        """`let @name = lruhash(100);` (bpftrace 0.24)"""
        tokens = self._lexer.run(position, ends=";")
        c = Cursor(self._source, tokens, self._diagnostics)
        try:
            c.advance()
            name = c.advance()
            c.expect("=", f"after {name.text}")
            kind = c.name("the kind of the map")
            opening = c.expect("(", f"after {kind.text}")
            size = _map_size(c, kind)
            c.close(opening)
            c.expect(";", "after the declaration")
            self.maps.append(ast.MapDeclaration(name.text[1:], "lru" in kind.text, size, c.since(position)))
        except Failure as failure:
            if failure.diagnostic:
                self._diagnostics.append(failure.diagnostic)
        return tokens[-1].end

    # --- config --------------------------------------------------------------------------------------------------

    def _config(self, position: int) -> int:
        tokens = self._lexer.run(position)
        cursor = Cursor(self._source, tokens, self._diagnostics)
        cursor.advance()
        try:
            cursor.expect("=", "after config")
            opening = cursor.expect("{", "after config =")
            while cursor.token.text != "}" and cursor.token.kind != END:
                self._next_setting(cursor)
            cursor.close(opening)
        except Failure as failure:
            if failure.diagnostic:
                self._diagnostics.append(failure.diagnostic)
        return tokens[-1].end

    def _next_setting(self, c: Cursor) -> None:
        try:
            name = c.name("the name of a setting")
            c.expect("=", f"after {name.text}")
            self.config.append((setting_name(name.text), _value(c)))
            if c.token.text != "}":
                c.expect(";", f"after the value of {name.text}")
        except Failure as failure:
            if failure.diagnostic:
                self._diagnostics.append(failure.diagnostic)
            c.skip_statement()


def _comment_hint(word: Optional[re.Match[str]]) -> tuple[str, ...]:
    if word and word.group() in TAGS:
        return ("a definition is written without #",)
    return ("comments begin with //",)


def _map_size(c: Cursor, kind: Token) -> int:
    if kind.text not in MAP_KINDS:
        hint = f"one of {', '.join(MAP_KINDS)}"
        raise c.failure("XT0116", f"maps of the kind {kind.text} are not supported", c.span(kind), hint)
    if c.token.kind != NUMBER or c.token.value == 0:
        raise c.unexpected("how many keys the map takes", "a number of 1 or more")
    return int(c.advance().value)


def _value(c: Cursor) -> Union[int, str]:
    token = c.token
    if token.kind == NAME and token.text in ("true", "false"):
        return int(c.advance().text == "true")
    if token.kind == NAME:
        return c.advance().text
    if token.kind in (NUMBER, TEXT):
        return c.advance().value
    raise c.failure("XT0114", f"expected a word, a number or a string, found {c.shown(token)}", c.place())
