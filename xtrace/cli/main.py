"""The command line's entry: lazy commands, and the one place where exceptions become exit codes."""

from __future__ import annotations

import codecs
import errno
import io
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module

import click

from xtrace import __version__
from xtrace.core.errors import Diagnostic, UsageError, XtraceError

COMMANDS = {
    "run": "Run a tool.",
    "trace": "Run a program in bpftrace's language.",
    "plan": "Explain how a tool or program would run here; run nothing.",
    "render": "Print the artifact that a backend would run.",
    "list": "Tools, named events, and the host's probes.",
    "show": "A tool's or event's manual, and what serves it here.",
    "matrix": "Tools by hosts: which backend serves, what is lost.",
    "doctor": "What works on this host, and how to fix the rest.",
    "facts": "Record this host for planning elsewhere.",
    "plugins": "Installed plugins, and what is wrong with them.",
    "clean": "Remove what killed sessions left behind.",
}


class ReaderGoneError(Exception):
    """Nobody reads standard output any more."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used; the list itself needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *self._of_plugins(ctx)]

    def _of_plugins(self, ctx: click.Context) -> tuple[str, ...]:
        from xtrace.core.installed import any_installed

        if not any_installed(sys.path):
            return ()
        from xtrace.cli.surroundings import plugins

        return plugins().registry("commands").names()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            command = getattr(import_module(f"xtrace.cli.{cmd_name}"), "command")  # noqa: B009
            assert isinstance(command, click.Command)
            return command
        return self._from_plugin(ctx, cmd_name)

    def _from_plugin(self, ctx: click.Context, name: str) -> click.Command | None:
        from xtrace.cli.surroundings import plugins

        registry = plugins().registry("commands")
        return registry.make(name) if name in registry.names() else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise unknown("command", args[0], COMMANDS, "XT0001", "xtrace --help lists the commands")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # click would exit with 1; for xtrace a reader that has read enough is a normal ending.
            raise ReaderGoneError from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items(), *((name, "From a plugin.") for name in self._of_plugins(ctx))])


def unknown(kind: str, name: str, known: Iterable[str], code: str, otherwise: str) -> XtraceError:
    """The complaint about a name that does not exist, with the names that may have been meant."""
    from xtrace.core.facts.model import near_names

    near = near_names(name, known)
    hint = f"did you mean {' or '.join(near)}?" if near else otherwise
    return UsageError(Diagnostic(code, f"there is no {kind} {name!r}", hints=(hint,)))


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="xtrace")
@click.option("--no-plugins", is_flag=True, help="Load only what xtrace ships.")
def cli(no_plugins: bool) -> None:
    """Trace any Linux host with whatever engine it has: BCC, ftrace or SystemTap."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit with the documented code (docs/reference/exit-codes.md)."""
    _have_standard_streams()
    _accept_any_text()
    sys.exit(run(sys.argv[1:] if argv is None else list(argv)))


def run(argv: list[str]) -> int:
    """The exit code of one command line; complaints go to stderr."""
    try:
        result = cli.main(args=argv, prog_name="xtrace", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except XtraceError as error:
        _complain(error.diagnostics, as_json="--json" in argv)
        return error.exit_code
    except click.ClickException as error:
        return _usage(error, as_json="--json" in argv)
    except (KeyboardInterrupt, click.Abort):
        return 130
    except (ReaderGoneError, BrokenPipeError):
        _discard_stdout()
        return 0
    except Exception as error:
        return _unforeseen(error, as_json="--json" in argv)


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def _unforeseen(error: Exception, as_json: bool) -> int:
    """A full disk or a closed output may be met at any write; everything else that is not foreseen is a bug, and
    shown as one."""
    refused = _unwritable(error)
    if refused:
        _discard_stdout()
        _complain((refused,), as_json)
        return UsageError.exit_code
    import traceback

    traceback.print_exception(type(error), error, error.__traceback__)
    message = f"this is a bug in xtrace {__version__}: {type(error).__name__}: {error}"
    _complain(
        (Diagnostic("XT0013", message, hints=("report it with the lines above and xtrace doctor --json",)),), as_json
    )
    return 1


def _unwritable(error: Exception) -> Diagnostic | None:
    """The complaint about results that cannot be written; None for any other error."""
    if not isinstance(error, OSError):
        return None
    if error.errno in _FULL:
        return Diagnostic("XT0012", f"cannot write results: {error.strerror}")
    if error.errno == errno.EBADF and _is_read_only(1):
        hints = ("-o FILE, or >/dev/null where only the exit code counts",)
        return Diagnostic("XT0012", "cannot write results: standard output is closed", hints=hints)
    return None


def _is_read_only(descriptor: int) -> bool:
    import fcntl
    import os

    return fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY


def _usage(error: click.ClickException, as_json: bool) -> int:
    """A command without its arguments shows its help; everything else is a complaint."""
    if type(error).__name__ == "NoArgsIsHelpError":  # click 8.2 and later raises it, earlier ones print by themselves
        click.echo(error.format_message(), err=True)
    else:
        _complain((_of_click(error),), as_json)
    return UsageError.exit_code


def _have_standard_streams() -> None:
    """A shell may start us with 0, 1 or 2 closed (`>&-`). Then the next file opened would get that number, and what
    prints there would write into it. Results for a closed output meet EBADF; complaints are lost, as was asked for."""
    import os

    for name, mode, descriptor in (("stdin", "r", 0), ("stdout", "w", 1), ("stderr", "w", 2)):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR if descriptor == 2 else os.O_RDONLY)
            assert null == descriptor, "the lowest number that is free is taken (open(2))"
            os.set_inheritable(null, True)
            setattr(sys, name, open(null, mode, closefd=False))  # noqa: SIM115


def _accept_any_text() -> None:
    """Names on this host need not be text in its locale: bytes go out as they came in, or else as escapes."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        utf8 = sys.stdout.encoding.lower().replace("-", "") == "utf8"
        codecs.register_error("xtrace.visible", _visible)
        sys.stdout.reconfigure(errors="surrogateescape" if utf8 else "xtrace.visible")


def _visible(error: UnicodeError) -> tuple[str, int]:
    """What a character set lacks as Python would write it, and bytes that were no text (PEP 383) as `\\xff`."""
    assert isinstance(error, UnicodeEncodeError)
    missing = error.object[error.start : error.end].encode("utf-8", "surrogateescape")
    return missing.decode("utf-8", "backslashreplace").encode("ascii", "backslashreplace").decode(), error.end


def _complain(diagnostics: Sequence[Diagnostic], as_json: bool) -> None:
    if as_json:
        import json

        lines = [json.dumps(diagnostic.as_dict()) for diagnostic in diagnostics]
    else:
        from xtrace.core.alike import told_once

        lines = [diagnostic.text() for diagnostic in told_once(diagnostics)]
    print("\n".join(lines), file=sys.stderr)


def _of_click(error: click.ClickException) -> Diagnostic:
    if isinstance(error, click.NoSuchOption):
        near = tuple(f"did you mean {name}?" for name in error.possibilities or ())
        return Diagnostic("XT0002", f"there is no option {error.option_name}", hints=near or _help_hint(error))
    if isinstance(error, click.UsageError):
        return Diagnostic("XT0003", error.format_message(), hints=_help_hint(error))
    return Diagnostic("XT0004", error.format_message())


def _help_hint(error: click.UsageError) -> tuple[str, ...]:
    return (f"{error.ctx.command_path} --help shows the usage",) if error.ctx else ()


def _discard_stdout() -> None:
    """Point stdout at /dev/null, so that the interpreter's own last flush does not complain of the closed pipe."""
    import os

    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
