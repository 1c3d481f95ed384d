"""The C programs as a reviewer reads them: tests/golden/bcc/*.c, checked by clang where there is one."""

from __future__ import annotations

import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from tests.unit.bcc.programs import ALL
from xtrace.backends.bcc.handler import Host
from xtrace.backends.bcc.lower import lower
from xtrace.backends.bcc.render import program

GOLDEN = Path(__file__).parents[2] / "golden" / "bcc"
HERE = Path(__file__).parent
DEFINITIONS = ("-DXTRACE_LINUX_VERSION=0", "-DXTRACE_START=0ULL", "-DXTRACE_BOOT_OFFSET=0ULL", "-DXTRACE_CPUS=1ULL")


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_program(name: str, arch: str, update_golden: bool) -> None:
    text = program(lower(ALL[name](), Host(arch, boot_clock=arch == "x86_64")))
    path = GOLDEN / f"{name}.{arch}.c"
    if update_golden:
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.skipif(shutil.which("clang") is None, reason="no clang")
@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.c")), ids=lambda path: path.name)
def test_clang_takes_it(path: Path) -> None:
    include = files("xtrace.backends.bcc") / "headers" / "include"
    command = ["clang", "-target", "bpf", "-fsyntax-only", "-Wall", "-Werror", "-Wno-unused", f"-I{include}"]
    command += [*DEFINITIONS, "-include", str(HERE / "bcc_macros.h"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
