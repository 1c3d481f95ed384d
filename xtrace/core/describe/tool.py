"""A tool's manual: what it shows, its options, the program itself, and what a host makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xtrace.core.backend import Backend
from xtrace.core.describe.plans import plan_document, plan_text
from xtrace.core.facts.model import HostFacts
from xtrace.core.lang import ast
from xtrace.core.lang.fold import fold_options
from xtrace.core.lang.parser import parse
from xtrace.core.plan.choose import Ranking, choose
from xtrace.core.plan.model import Request
from xtrace.core.plan.planning import plan_all
from xtrace.core.probes.tools import Option, Tool


def program(tool: Tool, values: Mapping[str, Any]) -> ast.Program:
    """A tool's program with its options folded. Raises ProgramError."""
    return fold_options(parse(tool.source), values)


def defaults(tool: Tool) -> dict[str, Any]:
    """The values of a tool's options when none is given."""
    return {name: option.default for name, option in tool.options.items()}


def ranking(tool: Tool, facts: HostFacts, backends: Mapping[str, Backend], paths: Sequence[Path]) -> Ranking:
    """What each backend makes of the tool without options."""
    request = Request(program(tool, defaults(tool)), tool.name, probe_paths=tuple(paths))
    return choose(plan_all(request, facts, backends))


def text(tool: Tool, ranked: Ranking) -> str:
    """The manual as a terminal shows it."""
    parts = [f"{tool.name}: {tool.summary}", tool.description.strip()]
    parts += [_table("Options:", {option_words(one): one.help for one in tool.options.values()})]
    parts += [_table("Columns:", tool.columns)]
    parts += ["\n".join(("Examples:", *(f"  {line}" for line in tool.examples))) if tool.examples else ""]
    parts += ["Program:\n" + "\n".join(f"  {line}" for line in tool.source.text.strip("\n").splitlines())]
    parts += [plan_text("On this host", ranked)]
    return "\n\n".join(part for part in parts if part)


def option_words(option: Option) -> str:
    """The flags of an option with the name of its value, `-n, --name COMM`."""
    metavar = "" if option.type == "flag" else f" {option.metavar or option.type.upper()}"
    return ", ".join(option.flags) + metavar


def _table(title: str, rows: Mapping[str, str]) -> str:
    if not rows:
        return ""
    width = 2 + max(len(name) for name in rows)
    return "\n".join((title, *(f"  {name:<{width}}{doc}" for name, doc in rows.items())))


def document(tool: Tool, ranked: Ranking) -> dict[str, object]:
    """The manual as a JSON object of schema `xtrace.tool-manual/1`."""
    return {
        "schema": "xtrace.tool-manual/1",
        "name": tool.name,
        "summary": tool.summary,
        "description": tool.description.strip(),
        "options": [
            {"name": one.name, "flags": list(one.flags), "type": one.type, "default": one.default, "help": one.help}
            for one in tool.options.values()
        ],
        "columns": dict(tool.columns),
        "examples": list(tool.examples),
        "program": tool.source.text.strip("\n"),
        "plan": plan_document(tool.name, ranked),
    }
