"""Synthetic events and the triggers that make them, as steps on tracefs.

They are named after the session, for `removal.owner_of`.
"""

from __future__ import annotations

from xtrace.backends.ftrace.hist import trigger
from xtrace.backends.ftrace.hist_fields import THREAD
from xtrace.backends.ftrace.latency import TIME
from xtrace.backends.ftrace.model import Action, Event, Kept, Name, Step, Text, Timing, words
from xtrace.backends.ftrace.tracefs import SYNTHETIC


def with_timings(
    kept: Kept, events: tuple[Event, ...], steps: list[Step], clock: str
) -> tuple[tuple[Event, ...], list[Step]]:
    """The events and steps of a program with those of its timings. An event's definition comes before the tables on it,
    and both before the triggers that feed it, the one that keeps times before the one that takes them. What feeds no
    table yet comes first: making tables takes long, and all should begin to count at once."""
    made = list(events)
    tables: list[Step] = []
    feeding: list[Step] = []
    for timing in kept.timings:
        number = len(made)
        event = Event("synthetic", f"__{timing.number}", False, (), (), f"times of @{timing.map}", synthetic=True)
        made.append(event)
        tables.append(_definition(timing, number))
        texts = dict.fromkeys(trigger(one) for one in kept.tables if one.event == number)
        tables += [_trigger(event, number, (text,), "count times") for text in texts]
        start, end = made[timing.start], made[timing.end]
        feeding.append(_trigger(start, number, _start_trigger(timing, clock), f"note times of {start.probe}"))
        feeding.append(_trigger(end, number, _end_trigger(timing, start, clock), f"take times at {end.probe}"))
    early = [step for step in steps if step.event < 0]
    return tuple(made), [*early, *tables, *(step for step in steps if step.event >= 0), *feeding]


def variables(timing: Timing) -> tuple[str, str]:
    """The variables of a timing: the time kept, and the time taken. They are unique in an instance."""
    return f"ts{timing.number}", f"{TIME}{timing.number}"


def _definition(timing: Timing, event: int) -> Step:
    fields = "".join(f"; {kind} f{number}" for number, (kind, _) in enumerate(timing.fields))
    name = f"__{timing.number}"
    text: Text = (Name.SESSION, f"{name} u64 {TIME}{fields}\n")
    undo: Text = ("!", Name.SESSION, f"{name}\n")
    return Step(Action.DEFINE, (SYNTHETIC,), text, undo, event=event, purpose="define an event for times")


def _trigger(event: Event, number: int, text: Text, purpose: str) -> Step:
    path: Text = ("instances/", Name.SESSION, "/", *event.directory, "/trigger")
    return Step(Action.ADD, path, text, event=number, purpose=purpose)


def _start_trigger(timing: Timing, clock: str) -> Text:
    kept, _ = variables(timing)
    condition = f" if {timing.start_filter}" if timing.start_filter else ""
    return (f"hist:keys={THREAD}:{kept}=common_timestamp:size={timing.size}:clock={clock}{condition}",)


def _end_trigger(timing: Timing, start: Event, clock: str) -> Text:
    kept, taken = variables(timing)
    given = "".join(f",{field}" for _, field in timing.fields)
    condition = f" if {timing.end_filter}" if timing.end_filter else ""
    return words(
        (
            f"hist:keys={THREAD}:{taken}=common_timestamp-${kept}:size={timing.size}:clock={clock}:onmatch(",
            Name.SESSION if start.own else start.system,
            f".{start.name}).",
            Name.SESSION,
            f"__{timing.number}(${taken}{given}){condition}",
        )
    )
