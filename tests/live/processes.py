"""Children of a test that are killed, and what is awaited then."""

from __future__ import annotations

import os
import time
from collections.abc import Callable


def in_child(work: Callable[[], object]) -> int:
    """A child that does the work and then waits to be killed; gives its pid when the work is done."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            kept = work()
            os.write(writer, b"x")
            time.sleep(60)
            del kept
        finally:
            os._exit(1)
    os.close(writer)
    assert os.read(reader, 1) == b"x"
    os.close(reader)
    return child


def within(seconds: float, test: Callable[[], bool]) -> bool:
    """Does the test come true in that time?"""
    until = time.monotonic() + seconds
    while not test():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True
