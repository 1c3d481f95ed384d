"""What a shell offers behind a half-written word. `eval "$(_XTRACE_COMPLETE=bash_source xtrace)"` switches it on."""

from __future__ import annotations

import click


def tools(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Names of tools."""
    from xtrace.cli.surroundings import probe_paths
    from xtrace.core.probes.tools import tool_names

    return sorted(name for name in tool_names(probe_paths()) if name.startswith(begun))


def manuals(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Names that `xtrace show` knows without looking at the host: tools and named events."""
    from xtrace.cli.surroundings import probe_paths
    from xtrace.core.probes.events import all_events

    events = [event.name for event in all_events(probe_paths())[0] if event.name.startswith(begun)]
    return [*tools(context, parameter, begun), *events]


def backends(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Names of backends."""
    from xtrace.cli.surroundings import plugins

    return [name for name in plugins().registry("backends").names() if name.startswith(begun)]
