"""The tools and named events that xtrace and its plugins bring, as a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xtrace.core.errors import Diagnostic
from xtrace.core.probes.events import FIELD_TYPES, Event, EventField, all_events
from xtrace.core.probes.tools import Tool, all_tools


@dataclass(frozen=True)
class Catalogue:
    """`complaints` are about files that do not load; the others are here all the same."""

    tools: tuple[Tool, ...]
    events: tuple[Event, ...]
    complaints: tuple[Diagnostic, ...]


def catalogue(paths: Sequence[Path]) -> Catalogue:
    """All that the probe files in `paths` define."""
    tools, of_tools = all_tools(paths)
    events, of_events = all_events(paths)
    return Catalogue(tuple(sorted(tools, key=lambda tool: tool.name)), events, (*of_tools, *of_events))


def text(known: Catalogue, verbose: bool = False) -> str:
    """Names with their summaries; with `verbose` columns of tools and fields of events below each."""
    names = [*(tool.name for tool in known.tools), *(event.name for event in known.events)]
    width = 2 + max(map(len, names), default=0)
    lines = ["Tools (xtrace run TOOL):"]
    for tool in known.tools:
        lines.append(f"  {tool.name:<{width}}{tool.summary}")
        lines += [f"      {name:<{width}}{doc}" for name, doc in tool.columns.items() if verbose]
    lines += ["", "Named events (probes of a program: EVENT { … }):"]
    for event in known.events:
        lines.append(f"  {event.name:<{width}}{event.summary}")
        lines += [f"      {name:<{width}}{field.doc}" for name, field in event.fields.items() if verbose]
    return "\n".join(lines)


def document(known: Catalogue) -> dict[str, object]:
    """The list as a JSON object of schema `xtrace.list/1`."""
    return {
        "schema": "xtrace.list/1",
        "tools": [
            {"name": tool.name, "summary": tool.summary, "columns": dict(tool.columns), "options": list(tool.options)}
            for tool in known.tools
        ],
        "events": [{"name": event.name, "summary": event.summary, "fields": fields(event)} for event in known.events],
    }


def fields(event: Event) -> list[dict[str, object]]:
    """An event's fields as JSON objects."""
    return [
        {"name": one.name, "type": field_type(one), "optional": one.optional, "doc": one.doc}
        for one in event.fields.values()
    ]


def field_type(field: EventField) -> str:
    """A field's type in the words of the probe files."""
    return next(word for word, kind in FIELD_TYPES.items() if kind == field.type)
