"""Makes calls of the operating system fail, one at a time, wherever a piece of work makes them: a step that is added
later is tried as well. Standard library only."""

from __future__ import annotations

import errno
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType

MODULES = ("posix", "io", "_io", "fcntl", "mmap")
"""Modules whose functions and objects ask the kernel for something."""
CANNOT_FAIL = frozenset(
    (
        "__exit__",
        "close",
        "closerange",
        "cpu_count",
        "fspath",
        "geteuid",
        "getpid",
        "sysconf",
        "text_encoding",
        "uname",
        "waitpid",
    )
)
"""Those that do not, or that leave nothing to undo: a closed descriptor is closed, whatever close(2) says."""
CHANGES = frozenset(("write", "pwrite", "mkdir", "rmdir", "fork", "pipe2", "ioctl", "perf_event_open"))
"""What a call changes differs from time to time; of others the first from each place stands for all."""

Place = tuple[object, ...]
"""The name of a call, the lines of the tested package that lead to it, and which of them it is."""


class Fault:
    """While entered, a call at a place raises OSError instead of being made, and calls are noted in `places`.

    `package` is part of the path of the files that are tested; `also` are Python functions that call the kernel by
    other means. `hit` tells whether the place was reached.
    """

    def __init__(self, package: str, failing: Place = (), also: tuple[str, ...] = ("perf_event_open",)) -> None:
        self.hit = False
        self.places: dict[Place, None] = {}
        self._package = package
        self._failing = failing
        self._also = also
        self._seen: Counter[Place] = Counter()

    def __enter__(self) -> Fault:
        sys.setprofile(self._event)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.setprofile(None)

    def _event(self, frame: FrameType, event: str, function: Callable[..., object]) -> None:
        if event == "call":
            name = frame.f_code.co_name
            counts = name in self._also
        else:
            name = getattr(function, "__name__", "")
            counts = event == "c_call" and name not in CANNOT_FAIL and _module(function) in MODULES
        if counts:
            self._called(name, frame)

    def _called(self, name: str, frame: FrameType) -> None:
        place: Place = (name, *self._lines(frame))
        if len(place) == 1:
            return
        self._seen[place] += 1
        place = (*place, self._seen[place] if name in CHANGES else 0)
        self.places[place] = None
        if place == self._failing and not self.hit:
            self.hit = True
            raise OSError(errno.EIO, "injected")

    def _lines(self, frame: FrameType | None) -> Iterator[str]:
        while frame is not None:
            if self._package in frame.f_code.co_filename:
                yield f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno}"
            frame = frame.f_back


def _module(function: object) -> str:
    return getattr(function, "__module__", None) or type(getattr(function, "__self__", None)).__module__
