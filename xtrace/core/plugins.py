"""Plugins: the hooks, and a manager that survives a broken one. Built-ins come in through the same hooks.

A plugin is an entry point of group `xtrace`. Each is loaded in its own try, so one that fails is reported by
`xtrace plugins` and `xtrace doctor` and never takes the command down. Factories keep imports lazy: nothing heavy is
imported before its name is asked for.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable
from dataclasses import field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pluggy

from xtrace.core.installed import GROUP, any_installed
from xtrace.core.records import dataclass

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from xtrace.core.backend import Backend

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)

T = TypeVar("T")


class Registry(Generic[T]):
    """Factories by name, in order of registration. The second owner of a name is refused and reported."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.owner = "xtrace"
        self.problems: list[str] = []
        self._factories: dict[str, tuple[str, Callable[[], T]]] = {}

    def __call__(self, name: str, factory: Callable[[], T]) -> None:
        """Register `factory` under `name`; what plugins call as `register(name, factory)`."""
        if name in self._factories:
            first = self._factories[name][0]
            self.problems.append(f"{self.kind} {name!r} of {self.owner} is disabled: {first} already provides it")
            return
        self._factories[name] = (self.owner, factory)

    def names(self) -> tuple[str, ...]:
        return tuple(self._factories)

    def owner_of(self, name: str) -> str:
        return self._factories[name][0]

    def make(self, name: str) -> T:
        """The object registered under `name`. Raises KeyError for an unknown name."""
        return self._factories[name][1]()


class Hooks:
    """What a plugin may implement. Each hook is called once, before the first name of its kind is looked up."""

    @hookspec
    def xtrace_register_backends(self, register: Registry[Backend]) -> None:
        """Call `register(name, factory)`; the factory returns a `xtrace.core.backend.Backend`."""

    @hookspec
    def xtrace_register_capabilities(self, register: Registry[Any]) -> None:
        """Call `register(name, factory)`; the factory returns a function from `HostFacts` to `Fact`, which becomes
        the fact `name`."""

    @hookspec
    def xtrace_register_checks(self, register: Registry[Any]) -> None:
        """Call `register(id, factory)`; the factory returns a doctor check, a function from `HostFacts` to a tuple
        of `Finding`. A check that raises is shown as a crash of that check."""

    @hookspec
    def xtrace_register_sinks(self, register: Registry[Any]) -> None:
        """Call `register(format, factory)`; the factory returns a class that takes a text stream and implements
        `xtrace.sinks.model.Sink`. The name is what `-f` takes."""

    @hookspec
    def xtrace_register_probe_paths(self, register: Registry[Path]) -> None:
        """Call `register(name, factory)`; the factory returns a directory with `events/` and `tools/`."""

    @hookspec
    def xtrace_register_commands(self, register: Registry[Any]) -> None:
        """Call `register(name, factory)`; the factory returns a click command."""


@dataclass
class Loaded:
    """One plugin as `xtrace plugins` shows it."""

    name: str
    version: str
    error: str = ""
    hooks: tuple[str, ...] = field(default=())


def writable_by_others(path: Path) -> bool:
    """May someone other than root and the caller change what would run as the caller?"""
    for place in (path, path.parent):
        info = place.stat()
        if info.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not info.st_mode & stat.S_ISVTX:
            return True
        if info.st_uid not in (0, os.geteuid()):
            return True
    return False


class Plugins:
    """The plugin manager: built-ins, then entry points, each with its own failure."""

    KINDS = ("backends", "capabilities", "checks", "sinks", "probe_paths", "commands")

    def __init__(self, external: bool = True, only: tuple[str, ...] | None = None) -> None:
        self.manager = pluggy.PluginManager(GROUP)
        self.manager.add_hookspecs(Hooks)
        self.loaded: list[Loaded] = []
        self._registries: dict[str, Registry[Any]] = {}
        builtin = import_module("xtrace.builtin")
        self.manager.register(builtin, "builtin")
        for point in _entry_points() if external and any_installed(sys.path) else ():
            if only is None or point.name in only:
                self._load(point)

    def _load(self, point: EntryPoint) -> None:
        distribution = getattr(point, "dist", None)
        entry = Loaded(point.name, distribution.version if distribution else "")
        self.loaded.append(entry)
        try:
            plugin = point.load()
            source = Path(getattr(import_module(point.value.split(":")[0]), "__file__", "") or "")
            if os.geteuid() == 0 and source.is_file() and writable_by_others(source):
                entry.error = f"refused: {source} can be changed by others than root"
                return
            self.manager.register(plugin, point.name)
            found = self.manager.get_hookcallers(plugin) or []
            entry.hooks = tuple(caller.name for caller in found)
        except Exception as error:  # a plugin may fail in any way; it must not take us along
            entry.error = f"{type(error).__name__}: {error}"

    def registry(self, kind: str) -> Registry[Any]:
        """The registry of one of `KINDS`, filled on first use."""
        if kind not in self._registries:
            registry: Registry[Any] = Registry(kind)
            caller = getattr(self.manager.hook, f"xtrace_register_{kind}")
            for impl in caller.get_hookimpls():
                registry.owner = impl.plugin_name
                try:
                    impl.function(register=registry)
                except Exception as error:
                    registry.problems.append(f"{impl.plugin_name}: {type(error).__name__}: {error}")
            self._registries[kind] = registry
        return self._registries[kind]


def _entry_points() -> Iterable[EntryPoint]:
    from importlib import metadata

    if hasattr(metadata, "EntryPoints"):
        return metadata.entry_points(group=GROUP)
    return metadata.entry_points().get(GROUP, ())


def active_plugins(disabled: bool = False) -> Plugins:
    """The plugins that the environment allows: `XTRACE_PLUGINS` names the wanted ones, empty for none."""
    wanted = os.environ.get("XTRACE_PLUGINS")
    only = None if wanted is None else tuple(name for name in wanted.split(",") if name)
    return Plugins(external=not disabled and only != (), only=only)
