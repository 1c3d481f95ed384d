"""Clauses that the worker runs itself, between the records: what BPF cannot do, and no event of the kernel fires.

A `begin`, `end` or `interval` clause may walk through a map, ask how many entries it has, or read what each CPU keeps
its own part of; the worker reads maps as a whole. It runs after the records that came before it, as `print(@m)` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from xtrace.backends.bcc.maps import MapTable
from xtrace.backends.bcc.writer import UnsupportedError
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.errors import Diagnostic
from xtrace.core.lang.source import Span
from xtrace.core.plan.traverse import all_expressions, statements

SPLIT = (t.Min, t.Max, t.Stats, t.Hist, t.LinearHist)
"""Aggregations of which each CPU keeps its own part, whether the program reads them or not."""


def runs_in_worker(clause: ir.Clause, decls: Mapping[str, ir.MapDecl]) -> bool:
    """Does a clause that no event fires ask what only user space can answer?"""
    if not all(isinstance(point, at.USER_SPACE) for point in clause.attach):
        return False
    return any(isinstance(node, ir.ForEach) for node in statements(clause.body)) or any(
        isinstance(node, ir.MapLength)
        or (isinstance(node, ir.MapValue) and node.map in decls and isinstance(decls[node.map].value, SPLIT))
        for node in all_expressions(clause)
    )


@dataclass
class Clause:
    """One clause being written. `fed` are the maps that BPF handlers write; in a trial the program is not known yet."""

    program: ir.Program
    maps: MapTable
    fed: frozenset[str] = frozenset()
    lines: list[str] = field(default_factory=list)
    depth: int = 1
    names: int = 0

    def line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    def name(self, hint: str) -> str:
        self.names += 1
        return f"{hint}{self.names}"

    def variable(self, name: str) -> str:
        """The Python name of a variable of the program."""
        return f"v_{name}"

    def map(self, name: str) -> str:
        return f"trace.maps[{name!r}]"

    def refuse(self, what: str, span: Optional[Span], *hints: str) -> UnsupportedError:
        """The exception for what the worker cannot do."""
        message = f"BPF cannot run this clause, and the worker that runs it instead {what}"
        return UnsupportedError(Diagnostic("XT0701", message, span, hints))


def point(attach: at.Attach, function: str) -> dict[str, Any]:
    """The attach point as the worker knows it, ready for JSON."""
    how: dict[str, Any] = {"own": function, "name": attach.name}
    if isinstance(attach, at.Interval):
        return {**how, "by": "interval", "nsecs": attach.nsecs}
    return {**how, "by": "end" if isinstance(attach, at.End) else "begin"}
