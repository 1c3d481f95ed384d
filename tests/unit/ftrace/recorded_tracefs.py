"""A tracefs of plain files with what a running 3.10.0-1160 had (../shared/hosts/rhel-7.9-live): the files at the top,
in an instance and of an event, the formats of its events, and its answers to definitions and settings. What it did not
have cannot be written."""

from __future__ import annotations

import errno
import re
import shutil
import tarfile
from functools import cache
from io import TextIOWrapper
from pathlib import Path

from tests.unit.facts.fleet import HOSTS
from xtrace.backends.ftrace.tracefs import Tracefs

HOST = HOSTS / "rhel-7.9-live"
REFUSED = ("$arg", "$comm", "\\", "+u")
"""How fetch arguments begin that the kernel refused."""
FILTERS = re.compile(r"\w+ (==|!=|<=|>=|<|>|~) (\d+|-\d+|\"[^\"]*\"|'[^']*')")


@cache
def trials() -> str:
    return (HOST / "trials.txt").read_text()


def listed(heading: str) -> list[str]:
    """The names under a heading of the record."""
    return trials().partition(f"### {heading}\n")[2].partition("\n")[0].split()


@cache
def taken_types() -> frozenset[str]:
    """The types of fetch arguments that the kernel took in some definition."""
    taken = re.findall(r"^OK +\S+ \S+ (.*?)  ->", trials(), re.MULTILINE)
    return frozenset(word.rpartition(":")[2] for line in taken for word in line.split() if ":" in word)


class RecordedTracefs(Tracefs):
    def __init__(self, root: Path, events: tuple[str, ...]) -> None:
        super().__init__(str(root))
        for name in listed("tracing dir"):
            place = root / name
            if name in ("events", "instances", "options", "per_cpu", "trace_stat"):
                place.mkdir()
            else:
                place.write_text("")
        (root / "README").write_text((HOST / "tracefs-README.txt").read_text())
        self._events = events
        self._put_events(root / "events")

    def _put_events(self, directory: Path) -> None:
        with tarfile.open(HOST / "events-formats.tar.xz") as archive:
            for event in self._events:
                text = archive.extractfile(f"events/{event}/format")
                assert text is not None
                _event(directory / event, TextIOWrapper(text).read())

    def state(self) -> dict[str, str]:
        """Every file at the top, and every directory of an instance."""
        root = Path(self.root)
        files = {path.name: path.read_text() for path in root.iterdir() if path.is_file()}
        return {**files, "instances": " ".join(self.names("instances"))}

    def make(self, path: str) -> None:
        super().make(path)
        place = Path(self.root, path)
        for name in listed("instance"):
            if name in ("events", "per_cpu"):
                (place / name).mkdir()
            else:
                (place / name).write_text("")
        self._put_events(place / "events")
        for group, event in self._defined():
            _event(place / "events" / group / event, "")

    def remove(self, path: str) -> None:
        shutil.rmtree(Path(self.root, path))

    def write(self, path: str, data: bytes) -> None:
        file, text = Path(self.root, path), data.decode()
        if not file.exists():
            raise OSError(errno.ENOENT, "No such file or directory")
        if file.name == "trace_clock" and text not in re.sub(r"[][]", "", " ".join(listed("trace_clock"))).split():
            raise OSError(errno.EINVAL, "Invalid argument")
        if file.name == "filter" and text != "0" and not FILTERS.search(text):
            raise OSError(errno.EINVAL, "Invalid argument")
        file.write_text(text)

    def append(self, path: str, data: bytes) -> None:
        file, line = Path(self.root, path), data.decode().rstrip("\n")
        if not file.exists():
            raise OSError(errno.ENOENT, "No such file or directory")
        lines = file.read_text().splitlines()
        if line.startswith("-:"):
            kept = [one for one in lines if not one.partition(" ")[0].endswith(line[1:])]
            if kept == lines:
                raise OSError(errno.ENOENT, "No such file or directory")
            lines = kept
        else:
            self._accept(line)
            lines.append(line)
        file.write_text("".join(f"{one}\n" for one in lines))

    def _accept(self, line: str) -> None:
        head, _, *arguments = line.split(" ")
        for argument in arguments:
            text = argument.partition("=")[2]
            if (":" in text and text.rpartition(":")[2] not in taken_types()) or text.startswith(REFUSED):
                raise OSError(errno.EINVAL, "Invalid argument")
        group, _, event = head.partition(":")[2].partition("/")
        if not re.fullmatch(r"[pr]:\w+/\w+", head):
            raise OSError(errno.EINVAL, "Invalid argument")
        for instance in Path(self.root, "instances").iterdir():
            _event(instance / "events" / group / event, "")

    def _defined(self) -> list[tuple[str, str]]:
        return [(group, event) for _, group, event in self.defined()]


def _event(directory: Path, text: str) -> None:
    directory.mkdir(parents=True)
    for name in ("enable", "filter", "format", "id"):
        (directory / name).write_text(text if name == "format" else "0")
