"""Disk images: one Debian release each, made once and kept in the cache."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.lab import cache
from tests.lab.errors import LabError
from tests.lab.releases import Release

MIRROR = "http://deb.debian.org/debian"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
UNUSED = ("doc", "info", "locale", "man")
SPARE_BYTES = 768 << 20


@dataclass(frozen=True)
class Image:
    """A bootable release: its disk, and the same tree unpacked for work natively in a chroot."""

    release: Release
    folder: Path

    @property
    def disk(self) -> Path:
        """The ext4 file system the guest boots from."""
        return self.folder / "root.ext4"

    @property
    def root(self) -> Path:
        """The unpacked tree the disk was made from."""
        return self.folder / "root"

    @property
    def uname(self) -> str:
        """The kernel release as ``uname -r`` prints it."""
        return next((self.root / "lib/modules").iterdir()).name

    @property
    def kernel(self) -> Path:
        """The compressed kernel."""
        return self.root / "boot" / f"vmlinuz-{self.uname}"


def image(release: Release) -> Image:
    """Return the image of *release*; make it if the cache has none of the present recipe."""
    command = bootstrap_command(release)
    stamp = cache.digest(*command, *MKFS, str(SPARE_BYTES))
    folder = cache.kept("images", release.suite, stamp, lambda work: _make(release, command, work))
    return Image(release, folder)


def bootstrap_command(release: Release) -> list[str]:
    """Return the mmdebstrap command line, without the target folder."""
    command = ["mmdebstrap", "--quiet", "--mode=root", "--variant=essential"]
    command += ["--architectures=amd64", f"--keyring={KEYRING}"]
    command += [f"--aptopt={option}" for option in release.apt_options]
    command += [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in UNUSED]
    command += [f"--include={','.join(release.packages)}", release.suite, MIRROR]
    return command


# The guests never write to the disk itself, so a journal would only cost time.
MKFS = ("mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^has_journal", "-L", "lab")


def _make(release: Release, command: list[str], work: Path) -> None:
    if os.geteuid() != 0:
        raise LabError("making an image needs root")
    started = time.monotonic()
    say(f"making the {release.suite} image (kernel {release.kernel})")
    root = work / "root"
    # The lab builds a far smaller initramfs of its own (initramfs.py).
    environment = {**os.environ, "INITRD": "No", "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    options, positional = command[:-1], command[-1]
    _run([*options, str(root), positional], environment)
    disk = work / "root.ext4"
    size = int(_run(["du", "-s", "-B1", "-x", str(root)], environment).split()[0])
    with disk.open("wb") as file:
        file.truncate((size * 11 // 10 + SPARE_BYTES) >> 20 << 20)
    _run([*MKFS, "-d", str(root), str(disk)], environment)
    say(f"made the {release.suite} image in {time.monotonic() - started:.0f} s")


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(["nice", *command], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        tail = "\n".join(done.stderr.splitlines()[-20:])
        raise LabError(f"{command[0]} exited with {done.returncode}:\n{tail}")
    return done.stdout


def say(message: str) -> None:
    """Tell whoever waits what the lab is doing."""
    print(f"lab: {message}", file=sys.stderr, flush=True)
