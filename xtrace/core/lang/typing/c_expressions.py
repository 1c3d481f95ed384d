"""Constant expressions of C, as `#define` bodies, enumerators and array bounds have them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Optional

from xtrace.core.lang import arithmetic, ast
from xtrace.core.lang.source import Span

_TOKEN = re.compile(
    r'\s*(0[xX][0-9a-fA-F]+|\d+|[A-Za-z_]\w*|"(?:[^"\\]|\\.)*"|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!<>()])'
)
_SUFFIX = re.compile(r"\b(0[xX][0-9a-fA-F]+|\d+)(?:[uU]?[lL]{0,2}|[lL]{1,2}[uU])\b")
_PRECEDENCE = {
    "||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6, "<": 7, "<=": 7, ">": 7, ">=": 7, "<<": 8, ">>": 8,
    "+": 9, "-": 9, "*": 10, "/": 10, "%": 10,
}  # fmt: skip


class _UnreadableError(Exception):
    pass


def parse_constant(text: str, span: Span) -> Optional[ast.Expr]:
    """The expression, each node with the given span; None where the text is something else."""
    tokens = tokenize(_SUFFIX.sub(r"\1", text))
    if not tokens:
        return None
    reader = _Reader(tokens, span)
    try:
        expr = reader.binary(0)
    except _UnreadableError:
        return None
    return expr if reader.at_end else None


def tokenize(text: str) -> Optional[list[str]]:
    """The tokens of an expression; None where something is no token."""
    tokens, position, end = [], 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            return None
        tokens.append(match.group(1))
        position = match.end()
    return tokens


class _Reader:
    """A precedence climber over tokens."""

    def __init__(self, tokens: list[str], span: Span) -> None:
        self._tokens = tokens
        self._position = 0
        self._span = span

    @property
    def at_end(self) -> bool:
        return self._position == len(self._tokens)

    def _next(self) -> str:
        if self.at_end:
            raise _UnreadableError
        self._position += 1
        return self._tokens[self._position - 1]

    def binary(self, least: int) -> ast.Expr:
        left = self._unary()
        while not self.at_end:
            op = self._tokens[self._position]
            strength = _PRECEDENCE.get(op, -1)
            if strength < 0 or strength < least:
                break
            self._position += 1
            left = ast.Binary(op, left, self.binary(strength + 1), self._span)
        return left

    def _unary(self) -> ast.Expr:
        token = self._next()
        if token in ("-", "~", "!", "+"):
            return ast.Unary(token, self._unary(), self._span)
        if token == "(":
            inner = self.binary(0)
            if self._next() != ")":
                raise _UnreadableError
            return inner
        if token[0].isdigit():
            return ast.Number(number(token), self._span)
        if token[0] == '"':
            return ast.Text(_unescaped(token[1:-1]), self._span)
        if token[0].isalpha() or token[0] == "_":
            return ast.Name(token, self._span)
        raise _UnreadableError


def _unescaped(body: str) -> str:
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t", "0": "\0"}.get(m.group(1), m.group(1)), body)


def number(token: str) -> int:
    """A literal of C: 0x is hexadecimal, a leading 0 octal."""
    if len(token) > 1 and token[0] == "0" and token[1] not in "xX":
        try:
            return int(token, 8)
        except ValueError as error:
            raise _UnreadableError from error
    return int(token, 0)


def evaluate(node: Optional[ast.Expr], names: Mapping[str, int]) -> Optional[int]:
    """The value of a constant expression; None where a name in it is not known."""
    if isinstance(node, ast.Number):
        return node.value
    if isinstance(node, ast.Name):
        return names.get(node.name)
    if isinstance(node, ast.Unary):
        operand = evaluate(node.operand, names)
        return None if operand is None else operand if node.op == "+" else arithmetic.unary(node.op, operand)
    if isinstance(node, ast.Binary):
        left, right = evaluate(node.left, names), evaluate(node.right, names)
        return None if left is None or right is None else _combined(node.op, left, right)
    return None


def _combined(op: str, left: int, right: int) -> int:
    if op in ("&&", "||"):
        return int(bool(left) and bool(right) if op == "&&" else bool(left) or bool(right))
    return arithmetic.binary(op, left, right, True)
