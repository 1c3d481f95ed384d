"""Debian's debugging package of a guest's kernel: a vmlinux with DWARF and BTF, fetched once (260 MB)."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.lab import cache
from tests.lab.errors import LabError
from tests.lab.images import KEYRING, MIRROR, Image


def vmlinux(image: Image) -> Path:
    """Return the path of the kernel with DWARF; fetch its package if the cache has none."""
    package = f"linux-image-{image.uname}-dbg"
    place = cache.kept("debug", image.release.suite, cache.digest(package), lambda work: _fetch(image, package, work))
    return place / f"usr/lib/debug/boot/vmlinux-{image.uname}"


def _fetch(image: Image, package: str, work: Path) -> None:
    apt = work / "apt"
    for name in ("lists/partial", "archives/partial", "etc"):
        (apt / name).mkdir(parents=True)
    (apt / "status").touch()
    line = f"deb [arch=amd64 signed-by={KEYRING}] {MIRROR} {image.release.suite} main\n"
    (apt / "etc/sources.list").write_text(line)
    settings = {
        "Dir::Etc": apt / "etc",
        "Dir::Etc::sourcelist": apt / "etc/sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": apt / "lists",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt,
        "APT::Architecture": "amd64",
        "APT::Sandbox::User": "root",
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    options += [word for option in image.release.apt_options for word in ("-o", option.replace(" ", "="))]
    _run(["apt-get", *options, "-qq", "update"], work)
    _run(["apt-get", *options, "-qq", "download", package], work)
    (archive,) = work.glob("*.deb")
    _run(["dpkg-deb", "-x", str(archive), str(work)], work)
    archive.unlink()


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(["nice", *command], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"{command[0]} exited with {done.returncode}: {done.stderr.strip()[-500:]}")
