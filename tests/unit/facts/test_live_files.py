"""A live host over a planted tree: what files say, and what their absence does not say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.facts.trees import FILES, RELEASE, plant
from xtrace.core.facts.catalog import CATALOG
from xtrace.core.facts.live import LiveHost
from xtrace.core.facts.model import State
from xtrace.core.facts.observe import probes
from xtrace.core.types import Pointer, Void


@pytest.fixture
def host(tmp_path: Path) -> LiveHost:
    return LiveHost(str(plant(tmp_path)), RELEASE, "x86_64")


def test_every_fact_has_a_probe_and_every_probe_a_fact() -> None:
    assert [name for name in CATALOG if name not in probes(name)] == []
    assert {name for one in CATALOG for name in probes(one)} == set(CATALOG)


def test_unknown_facts_raise_with_near_names(host: LiveHost) -> None:
    with pytest.raises(KeyError, match=r"tracefs\.path"):
        host.fact("tracefs.pth")


def test_nothing_is_read_on_construction(tmp_path: Path) -> None:
    LiveHost(str(tmp_path / "not there"))


def test_files_answer(host: LiveHost) -> None:
    assert host.fact("os.id").value == "debian"
    assert host.fact("tracefs.path").value == "/sys/kernel/tracing"
    assert host.fact("tracefs.clocks").value == ["local", "global", "boot"]
    assert host.fact("kernel.perf_event_paranoid").value == 3
    assert host.fact("tracefs.instances").yes
    assert host.fact("tracefs.set_event_pid").state is State.ABSENT
    assert host.fact("tracefs.set_event_pid").errno == 2


def test_what_needs_this_machine_is_unprobed(host: LiveHost) -> None:
    for name in ("bpf.syscall", "caller.uid", "kprobe.usable", "tracefs.hist_triggers", "bcc.python"):
        assert host.fact(name).state is State.UNPROBED, name


def test_all_facts_answer(host: LiveHost) -> None:
    facts = host.facts()
    assert set(facts) == set(CATALOG)
    assert all(fact.evidence for fact in facts.values())


def test_events(host: LiveHost) -> None:
    assert host.events() == frozenset(("sched:sched_switch", "skb:kfree_skb"))
    found = host.event_format("skb", "kfree_skb")
    assert found is not None
    assert found.fields[0].type == Pointer(Void())
    assert host.event_format("skb", "nothing") is None
    assert host.event_format("../skb", "kfree_skb") is None


def test_configuration(host: LiveHost) -> None:
    assert host.config("CONFIG_BPF").value == "y"
    assert host.config("CONFIG_HZ").value == "250"
    assert host.config("CONFIG_CC_VERSION_TEXT").value == "gcc 10"
    assert host.config("CONFIG_X").state is State.ABSENT


def test_configuration_of_el7_has_older_names(tmp_path: Path) -> None:
    plant(tmp_path, {f"boot/config-{RELEASE}": "CONFIG_KPROBE_EVENT=y\n"})
    found = LiveHost(str(tmp_path), RELEASE).config("CONFIG_KPROBE_EVENTS")
    assert found.yes
    assert "CONFIG_KPROBE_EVENT=y" in found.evidence


def test_a_damaged_configuration_is_not_an_answer(tmp_path: Path) -> None:
    plant(tmp_path, {"proc/config.gz": b"\x1f\x8b\x08nonsense"})
    found = LiveHost(str(tmp_path), RELEASE).config("CONFIG_BPF")
    assert found.state is State.UNPROBED
    assert "config.gz" in found.evidence


def test_no_configuration_is_not_an_answer(tmp_path: Path) -> None:
    assert LiveHost(str(tmp_path), RELEASE).config("CONFIG_BPF").state is State.UNPROBED


def test_functions(host: LiveHost) -> None:
    assert host.filterable("vfs_read").yes
    assert host.filterable("vfs_write").no
    assert host.blacklisted("do_int3").yes
    assert host.blacklisted("vfs_read").no


def test_an_empty_list_of_functions_says_nothing(tmp_path: Path) -> None:
    files = {**FILES, "sys/kernel/tracing/available_filter_functions": ""}
    host = LiveHost(str(plant(tmp_path, files)), RELEASE)
    assert host.filterable("vfs_write").state is State.UNPROBED


def test_a_missing_blacklist_says_nothing(tmp_path: Path) -> None:
    files = {name: text for name, text in FILES.items() if "blacklist" not in name}
    host = LiveHost(str(plant(tmp_path, files)), RELEASE)
    assert host.blacklisted("vfs_read").state is State.UNPROBED


def test_the_blacklist_shows_in_kallsyms(tmp_path: Path) -> None:
    files = {**FILES, "proc/kallsyms": "0 t vfs_read\n0 d _kbl_addr_do_int3\n"}
    del files["sys/kernel/debug/kprobes/blacklist"]
    host = LiveHost(str(plant(tmp_path, files)), RELEASE)
    assert host.blacklisted("do_int3").yes
    assert host.blacklisted("vfs_read").no


def test_tracefs_before_it_was_a_file_system(tmp_path: Path) -> None:
    plant(tmp_path, {"proc/mounts": "d /my\\040debug debugfs rw 0 0\n", "my debug/tracing/README": "x"})
    assert LiveHost(str(tmp_path), RELEASE).fact("tracefs.path").value == "/my debug/tracing"


def test_no_tracefs_makes_its_facts_absent(tmp_path: Path) -> None:
    plant(tmp_path, {"proc/mounts": "proc /proc proc rw 0 0\n"})
    host = LiveHost(str(tmp_path), RELEASE)
    assert host.fact("tracefs.kprobe_events").state is State.ABSENT
    assert host.events() is None


def test_old_release_files(tmp_path: Path) -> None:
    plant(tmp_path, {"etc/redhat-release": "Red Hat Enterprise Linux Server release 6.8 (Santiago)\n"})
    host = LiveHost(str(tmp_path), "2.6.32-642.el6.x86_64")
    assert (host.fact("os.id").value, host.fact("os.version").value) == ("rhel", "6.8")


def test_headers_of_another_kernel_do_not_match(tmp_path: Path) -> None:
    header = f"lib/modules/{RELEASE}/build/include/generated/utsrelease.h"
    plant(tmp_path, {header: '#define UTS_RELEASE "6.1.0-1"\n'})
    found = LiveHost(str(tmp_path), RELEASE).fact("kernel.headers")
    assert found.no
    assert found.value == {"path": f"/lib/modules/{RELEASE}/build", "release": "6.1.0-1", "matches": False}


def test_a_staprun_of_others_is_told_from_none(tmp_path: Path) -> None:
    assert LiveHost(str(tmp_path), RELEASE).fact("staprun.path").state is State.ABSENT
    plant(tmp_path, {"usr/bin/staprun": "not executable"})
    assert LiveHost(str(tmp_path), RELEASE).fact("staprun.path").state is State.DENIED
    (tmp_path / "usr/bin/staprun").chmod(0o755)
    assert LiveHost(str(tmp_path), RELEASE).fact("staprun.path").value == "/usr/bin/staprun"


def test_a_stub_system_map_is_told_from_a_real_one(tmp_path: Path) -> None:
    plant(tmp_path, {f"boot/System.map-{RELEASE}": "ffffffffffffffff B The real System.map is elsewhere\n"})
    assert LiveHost(str(tmp_path), RELEASE).fact("kernel.system_map").value == {
        "path": f"/boot/System.map-{RELEASE}",
        "stub": True,
    }
    plant(tmp_path, {f"usr/lib/debug/boot/System.map-{RELEASE}": "0 T x\n" * 2000})
    assert LiveHost(str(tmp_path), RELEASE).fact("kernel.system_map").yes


@pytest.mark.parametrize(
    ("files", "state", "value"),
    [
        ({"sys/kernel/security/lockdown": "none [integrity] confidentiality\n"}, State.PRESENT, "integrity"),
        ({"proc/config.gz": b"CONFIG_SECURITY_LOCKDOWN_LSM=y\n"}, State.UNPROBED, None),
        ({"proc/config.gz": b"CONFIG_BPF=y\n"}, State.ABSENT, "none"),
        ({}, State.UNPROBED, None),
    ],
)
def test_lockdown(tmp_path: Path, files: dict[str, str], state: State, value: object) -> None:
    found = LiveHost(str(plant(tmp_path, files)), RELEASE).fact("kernel.lockdown")
    assert (found.state, found.value) == (state, value)


def test_containers_are_noticed(tmp_path: Path) -> None:
    assert LiveHost(str(tmp_path), RELEASE).fact("caller.container").no
    assert LiveHost(str(plant(tmp_path, {".dockerenv": ""})), RELEASE).fact("caller.container").yes
