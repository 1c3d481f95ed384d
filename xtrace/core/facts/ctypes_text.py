"""C type names and parameter lists as text, as prototypes in probe files and the kernel's `format` files write them.

Typedefs beyond C's own and the kernel's fixed-width ones are asked of `typedef`, which a `TypeSource` provides.
Integer sizes are those of an LP64 kernel (`long` and pointers take 8 bytes).
"""

from __future__ import annotations

import re
from typing import Callable, Optional

from xtrace.core.c_types import LATER_TYPEDEFS, QUALIFIERS, SIZE_WORDS, TYPEDEFS, integer
from xtrace.core.errors import XtraceError
from xtrace.core.types import Array, CType, Enumerated, Int, Pointer, Space, String, Struct, Unknown, Void

Typedef = Callable[[str], Optional[CType]]

_TOKEN = re.compile(r"\s*([A-Za-z_]\w*|\*|\[\s*(?:0x[0-9a-fA-F]+|\d*)\s*\]|\.\.\.|[(),])")
_MAX_TEXT = 4096


def parse_type(text: str, typedef: Optional[Typedef] = None, space: Space = Space.KERNEL) -> CType:
    """The type that `text` names: `const struct sock *`, `unsigned long`, `u8[16]`, `enum hrtimer_mode`.

    `space` is where pointers point unless `__user` says otherwise. A typedef that nobody knows is `Unknown`, a struct
    that nobody knows has size 0. Raises XtraceError XT0401.
    """
    name, kind = _Reader(text, typedef, space).declaration()
    if name:
        raise _bad(text, f"`{name}` follows the type")
    return kind


def parse_declaration(text: str, typedef: Optional[Typedef] = None, space: Space = Space.KERNEL) -> tuple[str, CType]:
    """Name and type of one declaration, `char comm[16]` or `int (*fn)(void *)`; the name is "" where there is none.

    Raises XtraceError XT0401.
    """
    return _Reader(text, typedef, space).declaration()


def parse_parameters(text: str, typedef: Optional[Typedef] = None) -> tuple[tuple[str, CType], ...]:
    """Names and types of a parameter list, without its parentheses: `struct sock *sk, int state`.

    Arrays become pointers as C says; a nameless parameter is called `argN`, counted from 0. `void` and "" are empty
    lists; a trailing `...` is left out. Raises XtraceError XT0401.
    """
    parts = _split(text)
    if parts in ([], ["void"]):
        return ()
    found: list[tuple[str, CType]] = []
    for index, part in enumerate(parts):
        if part == "..." and 0 < index == len(parts) - 1:
            break
        name, kind = parse_declaration(part, typedef)
        if isinstance(kind, (Array, String)):
            kind = Pointer(kind.of if isinstance(kind, Array) else Int(1, True))
        if isinstance(kind, Void):
            raise _bad(text, "a parameter cannot be void")
        found.append((name or f"arg{index}", kind))
    names = [name for name, _ in found]
    for name in names:
        if names.count(name) > 1:
            raise _bad(text, f"two parameters are called `{name}`")
    return tuple(found)


def _split(text: str) -> list[str]:
    parts, depth = [""], 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    parts = [part.strip() for part in parts]
    return [] if parts == [""] else parts


def _bad(text: str, why: str) -> XtraceError:
    shown = text if len(text) <= 60 else text[:57] + "..."
    return XtraceError.of(
        "XT0401", f"cannot read the C declaration `{shown}`: {why}", hints=("write it as C does: struct sock *sk",)
    )


class _Reader:
    """One declaration, read from the left: specifiers, stars, a name or a function pointer, array bounds."""

    def __init__(self, text: str, typedef: Optional[Typedef], space: Space) -> None:
        self.text, self.typedef, self.space = text, typedef, space
        self.user = False
        self.tokens = self._tokens()
        self.at = 0

    def _tokens(self) -> list[str]:
        if len(self.text) > _MAX_TEXT:
            raise _bad(self.text, f"it is longer than {_MAX_TEXT} characters")
        tokens, at, end = [], 0, len(self.text.rstrip())
        while at < end:
            match = _TOKEN.match(self.text, at)
            if not match:
                raise _bad(self.text, f"`{self.text[at:].lstrip()[:1]}` is not expected")
            at = match.end()
            if match[1] == "__user":
                self.user = True
            elif match[1] not in QUALIFIERS:
                tokens.append(match[1])
        return tokens

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def declaration(self) -> tuple[str, CType]:
        kind = self.specifier()
        while self.peek() == "*":
            self.take()
            kind = Pointer(kind, Space.USER if self.user else self.space)
        if self.peek() == "(":
            return self.function_pointer(kind)
        name = self.take() if re.match(r"[A-Za-z_]", self.peek()) else ""
        kind = self.bounds(kind)
        if self.peek():
            raise _bad(self.text, f"`{self.peek()}` is not expected after the type")
        return name, kind

    def specifier(self) -> CType:
        token = self.take()
        if token in ("struct", "union", "enum"):
            return self.tagged(token)
        if token in SIZE_WORDS:
            words = [token]
            while self.peek() in SIZE_WORDS:
                words.append(self.take())
            return integer(words)
        if not re.match(r"[A-Za-z_]", token):
            raise _bad(self.text, "a type name is missing")
        found = self.typedef(token) if self.typedef else None
        return found or TYPEDEFS.get(token) or LATER_TYPEDEFS.get(token) or Unknown()

    def tagged(self, tag: str) -> CType:
        name = self.take()
        if not re.match(r"[A-Za-z_]", name):
            raise _bad(self.text, f"a name must follow `{tag}`")
        found = self.typedef(f"{tag} {name}") if self.typedef else None
        if found is not None:
            return found
        return Enumerated(name) if tag == "enum" else Struct(name, 0, tag == "union")

    def bounds(self, kind: CType) -> CType:
        counts: list[int] = []
        while self.peek().startswith("["):
            inside = self.take()[1:-1].strip()
            counts.append(int(inside, 0) if inside.lower().startswith("0x") else int(inside or "0"))
        for count in reversed(counts):
            kind = String(count) if kind == Int(1, True) and self.is_char() else Array(kind, count)
        return kind

    def is_char(self) -> bool:
        """Only `char` itself is text; `s8` is a number of the same size."""
        return "char" in self.tokens and "signed" not in self.tokens

    def function_pointer(self, result: CType) -> tuple[str, CType]:
        """`(*name)(…)`: to us an address and no more."""
        rest = self.tokens[self.at :]
        if rest[:2] != ["(", "*"] or rest[-1] != ")" or rest.count("(") != rest.count(")"):
            raise _bad(self.text, "only a function pointer may have parentheses: int (*fn)(void *)")
        name = rest[2] if re.match(r"[A-Za-z_]", rest[2]) else ""
        return name, Pointer(Void(), self.space)
