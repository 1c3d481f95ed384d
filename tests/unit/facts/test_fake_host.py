"""The fake host is a host like any other, with fields where the kernel would lay them."""

from __future__ import annotations

import pytest

from xtrace.core.facts.bundle import bundle_files
from xtrace.core.facts.live import LiveHost
from xtrace.core.facts.model import HostFacts, State
from xtrace.core.facts.recording import RecordedHost
from xtrace.core.types import Int, Member, Pointer, Space, String
from xtrace.testing.hosts import FakeHost, FakeTypes


def is_host(host: HostFacts) -> HostFacts:
    """For the type checker: each of these implements the contract."""
    return host


def test_all_three_are_hosts() -> None:
    fake = FakeHost()
    hosts = [is_host(fake), is_host(LiveHost("/nonexistent")), is_host(RecordedHost(bundle_files(fake), "fake"))]
    assert [host.recorded for host in hosts] == [True, False, True]


def test_fields_are_laid_out() -> None:
    host = FakeHost(events={"sched:sched_switch": {"prev_comm": "char[16]", "ok": "bool", "prev_pid": "int"}})
    found = host.event_format("sched", "sched_switch")
    assert found is not None
    assert found.fields[0] == Member("prev_comm", String(16), 8, 16)
    assert found.fields[2] == Member("prev_pid", Int(4, True), 28, 4)
    assert host.events() == frozenset(("sched:sched_switch",))


def test_system_calls_store_eight_bytes_each() -> None:
    host = FakeHost(events={"syscalls:sys_enter_x": {"__syscall_nr": "int", "fd": "int", "path": "const char *"}})
    found = host.event_format("syscalls", "sys_enter_x")
    assert found is not None
    assert [(member.offset, member.size) for member in found.fields] == [(8, 4), (16, 8), (24, 8)]
    assert found.fields[2].type == Pointer(Int(1, True), Space.USER)


def test_what_is_not_given_is_unprobed() -> None:
    host = FakeHost(facts={"bpf.syscall": True, "kprobe.usable": False, "tracefs.path": "/t", "bpf.btf": State.DENIED})
    assert host.fact("bpf.syscall").yes
    assert host.fact("kprobe.usable").no
    assert host.fact("tracefs.path").value == "/t"
    assert host.fact("bpf.btf").state is State.DENIED
    assert host.fact("bpf.ringbuf").state is State.UNPROBED
    assert host.config("CONFIG_BPF").state is State.UNPROBED
    assert host.filterable("x").state is State.UNPROBED
    with pytest.raises(KeyError):
        FakeHost(facts={"no.such": True})


def test_types() -> None:
    types = FakeTypes(
        structs={"pair": {"a": "char", "b": "long"}},
        enums={"e": {"A": 1}},
        prototypes={"f": ("struct pair *p", "long")},
    )
    assert types.member("pair", "b") == Member("b", Int(8, True), 8, 8)
    assert types.enumerator("A") == 1
    prototype = types.prototype("f")
    assert prototype is not None
    assert prototype.result == Int(8, True)
