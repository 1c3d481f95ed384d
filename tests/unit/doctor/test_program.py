"""The program that canaries probe is what it says it is."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import pytest

from xtrace.core.attach import UsdtArgument
from xtrace.core.elf.file import Elf
from xtrace.doctor.program import FUNCTION, PROBE, PROVIDER, program


@pytest.mark.parametrize(("arch", "operand", "between"), [("x86_64", "%rdi", 1), ("aarch64", "x0", 4)])
def test_function_and_probe_can_be_found(arch: str, operand: str, between: int) -> None:
    elf = Elf.of(program(arch) or b"")
    (note,) = elf.usdt
    assert (note.provider, note.probe) == (PROVIDER, PROBE)
    assert note.site.arguments == (UsdtArgument(8, False, operand),)
    assert note.site.offset == elf.functions[FUNCTION] + between


def test_no_program_for_an_unknown_architecture() -> None:
    assert program("pdp11") is None


@pytest.mark.skipif(program(platform.machine()) is None, reason="this machine's code is not known")
def test_it_runs_and_ends_well(tmp_path: Path) -> None:
    path = tmp_path / "canary"
    path.write_bytes(program(platform.machine()) or b"")
    path.chmod(0o755)
    if not os.access(path, os.X_OK):
        pytest.skip("the temporary directory is mounted noexec")
    assert subprocess.run([str(path)], timeout=60).returncode == 0
