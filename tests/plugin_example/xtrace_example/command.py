"""A command: `xtrace hello`."""

from __future__ import annotations

import click


@click.command()
@click.argument("name", default="world")
def hello(name: str) -> None:
    """Say hello."""
    click.echo(f"hello, {name}")
