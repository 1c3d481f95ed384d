"""`xtrace render TOOL --backend B`: the artifact, as text that runs without xtrace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from xtrace.cli.options import render_options
from xtrace.cli.programs import programs_command

if TYPE_CHECKING:
    from xtrace.core.plan.model import Artifact


def _render(program: Any, title: str, options: dict[str, Any]) -> int:
    from xtrace.cli.plan import ranking_of, request_of
    from xtrace.cli.surroundings import backends, host
    from xtrace.core.plan.choose import losses
    from xtrace.core.session.conduct import refusal

    facts_file, directory = options.pop("facts"), options.pop("directory")
    ranking = ranking_of(request_of(program, title, options, elsewhere=True), facts_file, options["backend"])
    if not ranking.ranked:
        raise refusal(list(ranking.refused), title, host(facts_file))
    plan = ranking.ranked[0].plan
    for loss in losses(plan):
        click.echo(f"warning: {loss}", err=True)
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


command = programs_command(
    "render",
    _render,
    render_options,
    "trace",
    "Print the artifact that a backend would run for a TOOL, a FILE, or -e PROGRAM.",
)
