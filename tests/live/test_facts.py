"""Facts of this machine as root: laziness, trials that leave nothing, five states, non-root."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from xtrace.core.facts.bundle import read_bundle, write_bundle
from xtrace.core.facts.collector import collector_script, import_collected
from xtrace.core.facts.files import HostFiles
from xtrace.core.facts.live import LiveHost
from xtrace.core.facts.model import HostFacts, State
from xtrace.core.facts.trials import TRIALS, Setting, attempt, settings
from xtrace.core.types import Int, Pointer, Space, Struct

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: tracefs and trials"),
]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def host() -> LiveHost:
    found = LiveHost()
    if not found.fact("tracefs.path").yes:
        pytest.skip("needs a mounted tracefs")
    return found


class Watched(HostFiles):
    """Remembers which files were read."""

    def __init__(self) -> None:
        super().__init__("/")
        self.seen: list[str] = []

    def read(self, path: str) -> bytes:
        self.seen.append(path)
        return super().read(path)


def test_a_trace_reads_only_what_it_asks_for(host: LiveHost) -> None:
    files = Watched()
    watched = LiveHost(files=files)
    assert files.seen == []
    assert watched.event_format("sched", "sched_switch") is not None
    assert files.seen == ["/proc/mounts", f"{host.tracefs.value}/events/sched/sched_switch/format"]
    watched.event_format("sched", "sched_wakeup")
    assert len(files.seen) == 3


def snapshot(host: LiveHost) -> dict[str, object]:
    """Everything of our own that a trial could leave in tracefs."""
    own = f"xtrace_{os.getpid()}_"
    found: dict[str, object] = {"instances": [n for n in host.files.names(host.tracing("instances")) if own in n]}
    for name in ("kprobe_events", "uprobe_events", "dynamic_events", "synthetic_events"):
        if host.files.exists(host.tracing(name)).yes:
            lines = host.files.text(host.tracing(name)).splitlines()
            found[name] = [line for line in lines if own in line]
    return found


def test_trials_leave_nothing(host: LiveHost) -> None:
    before = snapshot(host)
    assert all(value == [] for value in before.values())
    found = dict(settings(host))
    for name, trial in TRIALS.items():
        if not isinstance(trial, Setting):
            found[name] = attempt(host, trial)
        assert found[name].state in State
        assert found[name].evidence, name
    assert snapshot(host) == before


def test_a_refused_definition_has_the_kernels_own_words(host: LiveHost) -> None:
    refused = [attempt(host, trial) for trial in TRIALS.values() if not isinstance(trial, Setting)]
    for fact in refused:
        if fact.state is State.UNSUPPORTED:
            assert fact.errno
            assert "gives E" in fact.evidence


def test_readme_alone_is_not_believed(host: LiveHost) -> None:
    """The README of a kernel without kprobes lists what only they take."""
    if host.fact("tracefs.kprobe_events").yes:
        pytest.skip("this kernel has kprobes, so its README does not lie about them")
    assert "$arg<N>" in str(host.fact("tracefs.readme").value)
    assert host.fact("tracefs.fetch.arg_n").no
    assert host.fact("kprobe.usable").no


def lasting(host: HostFacts) -> set[str]:
    """Events but for those that other sessions of xtrace define meanwhile."""
    return {name for name in host.events() or () if not name.startswith("xtrace_")}


def test_all_events_have_formats(host: LiveHost) -> None:
    events = lasting(host)
    assert events
    formats = {name: host.event_format(*name.split(":")) for name in events}
    assert [name for name, found in formats.items() if found is None] == []
    openat = formats.get("syscalls:sys_enter_openat")
    if openat:
        assert {m.name: m.type for m in openat.fields}["filename"] == Pointer(Int(1, True), Space.USER)


def test_types_of_the_kernel(host: LiveHost) -> None:
    if not host.fact("bpf.btf").yes:
        pytest.skip("needs /sys/kernel/btf/vmlinux")
    member = host.types.member("task_struct", "real_parent")
    assert member is not None
    assert isinstance(member.type, Pointer)
    assert isinstance(member.type.to, Struct)
    assert host.types.enumerator("TCP_ESTABLISHED") == 1
    prototype = host.types.prototype("vfs_read")
    assert prototype is not None
    assert [name for name, _ in prototype.parameters] == ["file", "buf", "count", "pos"]


def test_btf_agrees_with_format_files(host: LiveHost) -> None:
    """Two accounts of one record by the same kernel: `trace_event_raw_CLASS` and the format file."""
    if not host.fact("bpf.btf").yes:
        pytest.skip("needs /sys/kernel/btf/vmlinux")
    compared = 0
    for event in ("sched_switch", "sched_process_fork", "kfree_skb", "inet_sock_set_state", "signal_generate"):
        system = next((name.split(":")[0] for name in host.events() or () if name.endswith(f":{event}")), None)
        found = host.event_format(system, event) if system else None
        for field in found.fields if found else ():
            if field.location == "inline":
                member = host.types.member(f"trace_event_raw_{event}", field.name)
                assert member is not None
                assert (member.offset, member.size) == (field.offset, field.size), f"{event}.{field.name}"
                compared += 1
    assert compared > 20


AS_NOBODY = """
import ctypes, grp, json, os, zlib
from xtrace.core.facts.live import LiveHost
from xtrace.core.facts import conclusive, files
LiveHost("/nonexistent").facts()  # loads every module while they can still be read
os.setgroups([]); os.setgid(65534); os.setuid(65534)
host = LiveHost()
print(json.dumps({name: [fact.state.value, fact.errno] for name, fact in host.facts().items()}))
"""


def test_nobody_is_denied_never_told_no(host: LiveHost) -> None:
    done = subprocess.run([sys.executable, "-c", AS_NOBODY], cwd=ROOT, capture_output=True, text=True, check=True)
    facts = json.loads(done.stdout)
    for name, fact in host.facts().items():
        state = facts[name][0]
        if fact.yes and name.startswith(("tracefs.", "kprobe.", "uprobe.", "bpf.", "perf.")):
            assert state in ("present", "denied", "unprobed"), name
    if Path(str(host.tracefs.value)).stat().st_mode & 0o005 == 0:
        assert facts["tracefs.readme"] == ["denied", 13]
        assert facts["tracefs.kprobe_events"] == ["denied", 13]
    assert facts["tracefs.hist_triggers"][0] == "denied"
    assert facts["tracefs.path"][0] == "present"


def test_a_bundle_of_this_machine_answers_alike(host: LiveHost, tmp_path: Path) -> None:
    path = tmp_path / "host.xfacts"
    with path.open("wb") as stream:
        write_bundle(host, stream)
    read = read_bundle(path)
    assert lasting(read) == lasting(host)
    for name, fact in host.facts().items():
        if fact.state in (State.PRESENT, State.ABSENT, State.UNSUPPORTED) and isinstance(fact.value, (bool, int, list)):
            assert (read.fact(name).state, read.fact(name).value) == (fact.state, fact.value), name
    assert os.uname().nodename not in path.read_bytes().decode("latin-1") or len(os.uname().nodename) <= 3


def test_the_collector_sees_what_xtrace_sees(host: LiveHost, tmp_path: Path) -> None:
    script, output = tmp_path / "collect.sh", tmp_path / "host.txt"
    script.write_text(collector_script())
    with output.open("wb") as stream:
        subprocess.run(["sh", str(script)], stdout=stream, check=True)
    with output.open("rb") as stream:
        collected = import_collected(stream)
    assert lasting(collected) == lasting(host)
    assert collected.event_format("sched", "sched_switch") == host.event_format("sched", "sched_switch")
    assert collected.types.struct("task_struct") == host.types.struct("task_struct")
    for name, fact in host.facts().items():
        other = collected.fact(name)
        if fact.yes and name.startswith("tracefs.") and name not in TRIALS and name != "tracefs.instance_options":
            assert other.yes, f"{name}: {other.evidence}"
            if name != "tracefs.buffer_size_kb":
                assert other.value == fact.value, name


def test_starting_costs_little(host: LiveHost) -> None:
    """A bound ten times over what is measured, to notice that somebody reads kallsyms at the start."""
    begun = time.perf_counter()
    LiveHost().event_format("sched", "sched_switch")
    assert time.perf_counter() - begun < 0.05
