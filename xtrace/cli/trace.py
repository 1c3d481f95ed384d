"""`xtrace trace -e PROGRAM`, `xtrace trace FILE`: bpftrace's command line."""

from __future__ import annotations

from typing import Any

import click

from xtrace.cli.options import Wishes, run_options
from xtrace.core.errors import UsageError


@click.command()
@click.option("-e", "text", metavar="PROGRAM", help="The program itself.")
@click.option("-l", "--list", "listing", is_flag=True, help="List probes that match PATTERN, or those of -e PROGRAM.")
@click.option("--dry-run", is_flag=True, help="Parse, type and plan; run nothing.")
@click.option("--unsafe", is_flag=True, help="Allow system().")
@run_options
@click.argument("arguments", nargs=-1, metavar="[FILE|PATTERN] [PARAMETER]...")
def command(text: str | None, listing: bool, dry_run: bool, unsafe: bool, **options: Any) -> int:
    """Run a program in bpftrace's language: -e PROGRAM, a FILE, or - for standard input.

    With -c the program sees the command's process id as cpid; --follow limits the trace to it and its children. With
    -p all probes see only that process.
    """
    from xtrace.cli.programs import read_file, read_program
    from xtrace.cli.tracing import trace

    arguments: tuple[str, ...] = options.pop("arguments")
    if listing and text is None:
        from xtrace.cli.list import show_probes

        return show_probes(arguments[0] if arguments else "*", bool(options["verbose"]), None)
    if text is None and not arguments:
        raise UsageError.of("XT0003", "there is no program", hints=("give -e 'PROGRAM' or a FILE",))
    name, *parameters = ("-e", *arguments) if text is not None else arguments
    program = read_program(name, text if text is not None else read_file(name))
    wishes = Wishes.take(options)
    if listing:
        from xtrace.cli.plan import list_attached

        return list_attached(program, name, wishes, tuple(parameters), unsafe)
    if dry_run:
        from xtrace.cli.plan import plan_quietly

        return plan_quietly(program, name, wishes, tuple(parameters), unsafe)
    restrict = wishes.follow or wishes.command is None
    announced = wishes.format == "text"
    return trace(program, "trace", wishes, restrict, announced, parameters=tuple(parameters), unsafe=unsafe)
