"""`xtrace clean`: what sessions left in tracefs whose process is gone, and nothing else.

A session's name tells its process and when that process started, so a reused process id does not keep leavings alive
and a living session, of whatever user, is never touched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from xtrace.backends.ftrace import removal
from xtrace.backends.ftrace.tracefs import Tracefs, start_time

_OWNED = re.compile(r"xtrace_(?P<pid>\d+)_(?P<start>\d+)(?:_\w+)?", re.ASCII)


@dataclass(frozen=True)
class Leaving:
    """What one dead session left: whether its instance is still there, and its probe definitions."""

    name: str
    instance: bool
    probes: tuple[str, ...]


def owner_is_gone(name: str) -> bool:
    """Is this a session's name whose process has ended? False for every name that is not a session's."""
    owned = _OWNED.fullmatch(name)
    return owned is not None and start_time(int(owned["pid"])) != int(owned["start"])


def leavings(tracefs: Tracefs) -> tuple[Leaving, ...]:
    """What dead sessions left, by name. Raises OSError where tracefs cannot be read."""
    instances = {name for name in tracefs.names("instances") if owner_is_gone(name)}
    probes: dict[str, list[str]] = {name: [] for name in instances}
    made = [(group, event) for _, group, event in tracefs.defined()]
    made += [(removal.owner_of(event), event) for event in tracefs.synthetic()]
    for owner, event in made:
        if owner_is_gone(owner):
            probes.setdefault(owner, []).append(event)
    return tuple(Leaving(name, name in instances, tuple(sorted(found))) for name, found in sorted(probes.items()))


def clean(tracefs: Tracefs) -> tuple[tuple[Leaving, ...], tuple[str, ...]]:
    """Remove all leavings; gives them, and in words what could not be removed."""
    found = leavings(tracefs)
    return found, tuple(problem for one in found for problem in removal.remove(tracefs, one.name))
