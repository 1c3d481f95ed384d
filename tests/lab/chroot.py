"""Natively run programs of an image, in a private mount namespace that leaves its tree as it was."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.lab.images import Image

# $1 is the root, then pairs of folders to bind up to --, then the command.
_SCRIPT = """
set -e
root=$1; shift
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/mnt"
while [ "$1" != -- ]; do
    mkdir -p "$root$2"
    mount --bind "$1" "$root$2"
    shift 2
done
shift
exec nice chroot "$root" "$@"
"""


def run(
    image: Image,
    command: Sequence[str],
    *,
    binds: Mapping[Path, str],
    environment: Mapping[str, str] | None = None,
    timeout: float = 600,
) -> subprocess.CompletedProcess[str]:
    """Run *command* in the tree of *image*; *binds* maps host folders to folders below /mnt."""
    pairs = [part for source, target in binds.items() for part in (str(source), target)]
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", _SCRIPT, "chroot", str(image.root), *pairs, "--", *command],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
    )
