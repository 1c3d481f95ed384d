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
@click.option(
    "--import",
    "source",
    metavar="PATH",
    help="Take what a collector wrote (a file, or - for stdin), a System.map, or folders of recorded hosts.",
)
@click.option("--config", metavar="FILE", help="With --import SYSTEM.MAP: the configuration of that kernel.")
@click.option("--private", is_flag=True, help="Record the host's name, addresses and home directories too.")
@FACTS_OPTION
@JSON_OPTION
@click.argument("names", nargs=-1, metavar="[NAME]...")
def command(
    output: str | None,
    script: bool,
    source: str | None,
    config: str | None,
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
    xtrace facts --import /boot/System.map-5.10.0-36-amd64 --config /boot/config-5.10.0-36-amd64 -o host.xfacts
    xtrace facts --import recorded-hosts/ -o bundles/   # a bundle of every host in the directory
    """
    if config is not None and source is None:
        raise UsageError.of("XT0003", "--config belongs to --import SYSTEM.MAP")
    if script:
        from xtrace.core.facts.collector import collector_script

        click.echo(collector_script(), nl=False)
        return 0
    if source is not None and _is_fleet(source):
        if output is None:
            raise UsageError.of("XT0003", f"{source} holds many hosts", hints=("-o DIRECTORY writes a bundle of each",))
        return _record_fleet(source, output)
    if output is not None:
        _record(_plain_host(source, config, facts, redact=not private), output, redact=not private)
        return 0
    from xtrace.cli.surroundings import host
    from xtrace.core.describe.facts import chosen, document, text

    known = host(facts) if source is None else _plain_host(source, config, facts, redact=not private)
    found = chosen(known, names)
    if as_json:
        import json

        print(json.dumps(document(known, found), indent=2))
    else:
        print(text(found))
    return 0


def _plain_host(source: str | None, config: str | None, facts_file: str | None, redact: bool) -> HostFacts:
    """The host without what plugins add: a bundle holds the facts of the catalog."""
    from xtrace.core.facts.open import host

    if source is not None and facts_file is not None:
        raise UsageError.of("XT0003", "--import and --facts both name a host", hints=("give one of them",))
    try:
        return host(facts_file) if source is None else _imported(source, config, redact)
    except OSError as error:
        raise UsageError.of("XT0007", f"cannot read {source or facts_file}: {error.strerror}") from None


def _imported(source: str, config: str | None, redact: bool) -> HostFacts:
    from xtrace.core.facts.system_map import import_system_map, is_system_map

    if config is not None or (Path(source).is_file() and is_system_map(Path(source))):
        return import_system_map(Path(source), Path(config) if config else None)
    if source != "-" and Path(source).is_dir():
        from xtrace.core.facts.recorded import import_recorded

        return import_recorded(Path(source))
    from xtrace.core.facts.collector import import_collected

    if source == "-":
        return import_collected(sys.stdin.buffer, redact=redact)
    with Path(source).open("rb") as stream:
        return import_collected(stream, Path(source).name, redact)


def _is_fleet(source: str) -> bool:
    """A directory that is no recorded host itself but holds some."""
    from xtrace.core.facts.recorded import is_recorded, recorded_fleet

    place = Path(source)
    return place.is_dir() and not is_recorded(place) and bool(recorded_fleet(place))


def _record_fleet(source: str, output: str) -> int:
    from xtrace.core.facts.recorded import write_fleet

    try:
        count = sum(1 for _ in write_fleet(Path(source), Path(output)))
    except OSError as error:
        raise UsageError.of("XT0007", f"cannot write to {output}: {error.strerror}") from None
    click.echo(f"recorded {count} hosts in {output}; compare them with xtrace matrix --facts {output}", err=True)
    return 0


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
