"""One of each thing that a plugin can bring. Imports stay inside the factories: a plugin costs nothing until used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xtrace.core.plugins import Registry, hookimpl


@hookimpl
def xtrace_register_probe_paths(register: Registry[Path]) -> None:
    register("example", lambda: Path(__file__).parent / "probes")


@hookimpl
def xtrace_register_sinks(register: Registry[Any]) -> None:
    def tab_separated() -> Any:
        from .sink import TabSink

        return TabSink

    register("tabs", tab_separated)


@hookimpl
def xtrace_register_capabilities(register: Registry[Any]) -> None:
    def watchdog() -> Any:
        from .facts import watchdog

        return watchdog

    register("example.watchdog", watchdog)


@hookimpl
def xtrace_register_checks(register: Registry[Any]) -> None:
    def watchdog() -> Any:
        from .facts import check_watchdog

        return check_watchdog

    register("EXAMPLE-WATCHDOG", watchdog)


@hookimpl
def xtrace_register_commands(register: Registry[Any]) -> None:
    def hello() -> Any:
        from .command import hello

        return hello

    register("hello", hello)


@hookimpl
def xtrace_register_backends(register: Registry[Any]) -> None:
    def timers() -> Any:
        from .backend import TimersBackend

        return TimersBackend()

    register("timers", timers)
