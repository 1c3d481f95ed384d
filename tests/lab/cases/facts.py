"""What the collector script takes from a host that has only a small shell, and what is planned with it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.lab.case import case
from tests.lab.inside import command, equal, xtrace

PRIVATE = {"name": "quaint-zebra-77", "address": "203.0.113.77", "home": "/home/quaintuser"}
"""What no bundle may tell; the kernel's mount table is told all three."""
TOOLS = Path("/usr/local/bin")
"""First of the places where the script looks for programs."""
NEEDED = ("base64", "cat", "hexdump", "id", "od", "sed", "uname", "wc")


@case(timeout=120)
def collected_by_dash() -> None:
    """A bundle made from what the script writes under dash plans every named event as the host itself does."""
    _same_as_live("dash")


@case(kernels=["5.10", "7.2"], timeout=120)
def collected_by_busybox() -> None:
    """The same where the shell and all its commands are busybox's."""
    applets = command("busybox", "--list").stdout.split()
    with ExitStack() as links:
        for name in NEEDED:
            link = TOOLS / name
            # A program that busybox lacks is one that the script must do without.
            link.symlink_to(str(shutil.which("busybox")) if name in applets else "/bin/false")
            links.callback(link.unlink)
        _same_as_live("busybox", "sh")


@case(timeout=120, long=True)
def recorded() -> None:
    """The same with a bundle that xtrace itself makes."""
    with tempfile.TemporaryDirectory() as work, _private_things():
        bundle = Path(work) / "host.xfacts"
        xtrace("facts", "-o", str(bundle))
        _same_plans(bundle)
        _tells_nothing(bundle)


def _same_as_live(*shell: str) -> None:
    with tempfile.TemporaryDirectory() as work, _private_things():
        script, archive, bundle = (Path(work) / name for name in ("collect.sh", "host.txt", "host.xfacts"))
        script.write_text(xtrace("facts", "--script").stdout)
        with archive.open("w") as output:
            subprocess.run([*shell, str(script)], stdout=output, check=True)
        xtrace("facts", "--import", str(archive), "-o", str(bundle))
        _same_plans(bundle)
        for file in (archive, bundle):
            _tells_nothing(file)


@contextmanager
def _private_things() -> Iterator[None]:
    """A host name, and a mount from a server's address onto somebody's home, that must not be told."""
    name = socket.gethostname()
    home = Path(PRIVATE["home"])
    home.mkdir(parents=True)
    command("mount", "-t", "tmpfs", f"{PRIVATE['address']}:/export", str(home))
    socket.sethostname(PRIVATE["name"])
    try:
        yield
    finally:
        socket.sethostname(name)
        command("umount", str(home))
        home.rmdir()


def _tells_nothing(file: Path) -> None:
    """Fail if a file, or a file in an archive, holds anything private."""
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            contents = {name: archive.read(name) for name in archive.namelist()}
    else:
        contents = {file.name: file.read_bytes()}
    told = [(name, kind) for name, data in contents.items() for kind, text in PRIVATE.items() if text.encode() in data]
    equal(told, [], f"private things in {file.name}")


def _same_plans(bundle: Path) -> None:
    own, found = _choices(None), _choices(str(bundle))
    equal(_differences(found, own), {}, "what is planned otherwise with the bundle")


def _differences(found: dict[str, object], own: dict[str, object]) -> dict[str, object]:
    return {name: (found.get(name), own.get(name)) for name in {**found, **own} if found.get(name) != own.get(name)}


def _choices(bundle: str | None) -> dict[str, object]:
    """What each backend makes of every named event: whether it refuses, the source, what it loses."""
    words = ["python3", "-m", "tests.lab.named_events", *([bundle] if bundle else [])]
    done = command(*words)
    equal(done.returncode, 0, "exit status")
    found: dict[str, object] = json.loads(done.stdout)
    return found
