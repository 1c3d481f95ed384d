"""The folder outside the repository where everything slow to make is kept."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path


def folder() -> Path:
    """Return the cache folder, made if it is missing."""
    default = Path.home() / ".cache" / "xtrace-lab"
    path = Path(os.environ.get("XTRACE_LAB_CACHE") or default).absolute()
    path.mkdir(parents=True, exist_ok=True)
    return path


def digest(*parts: str) -> str:
    """Return a short stable digest of *parts*, fit for a file name."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Hold the cross-process lock *name*."""
    path = folder() / "locks" / name
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def folder_of(kind: str, name: str, make: Callable[[Path], None]) -> Path:
    """Return the cached folder *kind*/*name*; *make* fills it the first time.

    The folder appears whole or not at all: it is filled under another name and renamed.
    """
    parent = folder() / kind
    target = parent / name
    with lock(f"{kind}-{name}"):
        if not target.exists():
            parent.mkdir(exist_ok=True)
            work = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=parent))
            try:
                work.chmod(0o755)
                make(work)
                work.rename(target)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    return target


def forget_others(kind: str, prefix: str, keep: str) -> None:
    """Remove the entries of *kind* that start with *prefix*, except *keep*."""
    for path in (folder() / kind).glob(f"{prefix}*"):
        if path.name != keep:
            shutil.rmtree(path, ignore_errors=True)
