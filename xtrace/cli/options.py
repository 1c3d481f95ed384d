"""The options that several commands share, declared once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from xtrace.cli import completion
from xtrace.core.errors import UsageError

Command = TypeVar("Command", bound=Callable[..., Any])

if TYPE_CHECKING:
    _ParamType = click.ParamType[float]
else:
    _ParamType = click.ParamType

_SHIFTS = {"K": 0, "M": 10, "G": 20}
_SIZES = range(4, (1 << 20) + 1)
_UNITS = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "m": 60.0, "h": 3600.0}


class Seconds(_ParamType):
    """A duration: `5`, `0.5`, `200ms`, `2m`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)(ms|us|s|m|h)?", str(value))
        if not match or float(match.group(1)) <= 0:
            self.fail(f"{value!r} is not a duration; write 5, 0.5, 200ms or 2m", param, ctx)
        return float(match.group(1)) * _UNITS[match.group(2) or ""]


class Kilobytes(_ParamType):
    """A size: `512K`, `8M`, `1G`."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+)([KMG])i?B?", str(value), re.IGNORECASE)
        if not match or int(match.group(1)) << _SHIFTS[match.group(2).upper()] not in _SIZES:
            self.fail(f"{value!r} is not a size from 4K to 1G; write 512K or 8M", param, ctx)
        return int(match.group(1)) << _SHIFTS[match.group(2).upper()]


class User(_ParamType):
    """A user: `1000`, or a name of this host's user database."""

    name = "user"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if str(value).isascii() and str(value).isdigit():
            return int(value)
        import pwd

        try:
            return pwd.getpwnam(value).pw_uid
        except KeyError:
            self.fail(f"there is no user {value!r} on this host", param, ctx)


@dataclass(frozen=True)
class Wishes:
    """What the common options say about a run."""

    pid: int | None = None
    command: str | None = None
    duration: float | None = None
    follow: bool = False
    uid: int | None = None
    cgroup: str | None = None
    backend: str | None = None
    aggregate: str = "auto"
    buffer_kb: int = 0
    format: str = "text"
    output: str | None = None
    fail_on_loss: bool = False
    quiet: bool = False
    verbose: bool = False
    facts: str | None = None

    def config(self) -> Any:
        """What the options say of the program's configuration, as `ir.Config`."""
        from xtrace.core import ir

        return ir.Config(aggregate=self.aggregate, buffer_kb=self.buffer_kb)

    @classmethod
    def take(cls, options: dict[str, Any]) -> Wishes:
        """Take the common options out of a command's keyword arguments. Raises UsageError for a contradiction."""
        as_json = options.pop("as_json", False)
        found = cls(**{name: options.pop(name) for name in list(options) if name in cls.__dataclass_fields__})
        if found.facts is not None:
            hints = ("xtrace plan and xtrace render take --facts",)
            raise UsageError.of("XT0003", "a recorded host cannot be traced", hints=hints)
        if found.pid is not None and found.command is not None:
            raise UsageError.of("XT0003", "-p and -c both name the process to trace", hints=("give one of them",))
        if not as_json:
            return found
        if found.format not in ("text", "ndjson"):
            raise UsageError.of("XT0003", f"--json is ndjson, but -f asks for {found.format}")
        return cls(**{**vars(found), "format": "ndjson"})


def _applied(options: list[Callable[[Command], Command]]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        # A function collects its options from the last to the first, a finished command in the order of its help.
        for option in options if isinstance(command, click.Command) else reversed(options):
            command = option(command)
        return command

    return decorate


SCOPE_OPTIONS = [
    click.option("-p", "--pid", type=click.IntRange(1), metavar="PID", help="Only this process."),
    click.option("-c", "--command", metavar="CMD", help="Start CMD and trace until it ends."),
    click.option("--follow", is_flag=True, help="With -p: its children too."),
    click.option("--uid", type=User(), metavar="USER", help="Only this user's processes, by id or name."),
    click.option("--cgroup", metavar="PATH", help="Only processes of this cgroup (v2 path)."),
    click.option(
        "--backend",
        metavar="NAME",
        help="Only this backend; no fallback to another.",
        shell_complete=completion.backends,
    ),
    click.option(
        "--aggregate",
        type=click.Choice(["auto", "kernel", "user"]),
        default="auto",
        help="Where ftrace feeds maps: in the kernel or in user space; auto takes the kernel where nothing differs.",
    ),
    click.option(
        "--buffer-size",
        "buffer_kb",
        type=Kilobytes(),
        default=0,
        metavar="SIZE",
        help="Each CPU's event buffer (512K, 8M); without effect on SystemTap.",
    ),
]
RUN_OPTIONS = [
    *SCOPE_OPTIONS,
    click.option("-d", "--duration", type=Seconds(), metavar="TIME", help="Stop after TIME (5, 0.5, 200ms, 2m)."),
    click.option("-f", "--format", default="text", show_default=True, metavar="FORMAT", help="Output format."),
    click.option("--json", "as_json", is_flag=True, help="One JSON object per line (-f ndjson)."),
    click.option("-o", "--output", metavar="FILE", help="Write results to FILE instead of stdout."),
    click.option("--fail-on-loss", is_flag=True, help="Exit with 7 if events were lost."),
    click.option("-q", "--quiet", is_flag=True, help="No notices about how it runs."),
    click.option("-v", "--verbose", is_flag=True, help="Tell which backend runs and why."),
    click.option("--facts", metavar="FILE", hidden=True),
]
FACTS_OPTION = click.option("--facts", metavar="FILE", help="Use a recorded host instead of this one.")
JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="One JSON document.")

plan_options = _applied([*SCOPE_OPTIONS, FACTS_OPTION, JSON_OPTION])
render_options = _applied(
    [
        *SCOPE_OPTIONS,
        click.option("-o", "--output", "directory", metavar="DIR", help="Write the files to DIR."),
        FACTS_OPTION,
    ]
)
run_options = _applied(RUN_OPTIONS)
