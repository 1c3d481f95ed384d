"""A System.map with a configuration as a host."""

from __future__ import annotations

from pathlib import Path

import pytest

from xtrace.core.errors import XtraceError
from xtrace.core.facts.system_map import import_system_map, is_system_map

MAP = """ffffffff81000000 T _stext
ffffffff81000010 T vfs_read
ffffffff81000020 t init_kprobe_trace
ffffffff81000030 D __tracepoint_sched_switch
ffffffff81000040 D __tracepoint_no_such_event
"""


def written(place: Path, name: str, text: str) -> Path:
    path = place / name
    path.write_text(text)
    return path


def test_it_tells_symbols_events_and_what_the_configuration_says(tmp_path: Path) -> None:
    kernel = written(tmp_path, "System.map-3.10.0-1.el7.x86_64", MAP)
    found = import_system_map(kernel, written(tmp_path, "config", "CONFIG_X86_64=y\nCONFIG_TRACING=y\n"))
    assert (found.release, found.arch) == ("3.10.0-1.el7.x86_64", "x86_64")
    assert found.symbols.lookup("vfs_read")[0].address == 0
    assert found.events() == frozenset(("sched:sched_switch", "?:no_such_event"))
    assert found.fact("kprobe.usable").yes
    assert found.config("CONFIG_NUMA").no


def test_release_and_architecture_come_from_where_they_are_told(tmp_path: Path) -> None:
    config = written(tmp_path, "config-5.10.0-1-arm64", "CONFIG_ARM64=y\n")
    plain = written(tmp_path, "System.map", MAP)
    found = import_system_map(plain, config)
    assert (found.release, found.arch) == ("5.10.0-1-arm64", "aarch64")
    headed = written(tmp_path, "config", "# Linux/x86 6.1.9 Kernel Configuration\nCONFIG_X86_64=y\n")
    assert import_system_map(plain, headed).release == "6.1.9"
    alone = written(tmp_path, "System.map-4.4.0", MAP + "ffffffff81000050 T x86_64_start_kernel\n")
    assert import_system_map(alone, None).arch == "x86_64"


def test_what_cannot_be_told_is_asked_for(tmp_path: Path) -> None:
    kernel = written(tmp_path, "System.map-4.4.0", MAP)
    config = written(tmp_path, "config", "CONFIG_X86_64=y\n")
    for arguments, words in (
        ((kernel, None), "of which architecture"),
        ((written(tmp_path, "System.map", MAP), config), "of which kernel release"),
        ((config, None), r"not a System\.map"),
        ((written(tmp_path, "stub", "ffffffffffffffff B The real System.map is in x-dbg\n"), None), "Debian's stub"),
        ((kernel, kernel), "sets no CONFIG_"),
    ):
        with pytest.raises(XtraceError, match=words) as caught:
            import_system_map(*arguments)
        assert caught.value.diagnostics[0].code == "XT0409"
    assert is_system_map(kernel) and not is_system_map(config)
