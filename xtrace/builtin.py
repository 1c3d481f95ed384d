"""What xtrace ships, registered through the same hooks that plugins use."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xtrace.core.plugins import Registry, hookimpl

if TYPE_CHECKING:
    from xtrace.core.backend import Backend

CHECKS = {
    "XT-CALLER": "caller",
    "XT-LOCKDOWN": "lockdown",
    "XT-TYPES": "types",
    "XT-SYMBOLS": "symbols",
    "XT-SWITCHES": "switches",
    "XT-CONFIG": "kernel_configuration",
    "XT-BCC-FOREIGN": "foreign_bcc",
    "XT-COMMAND": "command_on_path",
    "XT-LEFTOVERS": "leftovers",
}
"""Ids of doctor's checks, which never change, and their functions in `xtrace.doctor.checks`."""


def _later(module: str, name: str) -> Callable[[], Any]:
    """A factory that imports its module only when it is asked for."""
    return lambda: getattr(import_module(module), name)


def _made(module: str, name: str) -> Callable[[], Any]:
    return lambda: getattr(import_module(module), name)()


@hookimpl
def xtrace_register_backends(register: Registry[Backend]) -> None:
    register("ftrace", _made("xtrace.backends.ftrace.backend", "FtraceBackend"))
    register("bcc", _made("xtrace.backends.bcc.backend", "BccBackend"))
    register("systemtap", _made("xtrace.backends.systemtap.backend", "SystemTapBackend"))


@hookimpl
def xtrace_register_checks(register: Registry[Any]) -> None:
    for name, function in CHECKS.items():
        register(name, _later("xtrace.doctor.checks", function))


@hookimpl
def xtrace_register_sinks(register: Registry[Any]) -> None:
    register("text", _later("xtrace.sinks.text", "TextSink"))
    register("ndjson", _later("xtrace.sinks.ndjson", "NdjsonSink"))
    register("json", _later("xtrace.sinks.bpftrace_json", "BpftraceJsonSink"))
    register("folded", _later("xtrace.sinks.folded", "FoldedSink"))


@hookimpl
def xtrace_register_probe_paths(register: Registry[Path]) -> None:
    register("xtrace", lambda: Path(__file__).parent / "probes")
