"""Does a kernel serve programs of a second ABI: what a running one says, and what a recording does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.facts.fleet import HOSTS, needs_hosts
from tests.unit.facts.trees import RELEASE, plant
from xtrace.core.facts.live import LiveHost
from xtrace.core.facts.model import Fact, State
from xtrace.core.facts.recorded import import_recorded

BUILT = "CONFIG_IA32_EMULATION=y\n"
OFF = "CONFIG_IA32_EMULATION_DEFAULT_DISABLED=y\n"


def fact(root: Path, config: str, line: str = "quiet", symbols: str = "", arch: str = "x86_64") -> Fact:
    files = {"proc/cmdline": line + "\n", "proc/kallsyms": symbols}
    if config:
        files[f"boot/config-{RELEASE}"] = config
    return LiveHost(str(plant(root, files)), RELEASE, arch).fact("kernel.compat")


@pytest.mark.parametrize(
    ("config", "line", "value"),
    [
        (BUILT, "quiet", ["i386"]),
        (BUILT + "CONFIG_X86_X32_ABI=y\n", "quiet", ["i386", "x32"]),
        ("CONFIG_X=y\n", "quiet", None),
        (BUILT, "ia32_emulation=0", None),
        (BUILT, "ia32_emulation=0 ia32_emulation=on", ["i386"]),
        (BUILT, "ia32_emulation=on ia32_emulation=off", None),
        (BUILT + OFF, "quiet", None),
        (BUILT + OFF, "ia32_emulation=true", ["i386"]),
    ],
)
def test_configuration_and_command_line(config: str, line: str, value: object, tmp_path: Path) -> None:
    found = fact(tmp_path, config, line)
    assert (found.yes, found.no, found.value) == (value is not None, value is None, value)
    assert found.evidence


def test_functions_speak_where_the_configuration_is_not_known(tmp_path: Path) -> None:
    assert fact(tmp_path, "", symbols="0000000000000010 T do_fast_syscall_32\n").value == ["i386"]


def test_without_either_it_is_not_known(tmp_path: Path) -> None:
    assert fact(tmp_path, "").state is State.UNPROBED


@pytest.mark.parametrize(
    ("arch", "config", "value"),
    [("aarch64", "CONFIG_COMPAT=y\n", ["arm"]), ("aarch64", "CONFIG_X=y\n", None), ("armv7l", "CONFIG_X=y\n", None)],
)
def test_other_architectures(arch: str, config: str, value: object, tmp_path: Path) -> None:
    found = fact(tmp_path, config, arch=arch)
    assert (found.value, found.no) == (value, value is None)


@needs_hosts
@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("rhel-7.9-live", State.PRESENT),
        ("debian-12", State.PRESENT),
        ("debian-11-arm64", State.PRESENT),
        ("ubuntu-20.04-armhf-depsurf", State.ABSENT),
        ("debian-11-s390x", State.UNPROBED),
    ],
)
def test_recorded_hosts(name: str, state: State) -> None:
    assert import_recorded(HOSTS / name).fact("kernel.compat").state is state
