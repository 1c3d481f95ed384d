"""`xtrace render TOOL --backend B`: the artifact, as text that runs without xtrace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from xtrace.cli.options import render_options
from xtrace.cli.programs import ToolGroup

if TYPE_CHECKING:
    from xtrace.core.plan.model import Artifact


def _render(program: Any, title: str, options: dict[str, Any]) -> int:
    from xtrace.cli.plan import ranking_of, request_of
    from xtrace.cli.surroundings import backends, host
    from xtrace.core.session.conduct import refusal

    facts_file, directory = options.pop("facts"), options.pop("directory")
    ranking = ranking_of(request_of(program, title, options), facts_file, options["backend"])
    if not ranking.ranked:
        raise refusal(list(ranking.refused), title, host(facts_file))
    plan = ranking.ranked[0].plan
    artifact = backends(plan.backend)[plan.backend].render(plan)
    if directory:
        _write(artifact, directory)
    else:
        print(artifact.files[artifact.main], end="")
    return 0


def _write(artifact: Artifact, directory: str) -> None:
    from pathlib import Path

    from xtrace.core.errors import UsageError

    place = Path(directory)
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, text in artifact.files.items():
            (place / name).write_text(text)
    except OSError as error:
        raise UsageError.of("XT0007", f"cannot write to {directory}: {error.strerror}") from None
    click.echo(f"wrote {', '.join(artifact.files)} to {directory}; run: {' '.join(artifact.run)}", err=True)


@click.pass_context
def _program(ctx: click.Context, /, text: str | None, **options: Any) -> int | None:
    if ctx.invoked_subcommand is not None:
        return None
    from xtrace.cli.programs import read_program
    from xtrace.core.errors import UsageError

    if text is None:
        raise UsageError.of("XT0003", "there is nothing to render", hints=("give a TOOL, a FILE, or -e 'PROGRAM'",))
    return _render(read_program("-e", text), "trace", options)


command = ToolGroup(
    name="render",
    action=_render,
    options=render_options,
    callback=_program,
    invoke_without_command=True,
    help="Print the artifact that a backend would run for a TOOL, a FILE, or -e PROGRAM.",
    subcommand_metavar="[TOOL|FILE] [OPTIONS]",
)
command.params.append(click.Option(["-e", "text"], metavar="PROGRAM", help="Render this program."))
render_options(command)
