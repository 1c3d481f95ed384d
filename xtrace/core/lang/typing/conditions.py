"""Conditional directives of a preamble: `#if`, `#ifdef`, `#ifndef`, `#elif`, `#else`, `#endif`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Callable, Optional

from xtrace.core.lang import ast
from xtrace.core.lang.source import Span
from xtrace.core.lang.spellings import PREDEFINED
from xtrace.core.lang.typing.c_expressions import evaluate, parse_constant

_DEFINED = re.compile(r"\bdefined\s*(?:\(\s*(\w+)\s*\)|(\w+))")
_NAME = re.compile(r"\b[A-Za-z_]\w*")


class Conditions:
    """The directives that are open. `macros` are the definitions so far, which grow while the preamble is read;
    `numbers` gives those that are integers; `unreadable` hears of a condition that is no constant expression."""

    def __init__(
        self,
        macros: Mapping[str, ast.Expr],
        numbers: Callable[[], Mapping[str, int]],
        unreadable: Callable[[str, Span], None],
    ) -> None:
        self._macros = macros
        self._numbers = numbers
        self._unreadable = unreadable
        self._levels: list[list[bool]] = []  # of each: whether its branch is taken, whether one was taken before

    @property
    def open(self) -> bool:
        """Whether the text at hand is to be read."""
        return all(level[0] for level in self._levels)

    def directive(self, name: str, rest: str, span: Span) -> bool:
        """Follow a directive; False if it is not about conditions."""
        if name in ("ifdef", "ifndef", "if"):
            taken = self.open and self._holds(name, rest, span)
            self._levels.append([taken, taken])
        elif name in ("else", "elif") and self._levels:
            level = self._levels.pop()
            taken = not level[1] and self.open and (name == "else" or self._holds("if", rest, span))
            self._levels.append([taken, taken or level[1]])
        elif name == "endif" and self._levels:
            self._levels.pop()
        else:
            return False
        return True

    def _holds(self, name: str, rest: str, span: Span) -> bool:
        if name == "if":
            value = self._value(rest, span)
            if value is None:
                self._unreadable(f"#if {rest.strip()}", span)
            return value != 0
        word = _NAME.search(rest)
        return (word is not None and self._is_defined(word.group())) == (name == "ifdef")

    def _is_defined(self, name: str) -> bool:
        return name in PREDEFINED or name in self._macros

    def _value(self, condition: str, span: Span) -> Optional[int]:
        """The value as the preprocessor computes it: a name that nothing defines is 0."""
        known = self._numbers()
        text = _DEFINED.sub(lambda found: str(int(self._is_defined(found.group(1) or found.group(2)))), condition)
        text = _NAME.sub(lambda found: found.group() if found.group() in known else "0", text)
        return evaluate(parse_constant(text, span), known)
