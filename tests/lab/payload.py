"""What a guest gets besides its own release: xtrace, its dependencies, the cases, modules."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

from tests.lab import cache, chroot
from tests.lab.errors import LabError
from tests.lab.images import Image

REPOSITORY = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
# The newest versions for Python 3.9, the oldest guest's. Their compiled extensions do not load
# in the newer guests, where the pure-Python code behind them serves.
DEPENDENCIES = (
    "click==8.1.8",
    "jinja2==3.1.6",
    "markupsafe==3.0.3",
    "pluggy==1.6.0",
    "PyYAML==6.0.3",
)


def pack(image: Image, target: Path, script: str, files: Mapping[str, Path]) -> None:
    """Write the payload tar to *target*: *script* is what to run, *files* maps names to extras."""
    stage = target.with_suffix(".d")
    shutil.copytree(REPOSITORY / "xtrace", stage / "tree/xtrace", ignore=_skip)
    shutil.copytree(HERE, stage / "tree/tests/lab", ignore=_skip)
    (stage / "tree/tests/__init__.py").touch()
    shutil.copy(HERE / "init.sh", stage / "init.sh")
    (stage / "run.sh").write_text(script)
    (stage / "hostname").write_text(f"{image.release.suite}\n")
    compile_all(image, stage / "tree")
    with tarfile.open(target, "w") as archive:
        archive.add(stage, ".")
        archive.add(dependencies(image), "deps")
        for name, path in files.items():
            archive.add(path, name)
    shutil.rmtree(stage)


def dependencies(image: Image) -> Path:
    """Return the folder of xtrace's dependencies for the guests of *image*."""

    def make(work: Path) -> None:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--root-user-action=ignore"]
        command += ["--no-deps", "--only-binary=:all:", "--python-version=3.9", "--target", str(work)]
        done = subprocess.run([*command, *DEPENDENCIES], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"pip cannot fetch the guest's dependencies:\n{done.stderr}")
        compile_all(image, work)

    return cache.kept("deps", image.release.suite, cache.digest(*DEPENDENCIES), make)


def compile_all(image: Image, folder: Path) -> None:
    """Compile *folder* with the guest's Python, which would be slow in the guest.

    A source that does not compile is left to fail where it is imported.
    """
    where = "/mnt/python"
    command = ["python3", "-m", "compileall", "-q", "--invalidation-mode=unchecked-hash", where]
    chroot.run(image, command, binds={folder: where})


def _skip(_folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name == "__pycache__" or name.startswith(".")}
