"""One source of a named event: its attach points and expressions, parsed where they stand in the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Optional, TypeVar

from xtrace.core.errors import Diagnostic, ProgramError
from xtrace.core.lang import ast
from xtrace.core.lang.parser import parse_attach_point, parse_expression
from xtrace.core.lang.source import Source, Span
from xtrace.core.lang.walk import nodes
from xtrace.core.probes.schema import Reader
from xtrace.core.probes.yaml_nodes import Items, Value

if TYPE_CHECKING:
    from xtrace.core.probes.events import SourceSpec

_KEYS = (
    "attach", "enter", "exit", "key", "save", "fields", "let", "when", "where", "exit_where", "approximate", "late",
    "how",
)  # fmt: skip
T = TypeVar("T")


def source(reader: Reader, fields: Mapping[str, Any]) -> SourceSpec:
    """Read one source of an event with these fields."""
    from xtrace.core.probes.events import SourceSpec

    reader.only(_KEYS)
    pair = "enter" in reader.node.entries or "exit" in reader.node.entries
    attach, leave = _points(reader, "enter" if pair else "attach"), _points(reader, "exit") if pair else ()
    if pair and "attach" in reader.node.entries:
        reader.complain("XT0304", "a source has either attach, or enter and exit", reader.node.keys["attach"])
    if not pair:
        for key in ("save", "key", "exit_where"):
            if key in reader.node.entries:
                reader.complain("XT0304", f"{key} belongs to a pair of enter and exit", reader.node.keys[key])
    if pair and len(attach) != len(leave):
        reader.complain("XT0305", f"{len(attach)} entries do not pair with {len(leave)} exits", reader.span)
    given = _expressions(reader, "fields")
    _agree(reader, given, fields)
    lets = _expressions(reader, "let")
    _acyclic(reader, lets)
    return SourceSpec(
        attach=attach,
        leave=leave,
        key=_one(reader, "key") or parse_expression(Source("key", "tid")),
        save=_expressions(reader, "save"),
        fields=given,
        let=lets,
        when=_one(reader, "when"),
        where=_one(reader, "where"),
        exit_where=_one(reader, "exit_where"),
        approximate=reader.text("approximate"),
        late=reader.flag("late"),
        how=reader.text("how"),
        span=reader.span,
    )


def _agree(reader: Reader, given: Mapping[str, ast.Expr], fields: Mapping[str, Any]) -> None:
    """A source gives every field that is not optional, and no other."""
    place = reader.node.keys.get("fields", reader.span)
    if not given:
        reader.complain("XT0309", "the source gives no field of its event", place)
        return
    missing = [name for name, declared in fields.items() if not declared.optional and name not in given]
    if missing:
        reader.complain("XT0312", f"the source does not give {', '.join(missing)}", place, "or declare it optional")
    inner = reader.mapping("fields").node
    for name in given:
        if name not in fields:
            reader.complain("XT0312", f"the event has no field {name!r}", inner.keys[name])


def names_in(expr: ast.Expr) -> set[str]:
    """The bare names that an expression uses."""
    return {node.name for node in nodes(expr) if isinstance(node, ast.Name)}


def _acyclic(reader: Reader, lets: Mapping[str, ast.Expr]) -> None:
    """A `let` may use those before it; a circle, or one that comes later, has no order to compute it in."""
    spans = reader.mapping("let").node.keys
    before: set[str] = set()
    for name, expr in lets.items():
        later = sorted(used for used in names_in(expr) if used in lets and used not in before)
        if later:
            reader.complain("XT0310", f"{name} uses {', '.join(later)} before it is known", spans[name],
                            "put the names in the order in which they build on each other")  # fmt: skip
        before.add(name)


def _points(reader: Reader, key: str) -> tuple[ast.AttachPoint, ...]:
    node = reader.node.entries.get(key)
    values = node.items if isinstance(node, Items) else (node,) if node else ()
    if not values:
        reader.complain("XT0306", f"the key {key!r} is missing", reader.span)
    found = [_parsed(reader, value, parse_attach_point) for value in values]
    return tuple(point for point in found if point is not None)


def _expressions(reader: Reader, key: str) -> dict[str, ast.Expr]:
    inner = reader.mapping(key)
    found = {name: _parsed(reader, node, parse_expression) for name, node in inner.node.entries.items()}
    return {name: expr for name, expr in found.items() if expr is not None}


def _one(reader: Reader, key: str) -> Optional[ast.Expr]:
    node = reader.node.entries.get(key)
    return _parsed(reader, node, parse_expression) if node else None


def _parsed(reader: Reader, node: Any, parse: Callable[[Source], T]) -> Optional[T]:
    if not isinstance(node, Value):
        reader.complain("XT0305", "here belongs text of the language", node.span)
        return None
    try:
        return parse(_placed(node))
    except ProgramError as error:
        reader.complaints += [Diagnostic("XT0311", d.message, d.span or node.span, d.hints) for d in error.diagnostics]
        return None


def _placed(value: Value) -> Source:
    """The scalar's text as a source of its own, padded to the line and column where it stands in the file."""
    span: Span = value.span
    line, column = span.source.position(span.start)
    quoted = span.source.text[span.start : span.start + 1] in "'\""
    return Source(span.source.name, "\n" * (line - 1) + " " * (column - 1 + quoted) + value.text)
