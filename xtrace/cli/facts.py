"""`xtrace facts`: what is known of this host, and recording it for planning elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xtrace.cli.options import FACTS_OPTION, JSON_OPTION
from xtrace.core.errors import UsageError

if TYPE_CHECKING:
    from xtrace.core.facts.model import HostFacts


@click.command()
@click.option("-o", "--output", metavar="FILE", help="Record everything into FILE, a bundle for --facts.")
@click.option("--script", is_flag=True, help="Print a collector for hosts that have only sh.")
@click.option("--import", "source", metavar="PATH", help="Take what a collector wrote (a file, or - for stdin).")
@click.option("--private", is_flag=True, help="Record the host's name, addresses and home directories too.")
@FACTS_OPTION
@JSON_OPTION
@click.argument("names", nargs=-1, metavar="[NAME]...")
def command(
    output: str | None,
    script: bool,
    source: str | None,
    private: bool,
    facts: str | None,
    as_json: bool,
    names: tuple[str, ...],
) -> int:
    """Show what is known of this host and how, all facts or those of NAME (a fact, or an area such as tracefs).

    \b
    xtrace facts kprobe.usable tracefs
    xtrace facts -o web1.xfacts                 # then anywhere: xtrace plan TOOL --facts web1.xfacts
    xtrace facts --script > collect.sh          # on a host without Python: sh collect.sh > host.txt
    xtrace facts --import host.txt -o host.xfacts
    """
    if script:
        from xtrace.core.facts.collector import collector_script

        click.echo(collector_script(), nl=False)
        return 0
    if output is not None:
        _record(_plain_host(source, facts, redact=not private), output, redact=not private)
        return 0
    from xtrace.cli.surroundings import host
    from xtrace.core.describe.facts import chosen, document, text

    known = host(facts) if source is None else _plain_host(source, facts, redact=not private)

    found = chosen(known, names)
    if as_json:
        import json

        print(json.dumps(document(known, found), indent=2))
    else:
        print(text(found))
    return 0


def _plain_host(source: str | None, facts_file: str | None, redact: bool) -> HostFacts:
    """The host without what plugins add: a bundle holds the facts of the catalog."""
    from xtrace.core.facts.open import host

    if source is not None and facts_file is not None:
        raise UsageError.of("XT0003", "--import and --facts both name a host", hints=("give one of them",))
    try:
        return host(facts_file) if source is None else _imported(source, redact)
    except OSError as error:
        raise UsageError.of("XT0007", f"cannot read {source or facts_file}: {error.strerror}") from None


def _imported(source: str, redact: bool) -> HostFacts:
    if source != "-" and Path(source).is_dir():
        from xtrace.core.facts.recorded import import_recorded

        return import_recorded(Path(source))
    from xtrace.core.facts.collector import import_collected

    if source == "-":
        return import_collected(sys.stdin.buffer, redact=redact)
    with Path(source).open("rb") as stream:
        return import_collected(stream, Path(source).name, redact)


def _record(host: HostFacts, output: str, redact: bool) -> None:
    from xtrace.core.facts.bundle import write_bundle

    if output == "-":
        write_bundle(host, sys.stdout.buffer, redact)
        return
    try:
        with Path(output).open("wb") as stream:
            write_bundle(host, stream, redact)
    except OSError as error:
        raise UsageError.of("XT0007", f"cannot write {output}: {error.strerror}") from None
    click.echo(f"recorded {host.release} in {output}; use it with --facts {output}", err=True)
