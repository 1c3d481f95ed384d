"""The recorded fleet: what each recording says, what is composed, and what stays unknown."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tests.unit.facts.fleet import HOSTS, needs_hosts
from xtrace.core.errors import XtraceError
from xtrace.core.facts.bundle import read_bundle
from xtrace.core.facts.model import State
from xtrace.core.facts.recorded import import_recorded, recorded_fleet, write_fleet
from xtrace.core.facts.recording import RecordedHost
from xtrace.core.types import Enumerated, Int, Pointer, Space, String


@cache
def host(name: str) -> RecordedHost:
    return import_recorded(HOSTS / name)


@needs_hosts
def test_every_folder_is_a_host_whose_facts_all_answer() -> None:
    fleet = recorded_fleet(HOSTS)
    assert len(fleet) == sum(entry.is_dir() for entry in HOSTS.iterdir())
    for name, load in fleet.items():
        found = load()
        facts = found.facts()
        assert found.release, name
        assert facts["kernel.release"].value == found.release
        assert facts["bcc.python"].state is State.UNPROBED, "a recording cannot know what is installed"
        for fact in facts.values():
            assert fact.evidence
        assert found.events(), name


@needs_hosts
@pytest.mark.parametrize(
    ("name", "there"),
    [("rhel-6.10", False), ("centos-7.5", False), ("rhel-7.6", True), ("centos-7.9", True), ("debian-12", True)],
)
def test_bpf_came_to_rhel_with_7_6(name: str, there: bool) -> None:
    fact = host(name).fact("bpf.syscall")
    assert (fact.yes, fact.no) == (there, not there)
    assert "composed" in fact.evidence


@needs_hosts
def test_where_tracing_lives() -> None:
    assert host("centos-7.9").fact("tracefs.path").value == "/sys/kernel/debug/tracing"
    assert host("centos-8.3").fact("tracefs.path").value == "/sys/kernel/tracing"


@needs_hosts
@pytest.mark.parametrize(
    ("name", "fact", "state"),
    [
        ("rhel-6.10", "uprobe.usable", State.ABSENT),
        ("centos-7.9", "tracefs.set_event_pid", State.ABSENT),
        ("centos-8.3", "tracefs.set_event_pid", State.PRESENT),
        ("debian-11", "tracefs.hist_triggers", State.ABSENT),
        ("debian-12", "tracefs.hist_triggers", State.PRESENT),
        ("centos-8.3", "tracefs.hist_variables", State.PRESENT),
        ("debian-11", "tracefs.hist_variables", State.ABSENT),
        ("centos-8.3", "tracefs.fetch.arg_n", State.ABSENT),
        ("debian-11", "tracefs.fetch.arg_n", State.PRESENT),
        ("centos-8.3", "bpf.ringbuf", State.ABSENT),
        ("rhel-8.5", "bpf.ringbuf", State.PRESENT),
        ("debian-12", "bpf.kprobe_multi", State.ABSENT),
        ("debian-13", "bpf.kprobe_multi", State.PRESENT),
        ("dev-6.18", "kprobe.usable", State.ABSENT),
        ("dev-6.18", "uprobe.usable", State.PRESENT),
        ("debian-13", "tracefs.fprobe_events", State.PRESENT),
        ("debian-12", "tracefs.fprobe_events", State.ABSENT),
        ("ubuntu-18.04-depsurf", "bpf.btf", State.ABSENT),
        ("centos-7.9", "kernel.lockdown", State.UNPROBED),
    ],
)
def test_composed_facts(name: str, fact: str, state: State) -> None:
    assert host(name).fact(fact).state is state


@needs_hosts
def test_clocks_are_those_the_kernel_can_read() -> None:
    assert "mono" not in host("centos-7.9").fact("tracefs.clocks").value  # type: ignore[operator]
    assert host("debian-12").fact("tracefs.clocks").value == [
        "local", "global", "counter", "uptime", "perf", "mono", "mono_raw", "boot", "tai",
    ]  # fmt: skip


@needs_hosts
def test_fields_come_from_classes() -> None:
    with_reason = host("ubuntu-24.04-depsurf").event_format("skb", "kfree_skb")
    without = host("ubuntu-22.04-depsurf").event_format("skb", "kfree_skb")
    assert with_reason is not None
    assert without is not None
    assert with_reason.fields[-1].name == "reason"
    assert isinstance(with_reason.fields[-1].type, Enumerated)
    assert [member.name for member in without.fields] == ["skbaddr", "location", "protocol"]


@needs_hosts
def test_an_event_takes_the_fields_of_its_class() -> None:
    found = host("debian-12").event_format("sched", "sched_wakeup")
    assert found is not None
    assert found.fields[0].name == "comm"
    assert found.fields[0].type == String(16)


@needs_hosts
def test_system_calls_are_events_where_the_kernel_traces_them() -> None:
    found = host("debian-12").event_format("syscalls", "sys_enter_openat")
    assert found is not None
    assert {member.name: member.type for member in found.fields}["filename"] == Pointer(Int(1, True), Space.USER)
    assert "syscalls:sys_exit_openat" in (host("debian-12").events() or ())
    assert "syscalls:sys_enter_openat2" not in (host("centos-8.3").events() or ())


@needs_hosts
def test_partial_configurations_answer_only_for_what_they_list() -> None:
    assert host("debian-12").config("CONFIG_KPROBE_EVENTS").yes
    assert host("debian-11").config("CONFIG_HIST_TRIGGERS").no
    assert host("debian-11").config("CONFIG_NUMA").state is State.UNPROBED


@needs_hosts
def test_inline_truth_comes_along() -> None:
    assert host("ubuntu-22.04-depsurf").inline["tcp_drop"].startswith("F")


@needs_hosts
def test_the_fleet_is_written_by_one_call(tmp_path: Path) -> None:
    source = tmp_path / "hosts"
    source.mkdir()
    for name in ("debian-12", "rhel-7.9-live"):
        (source / name).symlink_to(HOSTS / name)
    written = list(write_fleet(source, tmp_path / "bundles"))
    assert [path.name for path in written] == ["debian-12.xfacts", "rhel-7.9-live.xfacts"]
    read, own = read_bundle(written[0]).facts(), host("debian-12").facts()
    assert {name: (fact.state, fact.value) for name, fact in read.items()} == {
        name: (fact.state, fact.value) for name, fact in own.items()
    }


# --- the live capture -------------------------------------------------------------------------------------------------


@needs_hosts
@pytest.mark.parametrize(
    ("fact", "state"),
    [
        ("kprobe.usable", State.PRESENT),
        ("uprobe.usable", State.PRESENT),
        ("tracefs.fetch.string", State.PRESENT),
        ("tracefs.fetch.memory", State.PRESENT),
        ("tracefs.fetch.comm", State.UNSUPPORTED),
        ("tracefs.fetch.ustring", State.UNSUPPORTED),
        ("tracefs.maxactive", State.UNSUPPORTED),
        ("tracefs.same_event_many_probes", State.UNSUPPORTED),
        ("uprobe.ref_ctr", State.UNSUPPORTED),
        ("tracefs.instance_options", State.ABSENT),
        ("tracefs.eprobes", State.ABSENT),
        ("bpf.prog.kprobe", State.PRESENT),
        ("bpf.raw_tracepoint", State.UNSUPPORTED),
        ("bpf.bounded_loops", State.UNSUPPORTED),
        ("kprobe.pmu", State.PRESENT),
    ],
)
def test_the_capture_of_rhel_7_9_says_what_was_tried(fact: str, state: State) -> None:
    found = host("rhel-7.9-live").fact(fact)
    assert found.state is state
    assert "composed" not in found.evidence


@needs_hosts
def test_the_capture_of_rhel_7_9_has_everything_else() -> None:
    found = host("rhel-7.9-live")
    assert found.release == "3.10.0-1160.el7.x86_64"
    assert found.fact("tracefs.path").value == "/sys/kernel/debug/tracing"
    assert found.fact("tracefs.clocks").value == ["local", "global", "counter", "uptime", "perf", "x86-tsc"]
    assert found.symbols.lookup("tcp_drop")
    assert found.filterable("vfs_read").yes
    assert found.config("CONFIG_KPROBE_EVENTS").yes
    assert found.config("CONFIG_DEBUG_INFO_BTF").no
    formats = [found.event_format(*name.split(":")) for name in found.events() or ()]
    assert len([made for made in formats if made]) == 1447


# --- other imports ----------------------------------------------------------------------------------------------------


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(XtraceError, match=r"neither a meta\.json"):
        import_recorded(tmp_path)
    (tmp_path / "meta.json").write_text("{")
    with pytest.raises(XtraceError, match="not JSON"):
        import_recorded(tmp_path)
