"""The manual of whatever a name means: a tool, a named event, a tracepoint, a kernel function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from xtrace.core.backend import Backend
from xtrace.core.describe import event as events
from xtrace.core.describe import point as points
from xtrace.core.describe import tool as tools
from xtrace.core.errors import Diagnostic, UsageError
from xtrace.core.facts.model import HostFacts, near_names
from xtrace.core.lang.spellings import probe_kind
from xtrace.core.probes.events import all_events, find_event
from xtrace.core.probes.tools import find_tool, tool_names

Manual = tuple[str, dict[str, object]]
"""The text for a terminal, and the JSON document."""


def manual(name: str, facts: HostFacts, backends: Mapping[str, Backend], paths: Sequence[Path]) -> Manual:
    """The manual of a name. Raises UsageError with XT0009 and near names for one that means nothing here."""
    tool = find_tool(name, paths)
    if tool is not None:
        ranked = tools.ranking(tool, facts, backends, paths)
        return tools.text(tool, ranked), tools.document(tool, ranked)
    event = find_event(name, paths)
    if event is not None:
        made = events.verdicts(event, facts, backends, paths)
        return events.text(event, made, facts.release), events.document(event, made)
    found = _point(name, facts)
    if found is not None:
        return points.text(found), points.document(found)
    raise UsageError(Diagnostic("XT0009", f"nothing here is called {name!r}", hints=(_hint(name, facts, paths),)))


def _point(name: str, facts: HostFacts) -> points.Manual | None:
    """`tracepoint:sched:sched_switch`, `sched:sched_switch`, `kprobe:vfs_read`, `vfs_read`."""
    parts = name.split(":")
    kind = probe_kind(parts[0]) if len(parts) > 1 else None
    if kind is not None and kind.name != "tracepoint":
        return points.function(parts[-1], facts) if kind.name in ("kprobe", "kretprobe", "fentry", "fexit") else None
    parts = parts[1:] if kind is not None else parts
    if len(parts) == 2:
        return points.tracepoint(parts[0], parts[1], facts)
    return points.function(name, facts) if len(parts) == 1 else None


def _hint(name: str, facts: HostFacts, paths: Sequence[Path]) -> str:
    near = _near(name, facts, paths)
    return f"did you mean {' or '.join(near)}?" if near else "xtrace list names tools and events; give it a pattern"


def _near(name: str, facts: HostFacts, paths: Sequence[Path]) -> Sequence[str]:
    """Tracepoints of exactly this name come first: whoever types `sched_switch` wants its system."""
    *front, word = name.split(":")
    tracepoints = facts.events() or frozenset()
    exact = [f"tracepoint:{one}" for one in sorted(tracepoints) if one.partition(":")[2] == word]
    if front and probe_kind(front[0]) in (None, probe_kind("tracepoint")):
        return exact or [f"tracepoint:{one}" for one in near_names(":".join([*front[-1:], word]), tracepoints)]
    functions = facts.symbols.near(word)
    if front:
        return functions
    known = [*tool_names(paths), *(event.name for event in all_events(paths)[0]), *functions]
    return [*exact, *near_names(word, known)] or near_names(word, tracepoints)
