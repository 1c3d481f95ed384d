"""Facts of tracefs: what is there, and what a trial shows (Documentation/trace/ftrace.rst)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Callable

from xtrace.core.facts.conclusive import keep
from xtrace.core.facts.files import missing
from xtrace.core.facts.model import Fact, State
from xtrace.core.facts.trial_reading import eprobe_pointers
from xtrace.core.facts.trials import TRIALS, Setting, attempt, settings

if TYPE_CHECKING:
    from xtrace.core.facts.live import LiveHost

Probe = Callable[["LiveHost"], Fact]

FILES = {
    "tracefs.instances": "instances",
    "tracefs.set_event_pid": "set_event_pid",
    "tracefs.set_event_notrace_pid": "set_event_notrace_pid",
    "tracefs.event_fork": "options/event-fork",
    "tracefs.triggers": "events/sched/sched_switch/trigger",
    "tracefs.synthetic_events": "synthetic_events",
    "tracefs.kprobe_events": "kprobe_events",
    "tracefs.uprobe_events": "uprobe_events",
    "tracefs.dynamic_events": "dynamic_events",
    "tracefs.error_log": "error_log",
    "tracefs.buffer_percent": "buffer_percent",
    "tracefs.subbuf_size": "buffer_subbuf_size_kb",
    "tracefs.stack_option": "options/stacktrace",
    "tracefs.user_stack_option": "options/userstacktrace",
    "tracefs.record_tgid": "options/record-tgid",
    "tracefs.syscall_events": "events/syscalls",
    "tracefs.raw_syscalls": "events/raw_syscalls",
}


def _there(name: str) -> Probe:
    def probe(host: LiveHost) -> Fact:
        return host.files.exists(host.tracing(name)) if host.tracefs.yes else host.tracefs

    return probe


def _content(name: str, parse: Callable[[str], object] = str.strip) -> Probe:
    def probe(host: LiveHost) -> Fact:
        return host.files.content(host.tracing(name), parse) if host.tracefs.yes else host.tracefs

    return probe


def _clocks(text: str) -> list[str]:
    return text.replace("[", "").replace("]", "").split()


def _instance_options(host: LiveHost) -> Fact:
    """Options became an instance's own in v4.4 (Linux 9a38a8856f41): then it has its own directory."""
    if not host.tracefs.yes:
        return host.tracefs
    return _settings(host)["tracefs.instance_options"]


def _settings(host: LiveHost) -> Mapping[str, Fact]:
    """All trials that need an instance, in one: making and removing it takes longer than they do."""
    found = settings(host)
    if host.files.own:
        keep(host.files, found)
    host.learn(found)
    return found


def _functions(host: LiveHost) -> Fact:
    _, fact = host._filterable
    return fact


def _blacklist(host: LiveHost) -> Fact:
    _, fact = host._blacklist
    return fact


def _pmu(name: str) -> Probe:
    return lambda host: host.files.content(f"/sys/bus/event_source/devices/{name}/type", lambda text: int(text))


def _trial(name: str) -> Probe:
    def probe(host: LiveHost) -> Fact:
        try:
            trial = TRIALS[name]
            return _settings(host)[name] if isinstance(trial, Setting) else attempt(host, trial)
        except OSError as error:
            return missing(name, error)

    return probe


def _readme(host: LiveHost) -> Fact:
    fact = _content("README", lambda text: text)(host)
    if fact.yes:
        return Fact(State.PRESENT, fact.value, f"{len(str(fact.value).splitlines())} lines of README")
    return fact


PROBES: dict[str, Probe] = {
    "tracefs.path": lambda host: host.tracefs,
    "tracefs.readme": _readme,
    **{fact: _there(name) for fact, name in FILES.items()},
    "tracefs.instance_options": _instance_options,
    "tracefs.clocks": _content("trace_clock", _clocks),
    "tracefs.buffer_size_kb": _content("buffer_size_kb", lambda text: int(text.split()[0])),
    "tracefs.filterable": _functions,
    "tracefs.blacklist": _blacklist,
    "kprobe.pmu": _pmu("kprobe"),
    "uprobe.pmu": _pmu("uprobe"),
    **{name: _trial(name) for name in TRIALS},
    "tracefs.eprobe_pointers": eprobe_pointers,
}
