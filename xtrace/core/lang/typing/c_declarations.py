"""C declarations of a preamble, laid out as the compilers of 64-bit Linux do (System V ABI, natural alignment).

Structs of the kernel that stand by value inside a program's own struct are asked of the host.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Optional

from xtrace.core.c_types import QUALIFIERS, SIZE_WORDS
from xtrace.core.lang import ast
from xtrace.core.lang.source import Source, Span
from xtrace.core.lang.typing.c_expressions import evaluate, parse_constant
from xtrace.core.lang.typing.host import Types
from xtrace.core.lang.typing.kinds import size_of, width
from xtrace.core.lang.typing.names_of_types import basic, spelled
from xtrace.core.records import dataclass
from xtrace.core.types import Array, CType, Enumerated, Int, Member, Pointer, Space, Struct, Void

_TOKEN = re.compile(r"\s*([A-Za-z_]\w*|0[xX][0-9a-fA-F]+[uUlL]*|\d+[uUlL]*|<<|>>|[-+*/%&|^~!<>()\[\]{};:,=])")
_NOWHERE = Span(Source("", ""), 0, 0)


class DeclarationError(ValueError):
    """A declaration that cannot be read; the message is for the user."""


class HostNeededError(Exception):
    """A struct holds one of the kernel's, whose size only a host tells."""


@dataclass(frozen=True)
class Layout:
    type: Struct
    members: tuple[Member, ...]
    align: int


@dataclass
class Layouts:
    """What a preamble declares, by name."""

    structs: dict[str, Layout] = field(default_factory=dict)
    typedefs: dict[str, CType] = field(default_factory=dict)
    enumerators: dict[str, int] = field(default_factory=dict)
    enums: dict[str, dict[int, str]] = field(default_factory=dict)
    anonymous: int = 0
    host: Optional[Types] = None
    """Asked for structs of the kernel that a struct of the program contains."""
    hostless: bool = True

    def numbers(self, macros: Mapping[str, ast.Expr]) -> dict[str, int]:
        """The names that stand for integers: enumerators, and the macros that are numbers."""
        known = {name: meaning.value for name, meaning in macros.items() if isinstance(meaning, ast.Number)}
        return {**self.enumerators, **known}


def read_declarations(text: str, layouts: Layouts, macros: Mapping[str, ast.Expr]) -> None:
    """Add what the text declares. Raises DeclarationError, keeping what came before."""
    reader = _Reader(_tokens(text), layouts, macros)
    while not reader.at_end:
        reader.declaration()


def _tokens(text: str) -> list[str]:
    tokens, position, end = [], 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise DeclarationError(f"xtrace cannot read C at {text[position : position + 20].strip()!r}")
        tokens.append(match.group(1))
        position = match.end()
    return tokens


@dataclass
class _Laying:
    """Where the next member of a struct goes. `bits` counts bits, so that bit fields fit in."""

    union: bool
    bits: int = 0
    size: int = 0
    align: int = 1
    members: list[Member] = field(default_factory=list)

    def place(self, size: int, align: int) -> int:
        """The offset of an ordinary member."""
        offset = 0 if self.union else -(-self.bits // (8 * align)) * align
        self.bits = 8 * (offset + size)
        self._grow(offset + size, align)
        return offset

    def place_bits(self, size: int, count: int) -> tuple[int, int]:
        """Offset and first bit of a bit field in a unit of `size` bytes; a count of 0 starts a new unit."""
        unit = 8 * size
        start = 0 if self.union else self.bits
        if count == 0 or start % unit + count > unit:
            start = -(-start // unit) * unit
        self.bits = start + count
        self._grow(-(-self.bits // 8), size if count else 1)
        return start // unit * size, start % unit

    def _grow(self, end: int, align: int) -> None:
        self.size = max(self.size, end)
        self.align = max(self.align, align)


class _Reader:
    def __init__(self, tokens: list[str], layouts: Layouts, macros: Mapping[str, ast.Expr]) -> None:
        self._tokens = tokens
        self._position = 0
        self._layouts = layouts
        self._macros = macros

    @property
    def at_end(self) -> bool:
        return self._position >= len(self._tokens)

    def _peek(self) -> str:
        return "" if self.at_end else self._tokens[self._position]

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise DeclarationError("this C declaration ends too early")
        self._position += 1
        return token

    def _take(self, token: str) -> bool:
        if self._peek() != token:
            return False
        self._position += 1
        return True

    def _expect(self, token: str) -> None:
        found = self._next()
        if found != token:
            raise DeclarationError(f"expected {token!r} in this C declaration, found {found!r}")

    # --- declarations --------------------------------------------------------------------------------------------

    def declaration(self) -> None:
        """One declaration at the top level with its semicolon, which the last may lack, as in bpftrace."""
        if self._take(";"):
            return
        is_typedef = self._take("typedef")
        base = self._specifier()
        while not self.at_end and not self._take(";"):
            name, type_, _ = self._declarator(base)
            if is_typedef and name:
                self._layouts.typedefs[name] = type_
            if not self._take(","):
                self._expect(";")
                return

    def _specifier(self) -> CType:
        """A type without declarator: `const struct x`, `unsigned long`, `struct { … }`, `u32`."""
        self._skip_qualifiers()
        tag = self._peek()
        if tag in ("struct", "union"):
            self._next()
            return self._struct(tag == "union")
        if tag == "enum":
            self._next()
            return self._enum()
        words = [self._next()]
        if words[0] in SIZE_WORDS:
            while self._peek() in SIZE_WORDS or self._peek() in QUALIFIERS:
                words.append(self._next())
        name = spelled(" ".join(words))
        found = self._layouts.typedefs.get(name) or basic(name)
        if found is None:
            raise DeclarationError(f"the type {name} is not known to this preamble; write it out in C's own types")
        self._skip_qualifiers()
        return found

    def _skip_qualifiers(self) -> bool:
        """Pass qualifiers and attributes; tells whether `packed` was among them."""
        packed = False
        while self._peek() in QUALIFIERS or self._peek() == "__attribute__":
            if self._next() == "__attribute__":
                packed = self._attribute() or packed
        return packed

    def _attribute(self) -> bool:
        depth, packed = 0, False
        while True:
            token = self._next()
            depth += (token == "(") - (token == ")")
            packed = packed or token in ("packed", "__packed__")
            if depth == 0:
                return packed

    def _struct(self, union: bool) -> CType:
        packed = self._skip_qualifiers()
        name = self._next() if self._peek() != "{" else ""
        if not name:
            self._layouts.anonymous += 1
            name = f"(anonymous {self._layouts.anonymous})"
        if not self._take("{"):
            known = self._layouts.structs.get(name)
            return known.type if known is not None else Struct(name, 0, union)
        laying = _Laying(union)
        loose: list[tuple[str, CType, Optional[int]]] = []
        while not self._take("}"):
            loose += self._member_line()
        packed = self._skip_qualifiers() or packed
        for member_name, type_, bits in loose:
            self._lay(laying, member_name, type_, bits, packed)
        align = 1 if packed else laying.align
        size = -(-laying.size // align) * align
        layout = Layout(Struct(name, size, union), tuple(laying.members), align)
        self._layouts.structs[name] = layout
        return layout.type

    def _member_line(self) -> list[tuple[str, CType, Optional[int]]]:
        base = self._specifier()
        found: list[tuple[str, CType, Optional[int]]] = []
        if self._take(";"):
            return [("", base, None)]
        while True:
            found.append(self._declarator(base))
            if self._take(";"):
                return found
            self._expect(",")

    def _declarator(self, base: CType) -> tuple[str, CType, Optional[int]]:
        """Name, type and bit count of `*name[4]`, `name : 3`, `(*name)(…)`."""
        type_ = base
        while self._peek() == "*" or self._peek() in QUALIFIERS:
            if self._next() == "*":
                type_ = Pointer(type_, Space.KERNEL)
        if self._take("("):
            return self._function_pointer()
        name = self._next() if self._peek() not in (":", ";", ",", "[") else ""
        bounds: list[int] = []
        while self._take("["):
            bounds.append(self._constant("]"))
            self._expect("]")
        for bound in reversed(bounds):
            type_ = Array(type_, bound)
        bits = self._constant(",;") if self._take(":") else None
        self._skip_qualifiers()
        return name, type_, bits

    def _function_pointer(self) -> tuple[str, CType, Optional[int]]:
        self._expect("*")
        name = self._next()
        self._expect(")")
        depth = 0
        while True:
            token = self._next()
            depth += (token == "(") - (token == ")")
            if depth == 0:
                return name, Pointer(Void(), Space.KERNEL), None

    def _constant(self, stops: str) -> int:
        """The value of the tokens up to one of `stops`, which stays; an empty bound (`[]`) is 0."""
        start = self._position
        while self._peek() and self._peek() not in stops:
            self._position += 1
        text = " ".join(self._tokens[start : self._position])
        if not text:
            return 0
        value = evaluate(parse_constant(text, _NOWHERE), self._layouts.numbers(self._macros))
        if value is None:
            raise DeclarationError(f"{text} is not a constant that this preamble knows")
        return value

    def _enum(self) -> CType:
        self._skip_qualifiers()
        name = self._next() if self._peek() != "{" else ""
        if not self._take("{"):
            return Enumerated(name)
        values: dict[int, str] = {}
        following = 0
        while not self._take("}"):
            enumerator = self._next()
            if self._take("="):
                following = self._constant(",}")
            self._layouts.enumerators[enumerator] = following
            values.setdefault(following, enumerator)
            following += 1
            self._take(",")
        type_ = Enumerated(name, 4, any(value < 0 for value in values))
        if name:
            self._layouts.enums[name] = values
            self._layouts.typedefs[f"enum {name}"] = type_
        return type_

    # --- layout --------------------------------------------------------------------------------------------------

    def _lay(self, laying: _Laying, name: str, type_: CType, bits: Optional[int], packed: bool) -> None:
        if bits is not None:
            offset, first = laying.place_bits(width(type_), bits)
            if name and bits:
                laying.members.append(Member(name, type_, offset, width(type_), first, bits))
            return
        if isinstance(type_, Struct) and type_.size == 0 and type_.name not in self._layouts.structs:
            type_ = self._of_host(type_, name)
        size = size_of(type_)
        if size is None:
            raise DeclarationError(f"the size of {name or 'a member'} is not known to this preamble")
        offset = laying.place(size, 1 if packed else self._align(type_))
        if name:
            laying.members.append(Member(name, type_, offset, size))
            return
        if isinstance(type_, Struct):
            inner = self._layouts.structs[type_.name].members
            laying.members += [replace(one, offset=one.offset + offset) for one in inner]

    def _of_host(self, struct: Struct, name: str) -> CType:
        """A struct of the kernel's inside one of the program's."""
        if self._layouts.hostless:
            raise HostNeededError
        found = self._layouts.host.struct(struct.name) if self._layouts.host is not None else None
        if found is None:
            raise DeclarationError(f"the size of {name or 'a member'} is not known to this preamble or on this host")
        return found

    def _align(self, type_: CType) -> int:
        if isinstance(type_, Array):
            return self._align(type_.of)
        if isinstance(type_, Struct):
            known = self._layouts.structs.get(type_.name)
            return known.align if known is not None else 8
        return width(type_) if isinstance(type_, (Int, Enumerated, Pointer)) else 1
