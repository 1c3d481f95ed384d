"""The C preamble of a program: `#define`, `struct`, `union`, `enum`, `typedef` before the first probe.

`#include` reads nothing: kernel types come from the host by name. BPFTRACE_HAVE_BTF counts as defined, which is what
that branch of bpftrace's own tools asks for.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Optional

from xtrace.core.errors import Diagnostic
from xtrace.core.lang import ast
from xtrace.core.lang.source import Span
from xtrace.core.lang.typing.c_declarations import DeclarationError, HostNeededError, Layouts, read_declarations
from xtrace.core.lang.typing.c_expressions import evaluate, parse_constant
from xtrace.core.lang.typing.conditions import Conditions
from xtrace.core.lang.typing.constants import ABI_CONSTANTS
from xtrace.core.lang.typing.host import Types
from xtrace.core.records import dataclass
from xtrace.core.types import CType, Member

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_DEFINE = re.compile(r"#\s*define\s+(\w+)(\(?)(.*)", re.DOTALL)
_DIRECTIVE = re.compile(r"#\s*(\w+)\s*(.*)", re.DOTALL)
_LOCAL_INCLUDE = re.compile(r'#\s*include\s*"')


@dataclass
class Definitions:
    """What a preamble defines. `macros` are expressions by name."""

    macros: dict[str, ast.Expr] = field(default_factory=dict)
    layouts: Layouts = field(default_factory=Layouts)
    diagnostics: list[Diagnostic] = field(default_factory=list)


def read_definitions(spans: Sequence[Span], host: Optional[Types] = None) -> Definitions:
    """Read a preamble, given as the pieces that the parser found. Never raises: what cannot be read is complained about
    (XT0229), as an error where a type is lost and as a warning where a macro is."""
    definitions = Definitions(layouts=Layouts(host=host, hostless=host is None))
    conditions = _conditions(definitions)
    for span in spans:
        for text in _pieces(span.text):
            try:
                if text.startswith("#"):
                    _directive(definitions, conditions, text, span)
                elif conditions.open:
                    _declarations(definitions, text, span)
            except RecursionError:
                definitions.diagnostics.append(Diagnostic("XT0236", "this definition is nested too deeply", span))
    return definitions


def _pieces(text: str) -> list[str]:
    """Directives, each one logical line, and what stands between them."""
    plain = _COMMENT.sub(" ", text).replace("\\\n", " ")
    pieces: list[str] = []
    between: list[str] = []
    for line in plain.split("\n"):
        if line.lstrip().startswith("#"):
            pieces += ["\n".join(between), line.strip()]
            between = []
        else:
            between.append(line)
    pieces.append("\n".join(between))
    return [piece for piece in pieces if piece.strip()]


def _conditions(definitions: Definitions) -> Conditions:
    def unreadable(condition: str, span: Span) -> None:
        message = f"{condition} is no constant expression; its branch is taken"
        definitions.diagnostics.append(Diagnostic("XT0229", message, span, (), "warning"))

    numbers = functools.partial(definitions.layouts.numbers, definitions.macros)
    return Conditions(definitions.macros, numbers, unreadable)


def _directive(definitions: Definitions, conditions: Conditions, text: str, span: Span) -> None:
    match = _DIRECTIVE.match(text)
    if match is None or conditions.directive(match.group(1), match.group(2), span) or not conditions.open:
        return
    if _LOCAL_INCLUDE.match(text):
        message = "xtrace reads no header files; kernel types come from the host by name"
        hint = "write the structs and #defines that the program needs into it"
        definitions.diagnostics.append(Diagnostic("XT0229", message, span, (hint,), "warning"))
    define = _DEFINE.match(text)
    if define is not None:
        _define(definitions, define.group(1), define.group(2) == "(", define.group(3), span)


def _define(definitions: Definitions, name: str, callable_: bool, body: str, span: Span) -> None:
    meaning = None
    if not callable_:
        meaning = parse_constant(body, span) if body.strip() else ast.Number(1, span)
    if meaning is None:
        message = f"xtrace understands #define of constant expressions only; {name} is not defined"
        hint = f"a macro takes parameters and statements: macro {name}(a) {{ … }}"
        definitions.diagnostics.append(Diagnostic("XT0229", message, span, (hint,), "warning"))
        return
    value = evaluate(meaning, definitions.layouts.numbers(definitions.macros))
    definitions.macros[name] = ast.Number(value, span) if value is not None else meaning


def _declarations(definitions: Definitions, text: str, span: Span) -> None:
    try:
        read_declarations(text, definitions.layouts, definitions.macros)
    except HostNeededError:
        return  # what only a host knows agrees with everything until one is asked
    except DeclarationError as error:
        definitions.diagnostics.append(Diagnostic("XT0229", str(error), span))


class KnownTypes:
    """The program's own types before the host's; `Types` both.

    Answers are remembered: programs ask the same again and again, and a host searches all its types each time.
    """

    def __init__(self, definitions: Definitions, host: Optional[Types]) -> None:
        self._own = definitions.layouts
        self._host = host
        self._known: dict[tuple[str, str], Optional[Member]] = {}
        self._enumerators: dict[str, Optional[int]] = dict(ABI_CONSTANTS)
        self._enumerators.update(self._own.enumerators)

    def struct(self, name: str) -> Optional[CType]:
        own = self._own.structs.get(name)
        if own is not None:
            return own.type
        return self._host.struct(name) if self._host is not None else None

    def member(self, struct: str, name: str) -> Optional[Member]:
        own = self._own.structs.get(struct)
        if own is not None:
            return next((member for member in own.members if member.name == name), None)
        key = struct, name
        if key not in self._known:
            self._known[key] = self._host.member(struct, name) if self._host is not None else None
        return self._known[key]

    def members(self, struct: str) -> tuple[Member, ...]:
        own = self._own.structs.get(struct)
        if own is not None:
            return own.members
        return self._host.members(struct) if self._host is not None else ()

    def typedef(self, name: str) -> Optional[CType]:
        own = self._own.typedefs.get(name)
        if own is not None or self._host is None:
            return own
        return self._host.typedef(name)

    def enumerator(self, name: str) -> Optional[int]:
        """The value of an enumerator, or of a constant of the kernel's ABI."""
        if name not in self._enumerators and self._host is not None:
            self._enumerators[name] = self._host.enumerator(name)
        return self._enumerators.get(name)

    def enum_values(self, enum: str) -> Mapping[int, str]:
        own = self._own.enums.get(enum)
        if own is not None:
            return own
        return self._host.enum_values(enum) if self._host is not None else {}
