"""`xtrace plugins`: what is installed, what it brings, and what is wrong with it."""

from __future__ import annotations

import click

from xtrace.cli.options import JSON_OPTION


@click.command()
@JSON_OPTION
def command(as_json: bool) -> int:
    """List plugins with what they bring. XTRACE_PLUGINS=NAME,NAME loads only these; --no-plugins loads none."""
    from xtrace.cli.surroundings import plugins
    from xtrace.core.describe.plugged import document, text

    if as_json:
        import json

        print(json.dumps(document(plugins()), indent=2))
    else:
        print(text(plugins()))
    return 0
