"""YAML with places: values that know where they stand, by YAML 1.2's core rules.

PyYAML's own loader keeps the last of two equal keys, reads `on:` as True and 0755 as 493; probe files must not depend
on that. So the text is composed to nodes only, and the few rules of the core schema (YAML 1.2, section 10.3) are
applied here.
"""

from __future__ import annotations

import re
from typing import Any, Union

from xtrace.core.errors import Diagnostic
from xtrace.core.lang.source import Source, Span
from xtrace.core.records import dataclass

Plain = Union[None, bool, int, float, str]
_MOST_NODES = 50_000
_INT = re.compile(r"[-+]?[0-9]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, Plain] = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass(frozen=True)
class Value:
    """A scalar. `text` is what was written, quotes and block markers removed."""

    value: Plain
    text: str
    span: Span


@dataclass(frozen=True)
class Items:
    items: tuple[Node, ...]
    span: Span


@dataclass(frozen=True)
class Mapping:
    """Entries in order of the file; `keys` are the keys' own spans."""

    entries: dict[str, Node]
    keys: dict[str, Span]
    span: Span


Node = Union[Value, Items, Mapping]


def read(source: Source) -> tuple[Node | None, tuple[Diagnostic, ...]]:
    """The document's root and what is wrong with its YAML; None for an empty or unreadable text."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = yaml.compose(source.text, Loader=loader)
    except yaml.YAMLError as error:
        return None, (_unreadable(source, error),)
    except RecursionError:
        return None, (Diagnostic("XT0301", "the YAML is nested too deeply", Span(source, 0, 1)),)
    if root is None:
        return None, (Diagnostic("XT0301", "the file is empty", Span(source, 0, 1)),)
    complaints: list[Diagnostic] = []
    if _too_large(root):
        return None, (Diagnostic("XT0301", f"the YAML has more than {_MOST_NODES} values", Span(source, 0, 1)),)
    return _convert(root, source, complaints, ()), tuple(complaints)


def _too_large(root: Any) -> bool:
    """Aliases of aliases can stand for billions of values; each use counts. One that contains itself never ends."""
    left, waiting = _MOST_NODES, [(root, frozenset[int]())]
    while waiting:
        node, above = waiting.pop()
        left -= 1
        if left < 0:
            return True
        if type(node).__name__ != "ScalarNode" and id(node) not in above:
            parts = (
                node.value if type(node).__name__ == "SequenceNode" else [part for pair in node.value for part in pair]
            )
            waiting += [(part, above | {id(node)}) for part in parts]
    return False


def _unreadable(source: Source, error: Any) -> Diagnostic:
    mark = getattr(error, "problem_mark", None)
    start = min(mark.index, max(0, len(source.text) - 1)) if mark else 0
    words = getattr(error, "problem", None) or str(error).split("\n")[0]
    return Diagnostic("XT0301", f"this is not YAML: {words}", Span(source, start, start + 1))


def _span(node: Any, source: Source) -> Span:
    return Span(source, node.start_mark.index, max(node.end_mark.index, node.start_mark.index + 1))


def _convert(node: Any, source: Source, complaints: list[Diagnostic], above: tuple[int, ...]) -> Node:
    kind = type(node).__name__
    span = _span(node, source)
    if id(node) in above:
        complaints.append(Diagnostic("XT0301", "an alias contains itself", span))
        return Value(None, "", span)
    above = (*above, id(node))
    if kind == "ScalarNode":
        plain = not node.style  # None, or "" from libyaml
        return Value(_core(node.value) if plain else node.value, node.value, span)
    if kind == "SequenceNode":
        return Items(tuple(_convert(item, source, complaints, above) for item in node.value), span)
    return _mapping(node, source, complaints, above)


def _mapping(node: Any, source: Source, complaints: list[Diagnostic], above: tuple[int, ...]) -> Mapping:
    entries: dict[str, Node] = {}
    keys: dict[str, Span] = {}
    for key, value in node.value:
        place = _span(key, source)
        if type(key).__name__ != "ScalarNode":
            complaints.append(Diagnostic("XT0302", "a key must be a word", place))
            continue
        if key.value in entries:
            first = keys[key.value].location()
            complaints.append(Diagnostic("XT0303", f"the key {key.value!r} stands here again; first at {first}", place))
            continue
        entries[key.value] = _convert(value, source, complaints, above)
        keys[key.value] = place
    return Mapping(entries, keys, _span(node, source))


def _core(text: str) -> Plain:
    """A plain scalar's value by the core schema."""
    if text.lower() in _WORDS and (text.islower() or text.istitle() or text.isupper() or not text.strip("~")):
        return _WORDS[text.lower()]
    if _INT.fullmatch(text):
        return int(text)
    if _HEX.fullmatch(text):
        return int(text, 16)
    return float(text) if _FLOAT.fullmatch(text) else text
