"""Statements and blocks. What is wrong in one statement is complained about, and reading goes on with the next."""

from __future__ import annotations

from typing import Callable, Optional, Union

from xtrace.core.lang import ast
from xtrace.core.lang.lexer import END, MAP, NAME, SCALAR, Token
from xtrace.core.lang.parser_cursor import Cursor, Failure
from xtrace.core.lang.parser_expressions import expression, scalar
from xtrace.core.lang.parser_types import names_type, type_name
from xtrace.core.lang.spellings import BUILTINS, probe_kind

_ASSIGNMENTS = {
    "=": "", "+=": "+", "-=": "-", "*=": "*", "/=": "/", "%=": "%", "&=": "&", "|=": "|", "^=": "^", "<<=": "<<",
    ">>=": ">>",
}  # fmt: skip
_IMMUTABLE = "tuples cannot be changed; assign a new one"


class ProbeInside(Exception):  # noqa: N818 - never leaves the parser
    """A probe begins inside a block, so a `}` is missing before it; reading goes on at `position`."""

    def __init__(self, position: int) -> None:
        super().__init__()
        self.position = position


def block(c: Cursor) -> tuple[ast.Stmt, ...]:
    """Read `{ … }`. Complaints about its statements are reported, not raised."""
    opening = c.expect("{", "to begin the block")
    statements: list[ast.Stmt] = []
    with c.deeper():
        while c.token.text != "}":
            if c.token.kind == END:
                _unclosed(c, opening)
            _next_statement(c, opening, statements)
    c.advance()
    return tuple(statements)


def _unclosed(c: Cursor, opening: Token) -> None:
    """Complain about the innermost open brace only."""
    if not c.ended and not c.broken:
        c.ended = True
        c.report("XT0107", f"this {{ is never closed: expected }}, found {c.shown(c.token)}", c.span(opening))
    raise Failure(None)


def _next_statement(c: Cursor, opening: Token, statements: list[ast.Stmt]) -> None:
    try:
        statement = _statement(c, opening)
    except Failure as failure:
        if failure.diagnostic:
            c.diagnostics.append(failure.diagnostic)
        c.skip_statement()
    else:
        if statement is not None:
            statements.append(statement)


def _statement(c: Cursor, opening: Token) -> Optional[ast.Stmt]:
    """Read one statement with its semicolon; None for an empty one."""
    token = c.token
    if token.kind == NAME:
        read = _KEYWORD_STATEMENTS.get(token.text)
        if read is not None:
            return read(c)
        if _begins_probe(c):
            hint = f"the {{ of line {c.line(opening)} is still open"
            c.report("XT0107", f"expected }} before the probe {token.text}", c.span(token), hint)
            raise ProbeInside(token.start)
    elif token.text == "{":
        body = block(c)
        return ast.Block(body, c.since(token.start))
    elif token.text == ";":
        c.advance()
        return None
    elif token.text == "#":
        hint = "directives stand on lines of their own before the first probe"
        raise c.failure("XT0117", "a directive cannot stand in a block", c.span(token), hint)
    statement = _simple(c)
    _terminate(c)
    return statement


def _begins_probe(c: Cursor) -> bool:
    """Whether a clause begins at the cursor: a type of probe at the start of a line, with what follows one."""
    token, after = c.token, c.peek()
    kind = probe_kind(token.text)
    if kind is None or c.source.position(token.start)[1] != 1:
        return False
    return after.text == ":" if kind.most else after.text in ("{", "/")


def _terminate(c: Cursor) -> None:
    """Take the `;` of a statement; the last of a block needs none. Where it is missing, complain once."""
    if c.accept(";") or c.token.text == "}" or c.token.kind == END:
        return
    new_line = c.line(c.before) != c.line(c.token)
    begins = c.token.kind in (NAME, SCALAR, MAP) or c.token.text == "{"
    if not begins or not (new_line or c.token.kind in (SCALAR, MAP) or c.peek().text == "("):
        chained = ("an assignment gives no value: make it a statement of its own",) if c.token.text == "=" else ()
        raise c.unexpected("; or } after the statement", *chained)
    c.report("XT0101", f"expected ; after the statement, found {c.shown(c.token)}", c.place(), "statements end with ;")


def _simple(c: Cursor) -> ast.Stmt:
    """An assignment, or an expression for its effect."""
    start = c.token
    target = expression(c)
    operator = _ASSIGNMENTS.get(c.token.text)
    if operator is None:
        return ast.Do(target, c.since(start.start))
    sign = c.advance()
    value = expression(c)
    span = c.since(start.start)
    if isinstance(target, (ast.Scalar, ast.MapRef)):
        return ast.Assign(target, operator, value, span)
    if isinstance(target, ast.Name) and target.name == "_" and not operator:
        return ast.Do(value, span)
    _refuse_target(c, target, sign)
    return ast.Do(value, span)


def _refuse_target(c: Cursor, target: ast.Expr, sign: Token) -> None:
    text = target.span.text
    hints = [f"a variable is written ${text}"] if isinstance(target, ast.Name) and text not in BUILTINS else []
    if isinstance(target, ast.Member) and target.name.isdigit():
        hints.append(_IMMUTABLE)
    elif sign.text == "=":
        hints.append("== compares")
    c.report("XT0112", f"{text} cannot be assigned: only variables ($x) and maps (@m) can", target.span, *hints)


# --- statements that begin with a keyword ----------------------------------------------------------------------------


def _body(c: Cursor, after: str) -> tuple[ast.Stmt, ...]:
    if c.token.text != "{":
        raise _missing_block(c, after)
    return block(c)


def _missing_block(c: Cursor, after: str) -> Failure:
    return c.unexpected(f"{{ after {after}", "braces are needed around one statement, too")


def _bare_statement(c: Cursor) -> bool:
    """Whether `(x) exit();` is meant: a condition and a statement without braces rather than a cast."""
    inside = c.token.text == "(" and c.peek(2).text == ")" and not names_type(c.peek())
    return inside and c.peek(3).kind in (NAME, SCALAR, MAP)


def _condition(c: Cursor, after: str) -> ast.Expr:
    """What stands between the keyword and the block, in parentheses or without."""
    if c.token.text == "{":
        raise c.unexpected(after)
    if _bare_statement(c):
        for _ in range(3):
            c.advance()
        raise _missing_block(c, after)
    condition = expression(c)
    if c.token.text == "=":
        raise c.unexpected(f"{{ after {after}", "= assigns; == compares")
    return condition


def _if(c: Cursor) -> ast.Stmt:
    start = c.advance()
    condition = _condition(c, "the condition")
    then = _body(c, "the condition")
    otherwise: tuple[ast.Stmt, ...] = ()
    if c.accept("else"):
        if c.token.text == "if":
            with c.deeper():
                otherwise = (_if(c),)
        else:
            otherwise = _body(c, "else")
    return ast.If(condition, then, otherwise, c.since(start.start))


def _else(c: Cursor) -> ast.Stmt:
    hint = "an else follows the } of its if, without a ;"
    raise c.failure("XT0119", "this else belongs to no if", c.span(c.token), hint)


def _unroll(c: Cursor) -> ast.Stmt:
    start = c.advance()
    count = _condition(c, "the number of rounds")
    body = _body(c, "the number of rounds")
    return ast.Unroll(count, body, c.since(start.start))


def _while(c: Cursor) -> ast.Stmt:
    start = c.advance()
    condition = _condition(c, "the condition")
    body = _body(c, "the condition")
    return ast.While(condition, body, c.since(start.start))


_FOR_FORMS = "a loop is written for ($kv : @map) or for ($i : 0..5)"


def _for(c: Cursor) -> ast.Stmt:
    start = c.advance()
    try:
        variable, over = _loop_head(c)
    except Failure:
        while c.token.kind != END and c.token.text not in "{}":
            c.advance()
        raise
    body = _body(c, "the head of the loop")
    return ast.For(variable, over, body, c.since(start.start))


def _loop_head(c: Cursor) -> tuple[ast.Scalar, Union[ast.MapRef, tuple[ast.Expr, ast.Expr]]]:
    opening = c.accept("(")
    if c.token.kind != SCALAR:
        raise c.unexpected("the variable of the loop", _FOR_FORMS)
    variable = scalar(c)
    if c.token.text != ":":
        raise c.unexpected(": after the variable of the loop", _FOR_FORMS)
    c.advance()
    over = _range(c)
    if opening:
        c.close(opening)
    return variable, over


def _range(c: Cursor) -> Union[ast.MapRef, tuple[ast.Expr, ast.Expr]]:
    first = expression(c)
    if c.accept(".."):
        return first, expression(c)
    if isinstance(first, ast.MapRef):
        return first
    raise c.failure("XT0101", f"expected a map or a range, found {first.span.text}", first.span, _FOR_FORMS)


def _let(c: Cursor) -> ast.Stmt:
    start = c.advance()
    if c.token.kind != SCALAR:
        raise c.unexpected("a variable after let", "maps need no declaration")
    target = scalar(c)
    type_ = type_name(c) if c.accept(":") else None
    value = expression(c) if c.accept("=") else None
    span = c.since(start.start)
    _terminate(c)
    return ast.Declare(target, type_, value, span)


def _jump(c: Cursor) -> ast.Stmt:
    start = c.advance()
    if start.text == "return" and c.token.text not in (";", "}") and c.token.kind != END:
        expression(c)
    span = c.since(start.start)
    _terminate(c)
    return ast.Jump(start.text, span)


_KEYWORD_STATEMENTS: dict[str, Callable[[Cursor], ast.Stmt]] = {
    "if": _if,
    "else": _else,
    "unroll": _unroll,
    "while": _while,
    "for": _for,
    "let": _let,
    "break": _jump,
    "continue": _jump,
    "return": _jump,
}
