"""SystemTap modules for guests, compiled natively in a chroot of the image and cached."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.lab import cache, chroot
from tests.lab.boot import Job, boot
from tests.lab.errors import LabError
from tests.lab.images import Image, say
from xtrace.backends.systemtap import modules

COMPILE_SECONDS = 900
"""The first tracepoint script on a kernel tries every tracepoint header: two minutes and more."""


def compiled(image: Image, scripts: Iterable[str], into: Path) -> None:
    """Put each script's module into *into*, or stap's complaint where it refuses the script.

    The module of a script is there under two names: the script's SHA-256, by which it is looked
    up, and the kernel's name of the module, which staprun reads from the file's name.
    """
    into.mkdir(exist_ok=True)
    wanted = {modules.digest(script): script for script in scripts}
    if not wanted:
        return
    stamp = f"{image.folder.name.rpartition('-')[2]}-{image.uname}"
    home = cache.kept("stap", image.release.suite, stamp, _new_home)
    with cache.lock(f"stap-{image.release.suite}-compile"):
        _install_symbols(image, home)
        for name, script in wanted.items():
            result = _compile(image, home, name, script)
            shutil.copy(result, into / result.name)
            if result.suffix == ".ko":
                shutil.copy(result, into / f"{modules.module_name(script)}.ko")


def _new_home(work: Path) -> None:
    (work / "systemtap").mkdir()


def _compile(image: Image, home: Path, name: str, script: str) -> Path:
    """Return the module of *script*, or the file with stap's complaint, from the cache if it is there."""
    module, refusal = home / f"{name}.ko", home / f"{name}.log"
    done = next((path for path in (module, refusal) if path.exists()), None)
    if done:
        return done
    with tempfile.TemporaryDirectory(dir=home) as folder:
        work = Path(folder)
        (work / "script.stp").write_text(script)
        say(f"compiling a SystemTap script for {image.uname}")
        ended = chroot.run(
            image,
            ["sh", "-c", _BUILD, "build", image.uname, modules.module_name(script), *modules.OPTIONS],
            binds={work: "/mnt/work", home / "systemtap": "/mnt/systemtap"},
            environment={"SYSTEMTAP_DIR": "/mnt/systemtap", "HOME": "/mnt/work"},
            timeout=COMPILE_SECONDS,
        )
        built = work / module.name.replace(name, modules.module_name(script))
        if ended.returncode == 0 and built.exists():
            return built.rename(module)
        if ended.returncode != 1:
            raise LabError(f"stap in the {image.release.suite} image ended with {ended.returncode}:\n{ended.stderr}")
        refusal.write_text(ended.stdout + ended.stderr)
        return refusal


# stap leaves a module that has a name (-m) in the working directory.
_BUILD = """
cd /mnt/work
release=$1 name=$2
shift 2
exec stap -p4 -r "$release" -m "$name" "$@" script.stp
"""


def _install_symbols(image: Image, home: Path) -> None:
    """Give stap the kernel's function names, which it reads only from a System.map; Debian's is a stub."""
    names = home / "System.map"
    if not names.exists():
        say(f"reading the symbols of {image.uname} from a guest")
        with tempfile.TemporaryDirectory(dir=home) as out:
            job = Job("cat /proc/kallsyms >/lab/out/kallsyms")
            if boot(image, job, Path(out), lambda _output: None).status != 0:
                raise LabError(f"kernel {image.release.kernel} does not show its symbols")
            listed = (Path(out) / "kallsyms").read_text().splitlines()
        # Lines with a fourth column are of modules.
        part = home / "System.map.part"
        part.write_text("".join(f"{line}\n" for line in listed if len(line.split()) == 3))
        part.rename(names)
    for place in (f"usr/src/linux-headers-{image.uname}/System.map", f"usr/lib/debug/boot/System.map-{image.uname}"):
        target = image.root / place
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(names, target)
