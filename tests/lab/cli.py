"""Commands of the lab."""

from __future__ import annotations

import argparse
import fnmatch
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.lab import cache, images, releases, report
from tests.lab.boot import Job, boot
from tests.lab.case import discover
from tests.lab.errors import LabError
from tests.lab.releases import RELEASES, Release
from tests.lab.run import extras, rendered, run_all


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, ``run`` if none is named, and return its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help")):
        words.insert(0, "run")
    options = _parser().parse_args(words)
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


def _run(options: argparse.Namespace, chosen: list[Release]) -> int:
    wanted: str = options.case
    # The brackets of a backend are also fnmatch's, so a plain part of the name comes first.
    cases = [case for case in discover().values() if wanted in case.id or fnmatch.fnmatch(case.id, f"*{wanted}*")]
    if not cases:
        raise LabError(f"no case is called {wanted!r}")
    work = [(release, [case for case in cases if case.fits(release.kernel, options.long)]) for release in chosen]
    results = [
        result for results in run_all(work, lambda result: print(report.line(result), flush=True)) for result in results
    ]
    print(f"\n{report.table(results)}")
    return int(any(result.status in ("fail", "error") for result in results))


def _sh(options: argparse.Namespace, chosen: list[Release]) -> int:
    if len(options.kernel) != 1:
        raise LabError("sh needs exactly one --kernel")
    image = images.image(chosen[0])
    script = " ".join(options.words)
    with tempfile.TemporaryDirectory() as folder:
        scripts = [Path(name).read_text() for name in options.stap]
        scripts += rendered(image, [tuple(shlex.split(words)) for words in options.render])
        files = extras(image, scripts, Path(folder))
        out = Path(options.out or Path(folder) / "out")
        job = Job(script, files, options.timeout, interactive=not script)
        return boot(image, job, out, _show).status


def _facts(_options: argparse.Namespace, chosen: list[Release]) -> int:
    bundles = cache.folder() / "facts"
    bundles.mkdir(exist_ok=True)
    for release in chosen:
        with tempfile.TemporaryDirectory() as folder:
            job = Job("xtrace facts -o /lab/out/host.xfacts")
            status = boot(images.image(release), job, Path(folder), _show).status
            if status != 0:
                raise LabError(f"kernel {release.kernel}: xtrace facts exited with {status}")
            target = bundles / f"debian-{release.suite}.xfacts"
            shutil.copy(Path(folder) / "host.xfacts", target)
        print(f"{release.kernel}\t{target}")
    return 0


def _show(chunk: bytes) -> None:
    sys.stdout.buffer.write(chunk)
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--kernel", action="append", default=[], help="only this kernel")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("images", parents=[common], help="make the images that are missing")
    command.set_defaults(command=_images)
    command = commands.add_parser("run", parents=[common], help="run the cases and print a table")
    command.add_argument("--case", default="", metavar="PATTERN", help="only cases with this in their names")
    command.add_argument("--long", action="store_true", help="the long cases too")
    command.set_defaults(command=_run)
    command = commands.add_parser("facts", parents=[common], help="record the guests with xtrace facts")
    command.set_defaults(command=_facts)
    command = commands.add_parser("sh", parents=[common], help="run a shell command in a guest")
    command.add_argument("--out", metavar="DIR", help="copy the guest's /lab/out there")
    command.add_argument("--timeout", type=float, default=300, metavar="SECONDS")
    command.add_argument("--stap", action="append", default=[], metavar="FILE.stp", help="compile it for the guest")
    command.add_argument(
        "--render",
        action="append",
        default=[],
        metavar="'WORDS'",
        help="compile what `xtrace render WORDS --backend systemtap` prints in such a guest",
    )
    command.add_argument("words", nargs="*", metavar="COMMAND", help="none: an interactive shell")
    command.set_defaults(command=_sh)
    return parser
