"""Expressions, with C's precedence."""

from __future__ import annotations

from typing import Callable, Union

from xtrace.core.lang import ast
from xtrace.core.lang.lexer import BROKEN, MAP, NAME, NUMBER, OPERATOR, POSITIONAL, SCALAR, TEXT, Token
from xtrace.core.lang.parser_cursor import Cursor, Failure
from xtrace.core.lang.parser_types import begins_type, is_cast, names_type, type_name
from xtrace.core.lang.source import Span
from xtrace.core.lang.spellings import BUILTINS, KEYWORDS, plain_name

_PRECEDENCE = {
    "||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6, "<": 7, "<=": 7, ">": 7, ">=": 7, "<<": 8, ">>": 8,
    "+": 9, "-": 9, "*": 10, "/": 10, "%": 10,
}  # fmt: skip
_PREFIXES = frozenset("!~-+*&")
_STEPS = {"++": 1, "--": -1}


def expression(c: Cursor) -> ast.Expr:
    """Read an expression: everything but assignments."""
    start = c.token.start
    condition = _binary(c)
    if c.token.text != "?":
        return condition
    height = c.height
    with c.deeper():
        c.advance()
        then = expression(c)
        height = max(height, c.height)
        c.expect(":", "between the two values of ?:")
        otherwise = expression(c)
        c.grow(max(height, c.height) + 1, c.since(start))
    return ast.Ternary(condition, then, otherwise, c.since(start))


def _binary(c: Cursor) -> ast.Expr:
    """Operands and operators, put together on a stack of pending ones."""
    pending: list[tuple[str, int, ast.Expr, int, int]] = []  # operator, its precedence, left side, height, start
    start = c.token.start
    right = _unary(c)
    while True:
        operator = c.token.text if c.token.kind == OPERATOR else ""
        precedence = _PRECEDENCE.get(operator, 0)
        if operator == "/" and c.peek().text == "{":  # the end of a predicate
            precedence = 0
        while pending and pending[-1][1] >= precedence:
            before, _, left, height, start = pending.pop()
            span = c.since(start)
            c.grow(max(height, c.height) + 1, span)
            right = ast.Binary(before, left, right, span)
        if not precedence:
            return right
        pending.append((operator, precedence, right, c.height, start))
        c.advance()
        start = c.token.start
        right = _unary(c)


def _unary(c: Cursor) -> ast.Expr:
    """Prefix operators and casts, then what they stand before."""
    prefixes: list[tuple[Token, Union[str, int, ast.TypeName]]] = []
    while c.token.kind == OPERATOR:
        token = c.token
        if token.text in _PREFIXES:
            c.advance()
            prefixes.append((token, token.text))
        elif token.text in _STEPS:
            c.advance()
            prefixes.append((token, _STEPS[token.text]))
        elif token.text == "(" and is_cast(c):
            c.advance()
            type_ = type_name(c)
            c.close(token)
            prefixes.append((token, type_))
        else:
            break
    operand = _postfix(c)
    for token, prefix in reversed(prefixes):
        span = c.since(token.start)
        c.grow(c.height + 1, span)
        if isinstance(prefix, str):
            operand = ast.Unary(prefix, operand, span)
        elif isinstance(prefix, int):
            operand = _step(c, operand, prefix, True, span)
        else:
            operand = ast.Cast(prefix, operand, span)
    return operand


def _step(c: Cursor, target: ast.Expr, by: int, prefix: bool, span: Span) -> ast.Expr:
    if isinstance(target, (ast.Scalar, ast.MapRef)):
        return ast.Step(target, by, prefix, span)
    operator = "++" if by > 0 else "--"
    raise c.failure("XT0113", f"{operator} needs a variable or a map, not {target.span.text}", span)


def _postfix(c: Cursor) -> ast.Expr:
    """A primary with its members, indices and steps."""
    start = c.token.start
    found = _primary(c)
    while c.token.kind == OPERATOR:
        text = c.token.text
        if text in (".", "->"):
            found = _member(c, found, start)
        elif text == "[":
            opening = c.advance()
            height = c.height
            with c.deeper():
                index = expression(c)
            c.close(opening)
            c.height = max(height, c.height)
            found = ast.Index(found, index, c.since(start))
        elif text in _STEPS:
            c.advance()
            found = _step(c, found, _STEPS[text], False, c.since(start))
        else:
            break
        c.grow(c.height + 1, found.span)
    return found


def _member(c: Cursor, base: ast.Expr, start: int) -> ast.Expr:
    arrow = c.advance().text == "->"
    token = c.token
    if isinstance(base, ast.Number) and token.kind == NUMBER and not arrow:
        c.advance()
        hint = "scale instead: 1.5 seconds are 1500 milliseconds, or 1500ms"
        raise c.failure("XT0121", "there are no floating-point numbers", c.since(start), hint)
    if token.kind == NAME or (token.kind == NUMBER and token.text.isdigit()):
        c.advance()
        return ast.Member(base, token.text, arrow, c.since(start))
    raise c.unexpected("the name of a member")


# --- primaries -------------------------------------------------------------------------------------------------------


def _primary(c: Cursor) -> ast.Expr:
    read = _PRIMARIES.get(c.token.kind)
    if read is None:
        raise c.unexpected("an expression")
    c.height = 1
    return read(c)


def _number(c: Cursor) -> ast.Expr:
    token = c.advance()
    return ast.Number(int(token.value), c.span(token))


def _text(c: Cursor) -> ast.Expr:
    token = c.advance()
    return ast.Text(str(token.value), c.span(token))


def _scalar(c: Cursor) -> ast.Expr:
    return scalar(c)


def scalar(c: Cursor) -> ast.Scalar:
    """Read `$name`; the token is known to be one."""
    token = c.advance()
    return ast.Scalar(token.text[1:], c.span(token))


def _positional(c: Cursor) -> ast.Expr:
    token = c.advance()
    return ast.Positional(int(token.value), c.span(token))


def _map(c: Cursor) -> ast.Expr:
    token = c.advance()
    keys: tuple[ast.Expr, ...] = ()
    if c.token.text == "[":
        opening = c.advance()
        if c.token.text == "]":
            raise c.unexpected("a key", "a map without keys is written without brackets")
        keys = as_keys(_items(c, opening))
    return ast.MapRef(token.text[1:], keys, c.since(token.start))


def as_keys(items: tuple[ast.Expr, ...]) -> tuple[ast.Expr, ...]:
    """The keys of a map: one literal tuple is the same as its items."""
    if len(items) == 1 and isinstance(items[0], ast.TupleExpr) and items[0].items:
        return items[0].items
    return items


def _items(c: Cursor, opening: Token, labels: bool = False) -> tuple[ast.Expr, ...]:
    """Expressions separated by commas up to what closes `opening`; a comma may stand after the last."""
    closing = ")" if opening.text == "(" else "]"
    items: list[ast.Expr] = []
    height = c.height
    with c.deeper():
        while c.token.text != closing:
            items.append(_argument(c, labels))
            height = max(height, c.height)
            if not c.accept(","):
                break
    if c.token.text != closing and c.token.kind != BROKEN and _begins_item(c.token):
        raise c.unexpected(f", or {closing}")
    c.close(opening)
    c.height = height + 1
    return tuple(items)


def _begins_item(token: Token) -> bool:
    return token.kind in (NAME, NUMBER, TEXT, SCALAR, POSITIONAL, MAP)


def _argument(c: Cursor, labels: bool) -> ast.Expr:
    if c.token.kind != NAME or c.peek().text != "=":
        return expression(c)
    label = c.advance()
    c.advance()
    value = expression(c)
    span = c.since(label.start)
    if not labels:
        hint = "== compares; only emit() names its arguments"
        c.report("XT0118", f"the argument {label.text} cannot have a name here", c.span(label), hint)
    return ast.Labelled(label.text, value, span)


def _parenthesised(c: Cursor) -> ast.Expr:
    if c.token.text != "(":
        if c.token.text == "{":
            hint = "assign to a variable in an ordinary block"
            raise c.failure("XT0116", "blocks as expressions are not supported", c.span(c.token), hint)
        raise c.unexpected("an expression")
    opening = c.advance()
    with c.deeper():
        if c.accept(")"):
            return ast.TupleExpr((), c.since(opening.start))
        first = expression(c)
    if c.token.text != ",":
        c.close(opening)
        return first
    c.advance()
    items = (first, *_items(c, opening))
    return ast.TupleExpr(items, c.since(opening.start))


def _word(c: Cursor) -> ast.Expr:
    token = c.token
    special = _SPECIAL.get(token.text)
    if special is not None:
        return special(c)
    if token.text in KEYWORDS:
        raise _misplaced(c, token)
    if begins_type(token):
        hint = f"a cast is written ({token.text} …) before the value"
        raise c.failure("XT0101", f"expected an expression, found the type {token.text}", c.span(token), hint)
    c.advance()
    if c.token.text == "(":
        return _call(c, token)
    return ast.Name(plain_name(token.text), c.span(token))


def _misplaced(c: Cursor, token: Token) -> Failure:
    if token.text == "if":
        return c.failure("XT0116", "if as an expression is not supported", c.span(token), "write condition ? a : b")
    return c.failure("XT0119", f"{token.text} is a keyword and cannot stand in an expression", c.span(token))


def _call(c: Cursor, name: Token) -> ast.Expr:
    opening = c.advance()
    function = plain_name(name.text)
    args = _items(c, opening, labels=function == "emit")
    span = c.since(name.start)
    if not args and function in BUILTINS:
        return ast.Name(function, span)
    if function == "delete" and len(args) == 2 and isinstance(args[0], ast.MapRef) and not args[0].keys:
        keyed = ast.MapRef(args[0].name, as_keys(args[1:]), args[0].span.to(args[1].span))
        args = (keyed,)
    return ast.Call(function, args, span)


def _boolean(c: Cursor) -> ast.Expr:
    token = c.advance()
    return ast.Boolean(token.text == "true", c.span(token))


def _has(c: Cursor) -> ast.Expr:
    if c.peek().text != "(":
        return _name_only(c)
    start, opening = c.advance(), c.advance()
    subject: ast.Expr
    with c.deeper():
        if begins_type(c.token):
            type_ = type_name(c)
            subject = ast.SizeOf(type_, type_.span)
        else:
            subject = expression(c)
    if c.token.text == ":":
        hint = 'for probes that some hosts lack, config = { missing_probes = "ignore" }'
        message = "has() asks for a field, a type or a name, not for a probe"
        raise c.failure("XT0116", message, c.since(start.start), hint)
    c.close(opening)
    c.grow(c.height + 1, c.since(start.start))
    return ast.Has(subject, c.since(start.start))


def _name_only(c: Cursor) -> ast.Expr:
    token = c.advance()
    return ast.Name(token.text, c.span(token))


def _size_of(c: Cursor) -> ast.Expr:
    start = c.advance()
    opening = c.expect("(", "after sizeof")
    of: Union[ast.TypeName, ast.Expr]
    pointer = c.token.kind == NAME and c.peek().text == "*" and c.peek(2).text in ("*", ")")
    with c.deeper():
        of = type_name(c) if names_type(c.token) or pointer else expression(c)
    c.close(opening)
    c.grow(c.height + 1, c.since(start.start))
    return ast.SizeOf(of, c.since(start.start))


def _offset_of(c: Cursor) -> ast.Expr:
    start = c.advance()
    opening = c.expect("(", "after offsetof")
    if c.token.kind != NAME:
        hint = "name the struct: offsetof(struct task_struct, pid)"
        raise c.failure("XT0116", "offsetof of an expression is not supported", c.span(c.token), hint)
    type_ = type_name(c)
    c.expect(",", "between the struct and its member")
    members = [c.name("the name of a member").text]
    while c.accept("."):
        members.append(c.name("the name of a member").text)
    c.close(opening)
    return ast.OffsetOf(type_, tuple(members), c.since(start.start))


_SPECIAL: dict[str, Callable[[Cursor], ast.Expr]] = {
    "true": _boolean,
    "false": _boolean,
    "has": _has,
    "sizeof": _size_of,
    "offsetof": _offset_of,
}
_PRIMARIES: dict[int, Callable[[Cursor], ast.Expr]] = {
    NUMBER: _number,
    TEXT: _text,
    SCALAR: _scalar,
    POSITIONAL: _positional,
    MAP: _map,
    NAME: _word,
    OPERATOR: _parenthesised,
}
