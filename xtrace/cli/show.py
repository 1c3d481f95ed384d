"""`xtrace show NAME`: the manual of a tool, a named event, a tracepoint or a kernel function."""

from __future__ import annotations

import click

from xtrace.cli import completion
from xtrace.cli.options import FACTS_OPTION, JSON_OPTION


@click.command()
@click.option("--backend", metavar="NAME", help="Only what this backend says.", shell_complete=completion.backends)
@FACTS_OPTION
@JSON_OPTION
@click.argument("name", shell_complete=completion.manuals)
def command(name: str, backend: str | None, facts: str | None, as_json: bool) -> int:
    """Show the manual of NAME: a tool, a named event, a tracepoint or a kernel function.

    Of an event it tells which source serves on this host with each backend, and why the others do not; of a function
    whether it can be probed, and how that is known.

    \b
    xtrace show opensnoop
    xtrace show file.open
    xtrace show sched:sched_switch
    xtrace show tcp_drop --facts centos-7.xfacts
    """
    from xtrace.cli.surroundings import backends, host, probe_paths, tell_if_closed
    from xtrace.core.describe.manual import manual

    known = host(facts)
    tell_if_closed(known)
    text, document = manual(name, known, backends(backend), probe_paths())
    if as_json:
        import json

        print(json.dumps(document, indent=2))
    else:
        print(text)
    return 0
