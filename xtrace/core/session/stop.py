"""What ends a trace from outside: signals, time, the target's end, a reader that went away."""

from __future__ import annotations

import os
import select
import signal
import time
from types import FrameType, TracebackType
from typing import TextIO

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """While entered, the first SIGINT, SIGTERM or SIGHUP only sets `received`; a second one acts as usual.

    So a trace ends by its own steps (detach, summary, clean-up), and can still be cut short by an impatient user.
    Signals that are ignored stay so: nohup(1) and a shell's background jobs rely on it.
    """

    def __init__(self) -> None:
        self.received = 0
        self._before: dict[int, object] = {}

    def __enter__(self) -> Signals:
        heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._receive) for number in heard}
        return self

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()


class Reader:
    """Whoever reads a stream; `gone` tells at once when a pipe's reader has closed it, not at the next write."""

    def __init__(self, stream: TextIO) -> None:
        self._poll = select.poll()
        try:
            self._poll.register(stream.fileno(), 0)
        except (OSError, ValueError):
            self._poll = None  # type: ignore[assignment]

    def gone(self) -> bool:
        """POLLERR on the writing end of a pipe means that no reader is left (poll(2))."""
        return self._poll is not None and any(event & select.POLLERR for _, event in self._poll.poll(0))


def discard(stream: TextIO) -> None:
    """Point a stream whose reader is gone at /dev/null, so that what is still buffered does not complain at exit."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        return


class Deadline:
    """`seconds` from now, None for never."""

    def __init__(self, seconds: float | None) -> None:
        self._at = None if seconds is None else time.monotonic() + seconds

    def left(self, most: float) -> float:
        """Seconds left, at most `most`."""
        return most if self._at is None else max(0.0, min(most, self._at - time.monotonic()))

    def passed(self) -> bool:
        return self._at is not None and time.monotonic() >= self._at
