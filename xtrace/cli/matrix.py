"""`xtrace matrix`: tools by hosts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from xtrace.cli import completion
from xtrace.cli.options import JSON_OPTION
from xtrace.core.errors import UsageError, XtraceError

if TYPE_CHECKING:
    from xtrace.core.facts.model import HostFacts
    from xtrace.core.probes.tools import Tool

_SOME_FAILED = 8


@click.command()
@click.option("--facts", "places", multiple=True, metavar="FILE|DIR", help="A recorded host, or a directory of them.")
@click.option("--backend", metavar="NAME", help="Only this backend.")
@JSON_OPTION
@click.argument("names", nargs=-1, metavar="[TOOL]...", shell_complete=completion.tools)
def command(places: tuple[str, ...], backend: str | None, as_json: bool, names: tuple[str, ...]) -> int:
    """Tell which backend would serve each TOOL (all of them by default) on each host, without --facts on this one.

    A ~ marks a plan that loses something, a - that no backend can. Exits with 8 if some hosts could not be read.

    \b
    xtrace matrix --facts fleet/
    xtrace matrix opensnoop --facts web1.xfacts --facts db1.xfacts --json
    """
    from xtrace.cli.surroundings import backends, probe_paths
    from xtrace.core.describe.matrix import document, matrix, text

    hosts, failed = _hosts(places)
    made = matrix(_tools(names), hosts, backends(backend), probe_paths())
    if as_json:
        import json

        print(json.dumps(document(made), indent=2))
    else:
        print(text(made))
    return _SOME_FAILED if failed else 0


def _tools(names: tuple[str, ...]) -> list[Tool]:
    from xtrace.cli.main import unknown
    from xtrace.cli.surroundings import probe_paths
    from xtrace.core.probes.tools import find_tool, tool_names

    known = sorted(tool_names(probe_paths()))
    found = []
    for name in names or known:
        tool = find_tool(name, probe_paths())
        if tool is None:
            raise unknown("tool", name, known, "XT0005", "xtrace list names the tools")
        found.append(tool)
    return found


def _hosts(places: tuple[str, ...]) -> tuple[dict[str, tuple[str, HostFacts]], bool]:
    """The hosts by name with a digest of what is recorded of each, and whether some could not be read."""
    from hashlib import sha256

    from xtrace.cli.surroundings import host, tell_if_closed

    if not places:
        facts = host(None)
        tell_if_closed(facts)
        return {"this host": ("", facts)}, False
    found: dict[str, tuple[str, HostFacts]] = {}
    failed = False
    for path in _files(places):
        try:
            found[path.stem] = (sha256(path.read_bytes()).hexdigest(), host(str(path)))
        except (OSError, XtraceError) as error:
            failed = True
            diagnostics = error.diagnostics if isinstance(error, XtraceError) else ()
            click.echo("\n".join(one.text() for one in diagnostics) or f"error: cannot read {path}: {error}", err=True)
    return found, failed


def _files(places: tuple[str, ...]) -> list[Path]:
    found: list[Path] = []
    for place in map(Path, places):
        inside = sorted(place.glob("*.xfacts")) if place.is_dir() else [place]
        if not inside:
            raise UsageError.of("XT0007", f"there are no facts files (*.xfacts) in {place}")
        found += inside
    return found
