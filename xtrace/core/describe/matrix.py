"""Tools by hosts: which backend would serve each, what it loses, or why none can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xtrace.core.backend import Backend
from xtrace.core.describe.plans import plan_document
from xtrace.core.describe.tool import ranking
from xtrace.core.facts.model import HostFacts
from xtrace.core.plan.choose import Ranking, fidelity
from xtrace.core.probes.tools import Tool

_LIMITED, _NONE = "~", "-"


@dataclass(frozen=True)
class Matrix:
    """`cells` by host and tool. Hosts of equal facts share their rankings."""

    tools: tuple[str, ...]
    cells: Mapping[str, Mapping[str, Ranking]]


def matrix(
    tools: Sequence[Tool],
    hosts: Mapping[str, tuple[str, HostFacts]],
    backends: Mapping[str, Backend],
    paths: Sequence[Path],
) -> Matrix:
    """Plan every tool, without options, on every host. `hosts` gives for each name a digest and its facts; hosts of
    one digest are planned once."""
    planned: dict[str, Mapping[str, Ranking]] = {}
    for digest, facts in hosts.values():
        if digest not in planned:
            planned[digest] = {tool.name: ranking(tool, facts, backends, paths) for tool in tools}
    cells = {name: planned[digest] for name, (digest, _) in hosts.items()}
    return Matrix(tuple(tool.name for tool in tools), cells)


def text(made: Matrix) -> str:
    """A table; `~` marks a plan that loses something, `-` that no backend can. Of tools and hosts, whichever are more
    stand below one another, so that the table of one host fits any terminal."""
    hosts = [
        ["", *made.tools],
        *([name, *(_word(row[tool]) for tool in made.tools)] for name, row in made.cells.items()),
    ]
    rows = hosts if len(made.cells) >= len(made.tools) else list(zip(*hosts))
    widths = [2 + max(map(len, column)) for column in zip(*rows)]
    lines = ("".join(f"{word:<{width}}" for word, width in zip(row, widths)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _word(ranked: Ranking) -> str:
    if not ranked.ranked:
        return _NONE
    plan = ranked.ranked[0].plan
    return f"{plan.backend}{_LIMITED if fidelity(plan) else ''}"


def document(made: Matrix) -> dict[str, object]:
    """The matrix as a JSON object of schema `xtrace.matrix/1`, each cell a plan as `xtrace plan --json` gives it."""
    return {
        "schema": "xtrace.matrix/1",
        "hosts": [
            {"host": name, "tools": [plan_document(tool, row[tool]) for tool in made.tools]}
            for name, row in made.cells.items()
        ],
    }
