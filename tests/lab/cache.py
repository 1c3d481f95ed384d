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


def kept(kind: str, family: str, stamp: str, make: Callable[[Path], None]) -> Path:
    """Return the cached folder of *family*; *make* fills it when its *stamp* is new.

    The folder appears whole or not at all: it is filled under another name and renamed. It
    replaces the family's older ones.
    """
    parent = folder() / kind
    target = parent / f"{family}-{stamp}"
    with lock(f"{kind}-{family}"):
        if not target.exists():
            parent.mkdir(exist_ok=True)
            work = Path(tempfile.mkdtemp(prefix=f".{family}-", dir=parent))
            try:
                work.chmod(0o755)
                make(work)
                work.rename(target)
            finally:
                shutil.rmtree(work, ignore_errors=True)
            for older in parent.glob(f"{family}-*"):
                if older != target:
                    shutil.rmtree(older, ignore_errors=True)
    return target
