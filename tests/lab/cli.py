"""Commands of the lab."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.lab import images, releases
from tests.lab.boot import Job, boot
from tests.lab.errors import LabError
from tests.lab.releases import RELEASES, Release


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        chosen = [releases.find(name) for name in options.kernel] or list(RELEASES)
        status: int = options.command(options, chosen)
        return status
    except (LabError, LookupError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 70


def _images(_options: argparse.Namespace, chosen: list[Release]) -> int:
    for release in chosen:
        made = images.image(release)
        print(f"{release.kernel}\t{made.uname}\t{made.folder}")
    return 0


def _sh(options: argparse.Namespace, chosen: list[Release]) -> int:
    if len(options.kernel) != 1:
        raise LabError("sh needs exactly one --kernel")
    script = " ".join(options.words)
    job = Job(script, timeout=options.timeout, interactive=not script)

    def show(chunk: bytes) -> None:
        sys.stdout.buffer.write(chunk)
        sys.stdout.flush()

    if options.out:
        return boot(images.image(chosen[0]), job, Path(options.out), show).status
    with tempfile.TemporaryDirectory() as out:
        return boot(images.image(chosen[0]), job, Path(out), show).status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--kernel", action="append", default=[], help="only this kernel")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("images", parents=[common], help="make the images that are missing")
    command.set_defaults(command=_images)
    command = commands.add_parser("sh", parents=[common], help="run a shell command in a guest")
    command.add_argument("--out", metavar="DIR", help="copy the guest's /lab/out there")
    command.add_argument("--timeout", type=float, default=300)
    command.add_argument("words", nargs="*", metavar="COMMAND", help="none: an interactive shell")
    command.set_defaults(command=_sh)
    return parser
