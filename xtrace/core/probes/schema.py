"""Reading a marked YAML mapping into a model: keys that exist, values of the right kind, complaints with places."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field

from xtrace.core.errors import Diagnostic
from xtrace.core.facts.model import near_names
from xtrace.core.lang.source import Span
from xtrace.core.probes.yaml_nodes import Items, Mapping, Node, Value
from xtrace.core.records import dataclass

_KINDS = {Value: "a single value", Items: "a list", Mapping: "a mapping"}


@dataclass
class Reader:
    """Reads one mapping; all complaints go to `complaints`, and reading goes on with defaults."""

    node: Mapping
    complaints: list[Diagnostic] = field(default_factory=list)

    @property
    def span(self) -> Span:
        return self.node.span

    def complain(self, code: str, message: str, span: Span, *hints: str) -> None:
        self.complaints.append(Diagnostic(code, message, span, hints))

    def only(self, known: Iterable[str]) -> None:
        """Complain of every key that is not in `known`."""
        allowed = list(known)
        for key, span in self.node.keys.items():
            if key not in allowed:
                near = near_names(key, allowed)
                hint = f"did you mean {' or '.join(near)}?" if near else f"known keys: {', '.join(allowed)}"
                self.complain("XT0304", f"unknown key {key!r}", span, hint)

    def text(self, key: str, default: str = "", required: bool = False) -> str:
        value = self._value(key, required)
        if value is None:
            return default
        if not isinstance(value.value, str):
            self.complain("XT0305", f"{key} must be text, not {value.text!r}", value.span, "put it in quotes")
            return default
        return value.value

    def flag(self, key: str, default: bool = False) -> bool:
        value = self._value(key, False)
        if value is None:
            return default
        if not isinstance(value.value, bool):
            self.complain("XT0305", f"{key} must be true or false, not {value.text!r}", value.span)
            return default
        return value.value

    def span_of(self, key: str) -> Span:
        """Where a value stands, or the mapping itself where the key is missing."""
        node = self.node.entries.get(key)
        return node.span if node else self.span

    def scalar(self, key: str) -> Value | None:
        return self._value(key, False)

    def mapping(self, key: str) -> Reader:
        """A mapping below; an empty one where it is missing or of another kind."""
        node = self.node.entries.get(key)
        if node is None:
            return Reader(Mapping({}, {}, self.span), self.complaints)
        if not isinstance(node, Mapping):
            self._wrong(key, node, Mapping)
            return Reader(Mapping({}, {}, node.span), self.complaints)
        return Reader(node, self.complaints)

    def items(self, key: str, required: bool = False) -> tuple[Node, ...]:
        node = self.node.entries.get(key)
        if node is None:
            if required:
                self.complain("XT0306", f"the key {key!r} is missing", self.span)
            return ()
        if not isinstance(node, Items):
            self._wrong(key, node, Items)
            return ()
        return node.items

    def _value(self, key: str, required: bool) -> Value | None:
        node = self.node.entries.get(key)
        if node is None:
            if required:
                self.complain("XT0306", f"the key {key!r} is missing", self.span)
            return None
        if not isinstance(node, Value):
            self._wrong(key, node, Value)
            return None
        return node

    def _wrong(self, key: str, node: Node, wanted: type) -> None:
        self.complain("XT0305", f"{key} must be {_KINDS[wanted]}, not {_KINDS[type(node)]}", node.span)
