"""Is any plugin installed? Asked by every start of xtrace, so it must cost nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence

GROUP = "xtrace"


def any_installed(places: Sequence[str]) -> bool:
    """May any distribution in these directories have a plugin?

    A look at the files that `importlib.metadata` reads, without the cost of importing it and of parsing all of them.
    What is no plain directory or distribution is a yes.
    """
    return any(_may_hold(place or ".") for place in places)


def _may_hold(place: str) -> bool:
    try:
        with os.scandir(place) as entries:
            return any(_has_group(entry) for entry in entries)
    except NotADirectoryError:
        return True
    except OSError:
        return False


def _has_group(entry: os.DirEntry[str]) -> bool:
    """A distribution with our group; an egg is not looked into."""
    if not entry.name.endswith((".dist-info", ".egg-info")):
        return entry.name.endswith(".egg")
    try:
        with open(f"{entry.path}/entry_points.txt", "rb") as stream:  # noqa: PTH123 - pathlib need not be loaded
            return f"[{GROUP}]".encode() in stream.read()
    except OSError:
        return False
