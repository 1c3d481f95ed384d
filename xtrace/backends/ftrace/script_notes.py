"""The head of a script: what its lines and tables are, and what only xtrace itself does. Lines of printable ASCII."""

from __future__ import annotations

from collections.abc import Iterator

from xtrace.backends.ftrace.hist import table_keys
from xtrace.backends.ftrace.model import Column, FtraceModel, HistMap, Holds, Source
from xtrace.core import ir
from xtrace.core.attach import USER_SPACE, Profile
from xtrace.core.plan.traverse import statements

_ASKED = (Source.PID, Source.PPID, Source.UID, Source.GID, Source.CGROUP)
"""What xtrace finds out about a thread; the kernel's lines do not have it."""


def notes(model: FtraceModel) -> list[str]:
    """The comment lines of a model's script."""
    found = [*_lines(model), *_tables(model), *_left_to_xtrace(model)]
    return ["".join(char if " " <= char <= "~" else "?" for char in line) for line in found]


def _lines(model: FtraceModel) -> Iterator[str]:
    recorded = [event for event in model.events if event.handlers]
    for event in recorded:
        yield f"{event.name}: {event.probe}{_fields(event.columns)}"
    if recorded:
        yield "A line begins with a thread's name and id, its CPU, flags, and the time in seconds."
    kept = {one.map for one in model.hists} | {one.map for one in model.timings}
    fed = [decl.name for decl in model.program.maps if decl.name not in kept]
    if fed:
        yield f"{_maps(fed)}: xtrace computes them from these events; the script shows the events."


def _fields(columns: tuple[Column, ...]) -> str:
    names = [column.field for column in columns if column.source is Source.FIELD and column.field]
    return f" ({', '.join(dict.fromkeys(names))})" if names else ""


def _maps(names: list[str]) -> str:
    return ", ".join(f"@{name}" for name in names)


def _tables(model: FtraceModel) -> Iterator[str]:
    for number, event in enumerate(model.events):
        of_event = [one for one in model.hists if one.event == number]
        for name in dict.fromkeys(one.map for one in of_event):
            tables = [one for one in of_event if one.map == name]
            yield f"@{name}: {_described(tables)} of {event.probe}, printed at the end."
    for timing in model.timings:
        yield f"@{timing.map}: kept by the kernel, in the tables with ts{timing.number} and lat{timing.number}."
    if any(one.holds is Holds.LOG2 for one in model.hists):
        yield "Tables by .log2 round up; those of single values beside them tell the powers of 2 apart."


def _described(tables: list[HistMap]) -> str:
    if len(tables) > 1 and all(one.holds is Holds.BUCKET for one in tables):
        return f"a table for each of its {len(tables)} buckets, by the filter,"
    keys = (",".join(key.token for key in table_keys(one)) for one in tables)
    return f"the tables by {' and by '.join(dict.fromkeys(keys))}" if len(tables) > 1 else f"the table by {next(keys)}"


def _left_to_xtrace(model: FtraceModel) -> Iterator[str]:
    yield from _clauses(model)
    columns = [column for event in model.events for column in event.columns]
    asked = [source.value for source in _ASKED if any(column.source is source for column in columns)]
    if asked:
        yield f"Only xtrace tells the {', '.join(asked)} of a thread; the script shows the thread."
    if any(column.source is Source.LATE_STRING for column in columns):
        yield "xtrace reads strings from the processes' memory; the script shows their addresses."
    if any(column.source is Source.USER_STACK for column in columns):
        yield "Addresses in programs get their names from xtrace."
    if any(file.semaphores for file in model.files):
        yield "This kernel does not count USDT semaphores: probes that test one stay silent in this script."


def _clauses(model: FtraceModel) -> Iterator[str]:
    clauses = model.program.clauses
    partly = {h.clause for event in model.events for h in event.handlers if not h.filtered}
    if any(clauses[number].predicate is not None for number in partly):
        yield "Predicates beyond the event filters below are tested by xtrace, not by this script."
    scope = model.program.scope
    limits = [f"--{word}" for word in ("uid", "cgroup") if getattr(scope, word) is not None]
    if limits:
        yield f"{' and '.join(limits)}: tested by xtrace, not by this script, which shows everybody's events."
    own = [point.name for clause in clauses for point in clause.attach if isinstance(point, (*USER_SPACE, Profile))]
    if own:
        yield f"{', '.join(dict.fromkeys(own))}: done by xtrace, not by this script."
    if any(isinstance(one, ir.Output) for number in _recorded(model) for one in statements(clauses[number].body)):
        yield "What the program prints of an event is shown as the kernel prints the event."


def _recorded(model: FtraceModel) -> list[int]:
    return sorted({handler.clause for event in model.events for handler in event.handlers})
