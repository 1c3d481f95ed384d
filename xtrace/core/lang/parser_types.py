"""Type names, and how `(name)` is told to be a cast."""

from __future__ import annotations

from xtrace.core.lang import ast
from xtrace.core.lang.lexer import MAP, NAME, NUMBER, POSITIONAL, SCALAR, TEXT, Token
from xtrace.core.lang.parser_cursor import Cursor
from xtrace.core.lang.spellings import INTEGER_TYPES, KEYWORDS, TAGS, TYPEDEFS

_QUALIFIERS = frozenset(("const", "volatile", "restrict", "__user", "__rcu", "__kernel", "__percpu"))
_C_WORDS = frozenset(("unsigned", "signed", "long", "short", "int", "char"))
_OPERANDS = (NUMBER, TEXT, SCALAR, POSITIONAL, MAP)


def type_name(c: Cursor) -> ast.TypeName:
    """Read a type: words, stars, and at most one array bound."""
    start = c.token.start
    words = _words(c)
    pointers = stars(c)
    count = None
    if c.token.text == "[":
        count = array_bound(c)
        if c.token.text in ("[", "*"):
            raise c.failure("XT0120", "arrays of arrays and pointers to arrays are no types here", c.span(c.token))
    return ast.TypeName(" ".join(words), pointers, c.since(start), count)


def stars(c: Cursor) -> int:
    """Read the stars of a pointer type, with the qualifiers between them."""
    count = 0
    while c.token.text == "*" or c.token.text in _QUALIFIERS:
        count += c.advance().text == "*"
    return count


def array_bound(c: Cursor) -> int:
    """Read `[N]`; 0 for `[]`."""
    opening = c.advance()
    count = 0
    if c.token.kind == NUMBER:
        number = c.advance()
        count = int(number.value)
        if count == 0:
            raise c.failure("XT0120", "an array has at least one element", c.span(number))
    elif c.token.text != "]":
        raise c.failure("XT0120", f"expected a number of elements, found {c.shown(c.token)}", c.place())
    c.close(opening)
    return count


def _words(c: Cursor) -> list[str]:
    _skip_qualifiers(c)
    first = c.token
    if first.kind != NAME or first.text in KEYWORDS:
        raise c.failure(
            "XT0120", f"expected a type, found {c.shown(first)}", c.place(), "such as uint64 or struct sock *"
        )
    if first.text == "typeof":
        raise c.failure("XT0116", "typeof is not supported", c.span(first), "write the type itself")
    c.advance()
    words = [first.text]
    if first.text in TAGS:
        words.append(c.name(f"the name of the {first.text}").text)
    elif first.text in _C_WORDS:
        while c.token.text in _C_WORDS or c.token.text in _QUALIFIERS:
            word = c.advance().text
            if word in _C_WORDS:
                words.append(word)
    _skip_qualifiers(c)
    return words


def _skip_qualifiers(c: Cursor) -> None:
    while c.token.text in _QUALIFIERS:
        c.advance()


def begins_type(token: Token) -> bool:
    """Whether the word can only begin a type."""
    return token.kind == NAME and (token.text in TAGS or token.text in INTEGER_TYPES)


def names_type(token: Token) -> bool:
    """Whether a word by itself is a type rather than a value, as far as its spelling tells."""
    return begins_type(token) or (token.kind == NAME and (token.text in TYPEDEFS or token.text.endswith("_t")))


def is_cast(c: Cursor) -> bool:
    """Whether the `(` at the cursor begins a cast.

    `(struct x *)`, `(uint64)` and `(name *)` always do; `(name)` and `(name[4])` do before what can only be an operand.
    """
    word = c.peek()
    if word.kind != NAME:
        return False
    if begins_type(word) or word.text in _QUALIFIERS:
        return True
    ahead = 2
    while c.peek(ahead).text == "*" or c.peek(ahead).text in _QUALIFIERS:
        ahead += 1
    if ahead > 2:
        return c.peek(ahead).text == ")"
    if c.peek(ahead).text == "[":
        ahead += 2 if c.peek(ahead + 1).text == "]" else 3
        if c.peek(ahead - 1).text != "]":
            return False
    return c.peek(ahead).text == ")" and _begins_operand(c.peek(ahead + 1))


def _begins_operand(token: Token) -> bool:
    if token.kind == NAME:
        return token.text not in KEYWORDS or token.text in ("sizeof", "offsetof")
    return token.kind in _OPERANDS or token.text in ("(", "!", "~")
