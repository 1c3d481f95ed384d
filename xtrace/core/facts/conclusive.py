"""Answers that cost a trial or a run, kept until the next boot where they are conclusive.

One file per boot, user and capability set, in /run/xtrace for root and in XDG_RUNTIME_DIR for others; mode 0600,
written atomically, and not believed when somebody else owns it or may write to it.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Optional

from xtrace import __version__
from xtrace.core.facts.catalog import fact_name
from xtrace.core.facts.model import Fact, State

if TYPE_CHECKING:
    from xtrace.core.facts.files import HostFiles

_MAX_BYTES = 1 << 20
_CONCLUSIVE = (State.PRESENT, State.ABSENT, State.UNSUPPORTED)


def remembered(files: HostFiles, name: str, find_out: Callable[[], Fact]) -> Fact:
    """The remembered answer, or a new one, which is remembered if conclusive.

    That a program is not installed is never remembered: it may be in a minute. A remembered program must still be the
    same file.
    """
    place = cache_place(files) if files.own else None
    if place is None:
        return find_out()
    known = _load(place)
    entry = known.get(name)
    if isinstance(entry, dict):
        fact = fact_from_json(entry)
        if fact is not None and entry.get("program") == _program_stamp(fact):
            return fact
    fact = find_out()
    keep(files, {name: fact})
    return fact


def keep(files: HostFiles, facts: Mapping[str, Fact]) -> None:
    """Remember those of the facts that are conclusive."""
    place = cache_place(files) if files.own else None
    entries = {}
    for name, fact in facts.items():
        stamp = _program_stamp(fact)
        if fact.state in _CONCLUSIVE and (fact_name(name).how == "trial" or (fact.yes and stamp)):
            entries[name] = {**fact_to_json(fact), "program": stamp}
    if place and entries:
        _save(place, {**_load(place), **entries})


def fact_to_json(fact: Fact) -> dict[str, object]:
    """A fact as an object of schema xtrace.facts/1."""
    return {"state": fact.state.value, "value": fact.value, "evidence": fact.evidence, "errno": fact.errno}


def fact_from_json(entry: object) -> Optional[Fact]:
    """The fact that such an object describes; None for anything else."""
    if not isinstance(entry, dict):
        return None
    number, evidence = entry.get("errno"), entry.get("evidence", "")
    try:
        state = State(entry.get("state"))
    except ValueError:
        return None
    if not isinstance(evidence, str) or not (number is None or isinstance(number, int)):
        return None
    return Fact(state, entry.get("value"), evidence, number)


def cache_place(files: HostFiles) -> Optional[Path]:
    """The file that holds what is known of this boot to this caller; None where there is no safe place."""
    try:
        boot = files.text("/proc/sys/kernel/random/boot_id").strip()
        status = files.text("/proc/self/status").split()
        capabilities = status[status.index("CapEff:") + 1]
    except (OSError, ValueError, IndexError):
        return None
    uid = os.geteuid()
    folder = "/run/xtrace" if uid == 0 else os.environ.get("XDG_RUNTIME_DIR", "")
    if not folder or not Path(folder).is_absolute():
        return None
    return Path(folder) / f"xtrace-facts-{__version__}-{boot}-{uid}-{capabilities}.json"


def _program_stamp(fact: Fact) -> Optional[list[object]]:
    path = fact.value.get("path") if isinstance(fact.value, dict) else None
    if not isinstance(path, str):
        return None
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return ["gone"]
    return [path, status.st_mtime_ns, status.st_size]


def _load(place: Path) -> dict[str, object]:
    try:
        file = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return {}
    with os.fdopen(file, "rb") as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
            return {}
        data = stream.read(_MAX_BYTES)
    try:
        known = json.loads(data)
    except ValueError:
        return {}
    return known if isinstance(known, dict) else {}


def _save(place: Path, known: dict[str, object]) -> None:
    """Write by rename; a place that cannot be written only means that the next run asks again."""
    new = place.with_name(f".{place.name}.{os.getpid()}")
    with suppress(OSError):
        place.parent.mkdir(mode=0o700, exist_ok=True)
        if place.parent.stat().st_uid != os.geteuid():
            return
        with suppress(FileNotFoundError):
            new.unlink()
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(file, "w") as stream:
            json.dump(known, stream)
        new.replace(place)
