"""What commands work with: the plugins that the command line allows, their backends, a host's facts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from xtrace.core.errors import UsageError, XtraceError

if TYPE_CHECKING:
    from xtrace.core.backend import Backend
    from xtrace.core.facts.model import HostFacts
    from xtrace.core.plugins import Plugins, Registry


def plugins() -> Plugins:
    """The plugins of this run: all of them, those in XTRACE_PLUGINS, or with --no-plugins only what xtrace ships."""
    import click

    context = click.get_current_context(silent=True)
    return _plugins(bool(context and context.find_root().params.get("no_plugins")))


@lru_cache(maxsize=2)
def _plugins(disabled: bool) -> Plugins:
    from xtrace.core.plugins import active_plugins

    return active_plugins(disabled)


class _Made(Mapping[str, "Backend"]):
    """Backends by name, each made when it is looked at: a trace need not load the engines that it does not use."""

    def __init__(self, registry: Registry[Backend], names: tuple[str, ...]) -> None:
        self._registry, self._names = registry, names
        self._made: dict[str, Backend] = {}

    def __getitem__(self, name: str) -> Backend:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = self._registry.make(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def backends(wish: str | None = None) -> Mapping[str, Backend]:
    """The backends by name, or only the one wished for. Raises UsageError with XT0006 for an unknown one."""
    registry = plugins().registry("backends")
    if wish is not None and wish not in registry.names():
        raise _none("backend", wish, registry.names(), "XT0006")
    return _Made(registry, registry.names() if wish is None else (wish,))


def sink(name: str) -> Callable[[TextIO], Any]:
    """The class of an output format. Raises UsageError with XT0008."""
    registry = plugins().registry("sinks")
    if name not in registry.names():
        raise _none("output format", name, registry.names(), "XT0008")
    found: Callable[[TextIO], Any] = registry.make(name)
    return found


def probe_paths() -> tuple[Path, ...]:
    """The directories of probe files that xtrace and its plugins provide."""
    registry = plugins().registry("probe_paths")
    return tuple(registry.make(name) for name in registry.names())


def host(facts_file: str | None) -> HostFacts:
    """This host, or the recorded one of a file, with the facts that plugins add.

    Raises XtraceError for a file that is no bundle or is damaged, UsageError for one that cannot be read.
    """
    from xtrace.core.facts.open import host as opened
    from xtrace.core.facts.plugged import with_capabilities

    registry = plugins().registry("capabilities")
    try:
        return with_capabilities(opened(facts_file), {name: partial(registry.make, name) for name in registry.names()})
    except IsADirectoryError:
        hints = (f"xtrace matrix --facts {facts_file} compares its bundles; name one of them here",)
        raise UsageError.of("XT0007", f"{facts_file} is a directory, not a host's facts", hints=hints) from None
    except OSError as error:
        raise UsageError.of("XT0007", f"cannot read {facts_file}: {error.strerror}") from None


def tell_if_closed(facts: HostFacts) -> None:
    """Tell on standard error that an answer is not what root would get, where tracefs is closed to this user."""
    from xtrace.core.facts.model import State

    if not facts.recorded and facts.fact("tracefs.instances").state is State.DENIED:
        uid = facts.fact("caller.uid").value
        print(f"note: tracefs is closed to user {uid}, so that root gets another answer: use sudo", file=sys.stderr)


def _none(kind: str, name: str, known: tuple[str, ...], code: str) -> XtraceError:
    return UsageError.of(code, f"there is no {kind} {name!r}", hints=(f"one of {', '.join(known)}",))
