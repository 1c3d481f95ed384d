"""Trials: define something of xtrace's own in tracefs, look, and remove it.

A README and a configuration can promise what the kernel then refuses, and hide what it takes (a 6.18 kernel without
kprobes lists `$arg<N>`; RHEL 8 does not mention synthetic events). Nothing is enabled, every name is
`xtrace_<pid>_<start>`, and files of definitions are opened for appending: truncating one deletes everybody's.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Optional, Union

from xtrace.core.facts.files import errno_name, missing
from xtrace.core.facts.model import Fact, State
from xtrace.core.records import dataclass

if TYPE_CHECKING:
    from xtrace.core.facts.live import LiveHost

_FUNCTIONS = ("vfs_read", "do_sys_open", "schedule")
"""One of these is a symbol on every kernel since 2.6.32."""
_PROGRAM = "/proc/self/exe:0x40"
_INCONCLUSIVE = (errno.EBUSY, errno.ENOMEM, errno.EEXIST, errno.ENOSPC, errno.EINTR, errno.EAGAIN)


@dataclass(frozen=True)
class Definition:
    """A dynamic event: `text` with {event} (`group/name`), {place} (a function or a place in a program) and {function}.

    `files` are tried in order: the first that exists takes the definition. `mentioned` must be in the README, for what
    an older kernel would silently misread. `lines` is how many definitions must then be listed.
    """

    files: tuple[str, ...]
    text: str
    mentioned: str = ""
    more: str = ""
    lines: int = 1


@dataclass(frozen=True)
class Setting:
    """A line written to a file of an event in an instance of our own, and what takes it back."""

    event: str
    file: str
    text: str
    undo: str


@dataclass(frozen=True)
class Synthetic:
    """A synthetic event of one integer."""


Trial = Union[Definition, Setting, Synthetic]

_EITHER = ("kprobe_events", "uprobe_events")
_KPROBE = ("kprobe_events",)
_UPROBE = ("uprobe_events",)
_SWITCH = "sched/sched_switch"


def _fetch(argument: str, files: tuple[str, ...] = _EITHER) -> Definition:
    return Definition(files, f"p:{{event}} {{place}} a={argument}")


TRIALS: dict[str, Trial] = {
    "kprobe.usable": Definition(_KPROBE, "p:{event} {place}"),
    "uprobe.usable": Definition(_UPROBE, "p:{event} {place}"),
    "uprobe.ref_ctr": Definition(_UPROBE, "p:{event} {place}(0x40)"),
    "tracefs.eprobes": Definition(("dynamic_events",), "e:{event} sched.sched_switch"),
    "tracefs.fprobe_events": Definition(("dynamic_events",), "f:{event} {function}"),
    "tracefs.fprobe_exit_args": Definition(("dynamic_events",), "f:{event} {function}%return a=$arg1 b=$retval"),
    "tracefs.tprobe_events": Definition(("dynamic_events",), "t:{event} sched_switch"),
    "tracefs.btf_args": Definition(_KPROBE, "p:{event} vfs_read count=count"),
    "tracefs.hist_triggers": Setting(_SWITCH, "trigger", "hist:keys=next_pid", "!hist:keys=next_pid"),
    "tracefs.hist_variables": Setting(
        _SWITCH, "trigger", "hist:keys=next_pid:ts0=common_timestamp", "!hist:keys=next_pid:ts0=common_timestamp"
    ),
    "tracefs.synthetic": Synthetic(),
    "tracefs.fetch.arg_n": _fetch("$arg1", _KPROBE),
    "tracefs.fetch.arg_at_return": Definition(_KPROBE, "r:{event} {place} a=$arg1 b=$retval"),
    "tracefs.fetch.comm": _fetch("$comm"),
    "tracefs.fetch.ustring": _fetch("+0($stack0):ustring"),
    "tracefs.fetch.string": _fetch("+0($stack0):string"),
    "tracefs.fetch.memory": _fetch("+0($stack0):u8", _UPROBE),
    "tracefs.fetch.hex": _fetch("$stack0:x64"),
    "tracefs.fetch.array": _fetch("+0($stack0):u8[4]"),
    "tracefs.fetch.immediate": _fetch("\\1"),
    "tracefs.fetch.char": _fetch("$stack0:char"),
    "tracefs.fetch.symbol": _fetch("$stack0:symbol"),
    "tracefs.fetch.symstr": _fetch("$stack0:symstr"),
    "tracefs.fetch.percent_return": Definition(_EITHER, "p:{event} {place}%return a=$retval"),
    # RHEL 7 reads `r10:group/name` as a probe without a name and makes it elsewhere.
    "tracefs.maxactive": Definition(_KPROBE, "r10:{event} {place}", mentioned="r[maxactive]"),
    "tracefs.same_event_many_probes": Definition(_KPROBE, "p:{event} {place}", more="p:{event} vfs_write", lines=2),
    "tracefs.filter.string": Setting(_SWITCH, "filter", 'prev_comm ~ "a*"', "0"),
    "tracefs.filter.ustring": Setting("syscalls/sys_enter_openat", "filter", 'filename.ustring ~ "a*"', "0"),
    "tracefs.filter.bits": Setting(_SWITCH, "filter", "prev_pid & 1", "0"),
    "tracefs.filter.cpus": Setting(_SWITCH, "filter", "CPU & CPUS{0}", "0"),
}


def own_name() -> str:
    """`xtrace_<pid>_<start>`: the name of everything that this process makes in tracefs. `start` is in clock ticks."""
    with open("/proc/self/stat", encoding="utf-8") as file:  # noqa: PTH123
        start = file.read().rpartition(")")[2].split()[19]
    return f"xtrace_{os.getpid()}_{start}"


def attempt(host: LiveHost, trial: Union[Definition, Synthetic]) -> Fact:
    """Try it and say what the kernel did. Anybody but root gets `denied`, never `no`."""
    why = hindrance(host)
    if why:
        return why
    return _define(host, trial) if isinstance(trial, Definition) else _synthesize(host)


def settings(host: LiveHost) -> dict[str, Fact]:
    """Every trial that is a `Setting`, and whether an instance has its own options, in one instance of our own."""
    names = [name for name, trial in TRIALS.items() if isinstance(trial, Setting)]
    why = hindrance(host)
    if why:
        return dict.fromkeys(["tracefs.instance_options", *names], why)
    instance = host.tracing(f"instances/{own_name()}_trial")
    try:
        os.mkdir(instance)  # noqa: PTH102
    except OSError as error:
        return dict.fromkeys(["tracefs.instance_options", *names], missing(f"mkdir {instance}", error))
    try:
        found = {"tracefs.instance_options": host.files.exists(f"{instance}/options")}
        for name in names:
            trial = TRIALS[name]
            if isinstance(trial, Setting):
                found[name] = _set(host, instance, trial)
    finally:
        with suppress(OSError):
            os.rmdir(instance)  # noqa: PTH106
    return found


def hindrance(host: LiveHost) -> Optional[Fact]:
    """Why nothing can be tried here."""
    if not host.files.own:
        return Fact(State.UNPROBED, None, "nothing can be tried on files alone")
    if not host.tracefs.yes:
        return host.tracefs
    if os.geteuid() != 0:
        return Fact(State.DENIED, None, "only root may try this", errno.EACCES)
    return None


# --- dynamic events ---------------------------------------------------------------------------------------------------


def _define(host: LiveHost, trial: Definition) -> Fact:
    file = next((name for name in trial.files if host.files.exists(host.tracing(name)).yes), None)
    if file is None:
        return host.files.exists(host.tracing(trial.files[0]))
    if trial.mentioned:
        readme = host.fact("tracefs.readme")
        if readme.yes and trial.mentioned not in str(readme.value):
            return Fact(State.ABSENT, None, f"no `{trial.mentioned}` in the README of tracefs")
    path = host.tracing(file)
    event = f"{own_name()}/trial"
    result = Fact(State.UNPROBED)
    for function in _FUNCTIONS if "{place}" in trial.text or "{function}" in trial.text else ("",):
        place = _PROGRAM if file == "uprobe_events" else function
        text = trial.text.format(event=event, place=place, function=function)
        result = _defined(host, path, event, text, trial)
        if result.errno != errno.ENOENT or file == "uprobe_events":
            break
    return result


def _defined(host: LiveHost, path: str, event: str, text: str, trial: Definition) -> Fact:
    try:
        with _removed_after(path, f"-:{event}"):
            append(path, text)
            if trial.more:
                append(path, trial.more.format(event=event))
            listed = sum(event in line for line in host.files.text(path).splitlines())
    except OSError as error:
        return refused(host, text, error)
    if listed < trial.lines:
        return Fact(State.UNSUPPORTED, None, f"`{text}` was taken, but {listed} of {trial.lines} show in {path}")
    return Fact(State.PRESENT, None, f"tried: `{text}` in {path}")


@contextmanager
def _removed_after(path: str, undo: str) -> Iterator[None]:
    try:
        yield
    finally:
        with suppress(OSError):
            append(path, undo)


def append(path: str, line: str) -> None:
    """Write one line to a file of definitions without truncating it. Raises OSError."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(file, line.encode() + b"\n")
    finally:
        os.close(file)


# --- settings in an instance ------------------------------------------------------------------------------------------


def _set(host: LiveHost, instance: str, trial: Setting) -> Fact:
    path = f"{instance}/events/{trial.event}/{trial.file}"
    if not host.files.exists(path).yes:
        return host.files.exists(path)
    try:
        with _removed_after(path, trial.undo):
            append(path, trial.text)
    except OSError as error:
        return refused(host, trial.text, error)
    return Fact(State.PRESENT, None, f"tried: `{trial.text}` in {trial.event}/{trial.file}")


def _synthesize(host: LiveHost) -> Fact:
    path = host.tracing("synthetic_events")
    if not host.files.exists(path).yes:
        return host.files.exists(path)
    text = f"{own_name()}_trial int a"
    try:
        with _removed_after(path, f"!{text}"):
            append(path, text)
    except OSError as error:
        return refused(host, text, error)
    return Fact(State.PRESENT, None, f"tried: `{text}` in synthetic_events")


def refused(host: LiveHost, text: str, error: OSError) -> Fact:
    """What an error on writing a definition means, with the kernel's own explanation where it gives one."""
    number = error.errno or 0
    if number in (errno.EPERM, errno.EACCES):
        state = State.DENIED
    elif number in _INCONCLUSIVE:
        state = State.UNPROBED
    else:
        state = State.UNSUPPORTED
    why = f"`{text}` gives {errno_name(number)}"
    explained = _explanation(host, text) if number == errno.EINVAL else ""
    return Fact(state, None, f"{why}: {explained}" if explained else why, number)


def _explanation(host: LiveHost, text: str) -> str:
    """What error_log says about this very line (Linux 8a062902be72, v5.2)."""
    try:
        entries = re.findall(r"error: (.+)\n\s+Command: (.+)\n", host.files.text(host.tracing("error_log")))
    except OSError:
        return ""
    return next((why.strip() for why, command in reversed(entries) if command.strip() in text), "")
