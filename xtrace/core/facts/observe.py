"""How each fact of the catalog is found out on a live host: one function per fact, in one module per area."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Callable

from xtrace.core.facts.model import Fact, State

if TYPE_CHECKING:
    from xtrace.core.facts.live import LiveHost

Probe = Callable[["LiveHost"], Fact]

_AREAS = {
    "os": "observe_kernel",
    "kernel": "observe_kernel",
    "debuginfod": "observe_kernel",
    "caller": "observe_caller",
    "tracefs": "observe_tracefs",
    "kprobe": "observe_tracefs",
    "uprobe": "observe_tracefs",
    "bpf": "observe_bpf",
    "perf": "observe_bpf",
    "bcc": "observe_engines",
    "stap": "observe_engines",
    "staprun": "observe_engines",
    "gcc": "observe_engines",
    "clang": "observe_engines",
    "bpftrace": "observe_engines",
}
_EXCEPTIONS = {"perf.version": "observe_engines"}


def probes(name: str) -> Mapping[str, Probe]:
    """The table that holds the probe of this fact; a module is loaded when a fact of its area is first asked."""
    module = _EXCEPTIONS.get(name) or _AREAS[name.partition(".")[0]]
    table: Mapping[str, Probe] = import_module(f"xtrace.core.facts.{module}").PROBES
    return table


def observe(host: LiveHost, name: str) -> Fact:
    """Find a fact out now. What nobody can read is `unprobed` with the reason, never an error."""
    try:
        return probes(name)[name](host)
    except OSError as error:
        from xtrace.core.facts.files import missing

        return missing(name, error)
    except (ValueError, IndexError) as error:
        return Fact(State.UNPROBED, None, f"{name}: {error.__class__.__name__}: {error}")
