"""What a guest can do, asked by the names in ``@case(needs=…)``."""

from __future__ import annotations

import importlib.util
import json
import shutil
from functools import cache
from pathlib import Path

LAB = Path("/lab")
TRACEFS = Path("/sys/kernel/tracing")


def missing(need: str) -> str | None:
    """Return why the capability *need* is missing, or None when it is there."""
    kind, _, what = need.partition(":")
    if kind == "systemtap":
        return _systemtap(what)
    if kind == "tracefs":
        return None if _has_file(what) else f"tracefs has no {what}"
    if kind == "command":
        return None if shutil.which(what) else f"the release ships no {what}"
    if kind == "ftrace":
        return None if _has_file("README") else "tracefs is not mounted"
    if kind == "bcc":
        return None if importlib.util.find_spec("bcc") else "the release ships no python3-bpfcc"
    raise ValueError(f"a case needs {need!r}, which capability.py does not know")


@cache
def facts() -> dict[str, object]:
    """Return what the host knows about this guest."""
    loaded: dict[str, object] = json.loads((LAB / "facts.json").read_text())
    return loaded


def _has_file(name: str) -> bool:
    return (TRACEFS / name).exists()


def _systemtap(probe: str) -> str | None:
    classes = facts()["systemtap"]
    assert isinstance(classes, list)
    return None if probe in classes else f"systemtap:{probe}: {facts()['systemtap_broken']}"
