"""`xtrace run TOOL`"""

from __future__ import annotations

from typing import Any

from xtrace.cli.options import Wishes, run_options
from xtrace.cli.programs import ToolGroup


def _run(program: Any, title: str, options: dict[str, Any]) -> int:
    from xtrace.cli.tracing import trace

    return trace(program, title, Wishes.take(options))


command = ToolGroup(
    name="run",
    action=_run,
    options=run_options,
    help="Run a tool. `xtrace list` names the tools; each has its own --help.",
    subcommand_metavar="TOOL [OPTIONS]",
)
