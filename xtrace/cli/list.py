"""`xtrace list [PATTERN]`: tools, named events, and the host's probes."""

from __future__ import annotations

import click

from xtrace.cli.options import FACTS_OPTION, JSON_OPTION


@click.command()
@click.option("-v", "--verbose", is_flag=True, help="Probes with their arguments; tools and events with their fields.")
@FACTS_OPTION
@JSON_OPTION
@click.argument("pattern", required=False)
def command(pattern: str | None, verbose: bool, facts: str | None, as_json: bool) -> int:
    """List tools and named events, or with PATTERN the host's probes.

    \b
    xtrace list 'tracepoint:sched:*' -v
    xtrace list 'kprobe:vfs_*'
    xtrace list 'uprobe:libc:getaddr*'
    xtrace list 'usdt:/usr/bin/python3:*'
    xtrace list '*open*'
    xtrace list hardware
    xtrace list 'struct sock'
    """
    if pattern is None:
        return _catalogue(verbose, as_json)
    return show_probes(pattern, verbose, facts, as_json)


def show_probes(pattern: str, verbose: bool, facts_file: str | None, as_json: bool = False) -> int:
    """Print the probes that match, one per line, with `verbose` their arguments below, as bpftrace's -lv does."""
    from xtrace.cli.surroundings import host, probe_paths
    from xtrace.core.describe.search import search

    listing = search(pattern, host(facts_file), probe_paths(), verbose or as_json)
    if as_json:
        import json

        probes = [{"name": one.name, "arguments": list(one.arguments)} for one in listing.probes]
        print(json.dumps({"schema": "xtrace.probes/1", "pattern": pattern, "probes": probes}, indent=2))
    else:
        for one in listing.probes:
            print(one.name, *(f"    {line}" for line in one.arguments if verbose), sep="\n")
    for note in listing.notes:
        click.echo(f"note: {note}", err=True)
    return 0


def _catalogue(verbose: bool, as_json: bool) -> int:
    from xtrace.cli.surroundings import probe_paths
    from xtrace.core.describe.catalogue import catalogue, document, text

    known = catalogue(probe_paths())
    for complaint in known.complaints:
        click.echo(complaint.text(), err=True)
    if as_json:
        import json

        print(json.dumps(document(known), indent=2))
    else:
        print(text(known, verbose))
    return 0
