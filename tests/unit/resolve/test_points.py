"""Tracepoints, timers, counters, user programs: from what is written to what a host has."""

from __future__ import annotations

import pytest

from tests.unit.elf.elf_builder import TEXT, Part, Sym, elf, usdt_note
from tests.unit.resolve.places import located, refusal
from xtrace.core.attach import Begin, Interval, PerfEvent, Profile, Tracepoint, Uprobe, Usdt
from xtrace.core.resolve.points import by_layout
from xtrace.testing.hosts import FakeHost

EVENTS = {
    "sched:sched_switch": {"prev_pid": "int", "next_pid": "int"},
    "sched:sched_wakeup": {"pid": "int"},
    "sched:sched_wakeup_new": {"pid": "int"},
    "ftrace:print": {"ip": "unsigned long"},
}
PROGRAM = elf(
    [Sym("main", 0), Sym("run_a", 32), Sym("run_b", 64), Sym("fast", 96, kind=10)],
    Part(".note.stapsdt", 7, usdt_note("app", "go", 4, "-4@%edi") + usdt_note("app", "go", 8, "-4@%esi")
         + usdt_note("lib", "stop", 12, "")),
)  # fmt: skip
HOST = FakeHost(
    events=EVENTS, facts={"tracefs.path": "/t"}, binaries={"/bin/app": PROGRAM, "/bin/script": b"#!/bin/sh"}
)


# --- timers and counters ---------------------------------------------------------------------------------------------


def test_timers() -> None:
    assert located("begin", HOST).points == (Begin(),)
    assert located("interval:ms:100", HOST).points == (Interval("interval:ms:100", 100_000_000),)
    assert located("interval:hz:4", HOST).points == (Interval("interval:hz:4", 250_000_000),)
    assert located("profile:hz:99", HOST).points == (Profile("profile:hz:99", 99),)
    assert located("profile:us:50", HOST).points == (Profile("profile:us:50", 0, 50_000),)


def test_counters() -> None:
    assert located("software:faults:10", HOST).points == (PerfEvent("software:faults:10", False, "faults", 10),)
    assert located("hardware:cycles", HOST).points == (PerfEvent("hardware:cycles", True, "cycles", 1_000_000),)
    assert refusal("software:fault", HOST) == ("XT0511", "absent", "did you mean faults or page-faults?")


def test_probes_that_xtrace_does_not_have_are_refused_by_name() -> None:
    code, state, _ = refusal("watchpoint:0x1000:8:rw", HOST)
    assert (code, state) == ("XT0509", "unsupported")


# --- tracepoints -----------------------------------------------------------------------------------------------------


def test_a_tracepoint_has_the_fields_of_its_format() -> None:
    (point,) = located("tracepoint:sched:sched_switch", HOST).points
    assert isinstance(point, Tracepoint)
    assert [field.name for field in point.fields] == ["prev_pid", "next_pid"]


def test_an_unknown_tracepoint_gets_near_names() -> None:
    code, state, hint = refusal("tracepoint:sched:sched_swich", HOST)
    assert (code, state) == ("XT0501", "absent")
    assert hint.startswith("did you mean sched:sched_switch")


def test_globs_keep_to_events_that_can_be_enabled() -> None:
    names = [point.name for point in located("tracepoint:*:*", HOST).points]
    assert names == [f"tracepoint:sched:{name}" for name in ("sched_switch", "sched_wakeup", "sched_wakeup_new")]


def test_points_with_the_same_record_go_together() -> None:
    groups = by_layout(located("tracepoint:sched:*", HOST).points)
    assert [[point.name.split(":")[-1] for point in group] for group in groups] == [
        ["sched_switch"], ["sched_wakeup", "sched_wakeup_new"],
    ]  # fmt: skip


def test_unknown_is_not_absent() -> None:
    assert refusal("tracepoint:a:b", FakeHost(facts={"tracefs.path": "/t"}))[:2] == ("XT0503", "unprobed")


def test_without_tracefs_the_hint_is_the_way_to_mount_it() -> None:
    code, _, hint = refusal("tracepoint:a:b", FakeHost(facts={"tracefs.path": False, "caller.uid": 0}))
    assert (code, hint.split()[0]) == ("XT0504", "mount")
    code, _, hint = refusal("tracepoint:a:b", FakeHost(facts={"tracefs.path": False, "caller.uid": 1000}))
    assert (code, "root" in hint) == ("XT0504", True)


# --- user programs ---------------------------------------------------------------------------------------------------


def test_a_function_of_a_program() -> None:
    assert located("uprobe:/bin/app:main", HOST).points == (Uprobe("uprobe:/bin/app:main", "/bin/app", "main", TEXT),)
    (point,) = located("uretprobe:/bin/app:main", HOST).points
    assert isinstance(point, Uprobe)
    assert point.returns


@pytest.mark.parametrize(
    ("written", "offsets"), [("run_*", [TEXT + 32, TEXT + 64]), ("main+4", [TEXT + 4]), ("0x401020", [0x1020])]
)
def test_patterns_offsets_and_addresses(written: str, offsets: list[int]) -> None:
    points = located(f"uprobe:/bin/app:{written}", HOST).points
    assert [point.offset for point in points if isinstance(point, Uprobe)] == offsets


def test_probing_only_the_choice_of_a_variant_is_said() -> None:
    assert "only the choice is probed" in located("uprobe:/bin/app:fast", HOST).notes[0]


@pytest.mark.parametrize(
    ("written", "code", "hint"),
    [
        ("/bin/app:maine", "XT0502", "did you mean main?"),
        ("/bin/app:0x1", "XT0502", ""),
        ("/bin/script:main", "XT0507", "uprobes and USDT probes attach to ELF programs and libraries, not to scripts"),
        ("/bin/none:main", "XT0508", "user programs are not part of a recording; plan this on the host itself"),
        ("no-such-program-here:main", "XT0506", "give the path of a program or library"),
    ],
)
def test_what_a_program_does_not_have(written: str, code: str, hint: str) -> None:
    found = refusal(f"uprobe:{written}", HOST)
    assert (found[0], found[2]) == (code, hint)


def test_all_sites_of_a_usdt_probe_are_one_point() -> None:
    (point,) = located("usdt:/bin/app:app:go", HOST).points
    assert isinstance(point, Usdt)
    assert [site.offset for site in point.sites] == [TEXT + 4, TEXT + 8]
    assert [point.name for point in located("usdt:/bin/app:*", HOST).points] == [
        "usdt:/bin/app:app:go", "usdt:/bin/app:lib:stop",
    ]  # fmt: skip


def test_a_usdt_probe_that_is_not_there() -> None:
    assert refusal("usdt:/bin/app:gone", HOST) == ("XT0502", "absent", "did you mean go?")
