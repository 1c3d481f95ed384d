"""Where a command's program comes from: a tool with its options, a file, or `-e TEXT`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xtrace.cli.main import unknown
from xtrace.cli.surroundings import probe_paths
from xtrace.core.errors import UsageError

if TYPE_CHECKING:
    from xtrace.core.lang import ast
    from xtrace.core.probes.tools import Option, Tool

Action = Callable[["ast.Program", str, dict[str, Any]], Any]
"""What a command does with a program, its title, and the other options."""


def read_program(name: str, text: str) -> ast.Program:
    """Parse and check a program. Raises ProgramError with all that is wrong on any host."""
    from xtrace.core.lang.parser import parse
    from xtrace.core.lang.source import Source

    return parse(Source(name, text))


def read_file(path: str) -> str:
    """A program file's text, or standard input for `-`. Raises UsageError."""
    import sys

    if path == "-":
        return sys.stdin.read().removeprefix("\ufeff")
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        hints = ("-e 'PROGRAM' takes a program as text",) if "{" in path else ()
        raise UsageError.of("XT0007", f"cannot read {path}: {error.strerror}", hints=hints) from None
    except UnicodeDecodeError:
        raise UsageError.of("XT0007", f"cannot read {path}: it is not UTF-8 text") from None


class ToolGroup(click.Group):
    """A command whose subcommands are the tools, each with its own options and `options` after them.

    A name that is no tool but a file is a program to read.
    """

    def __init__(self, *args: Any, action: Action, options: Callable[[Any], Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.action = action
        self.shared = options

    def list_commands(self, ctx: click.Context) -> list[str]:
        from xtrace.core.probes.tools import tool_names

        return sorted(tool_names(probe_paths()))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from xtrace.core.probes.tools import find_tool

        tool = find_tool(cmd_name, probe_paths())
        if tool is not None:
            return self._tool_command(tool)
        if "/" in cmd_name or cmd_name.endswith(".bt") or Path(cmd_name).is_file():
            return self._file_command(cmd_name)
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise unknown("tool", args[0], self.list_commands(ctx), "XT0005", "xtrace list names the tools")
        return super().resolve_command(ctx, args)

    def _tool_command(self, tool: Tool) -> click.Command:
        def callback(**values: Any) -> Any:
            from xtrace.core.describe.tool import program

            own = {name: values.pop(name) for name in tool.options}
            return self.action(program(tool, own), tool.name, values)

        made = click.Command(tool.name, callback=callback, help=tool.help, short_help=tool.summary)
        made = self.shared(made)
        assert isinstance(made, click.Command)
        made.params[:0] = [_parameter(name, option) for name, option in tool.options.items()]
        return made

    def _file_command(self, path: str) -> click.Command:
        def callback(**values: Any) -> Any:
            return self.action(read_program(path, read_file(path)), Path(path).stem, values)

        made = click.Command(path, callback=callback, help=f"The program in {path}.")
        made = self.shared(made)
        assert isinstance(made, click.Command)
        return made


def programs_command(
    name: str, action: Action, options: Callable[[Any], Any], title: str, explanation: str
) -> ToolGroup:
    """A command that takes a TOOL, a FILE or `-e PROGRAM`; `title` is what a program of `-e` is called."""

    @click.pass_context
    def program(ctx: click.Context, /, text: str | None, **values: Any) -> Any:
        if ctx.invoked_subcommand is not None:
            return None
        if text is None:
            hint = "give a TOOL, a FILE, or -e 'PROGRAM'"
            raise UsageError.of("XT0003", f"there is nothing to {name}", hints=(hint,))
        return action(read_program("-e", text), title, values)

    command = ToolGroup(
        name=name,
        action=action,
        options=options,
        callback=program,
        invoke_without_command=True,
        help=explanation,
        subcommand_metavar="[TOOL|FILE] [OPTIONS]",
    )
    command.params.append(click.Option(["-e", "text"], metavar="PROGRAM", help=f"{name.capitalize()} this program."))
    options(command)
    return command


_TYPES: dict[str, Any] = {"int": int, "string": str, "flag": bool}


def _parameter(name: str, option: Option) -> click.Option:
    flag = option.type == "flag"
    return click.Option(
        [name, *option.flags],
        is_flag=flag,
        type=None if flag else _TYPES[option.type],
        default=option.default,
        metavar=option.metavar or None,
        help=option.help,
        show_default=not flag and option.default not in ("", 0, None),
    )
