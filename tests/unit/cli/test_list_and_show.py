"""`xtrace list`, `show`, `plan` and `facts` on a recorded host: nothing of this machine shines through."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.command_lines import Shell


def test_tools_and_events(xtrace: Shell) -> None:
    out = xtrace("list").out
    assert "  execsnoop " in out
    assert "  file.open " in out
    assert {"name", "summary", "columns", "options"} <= set(xtrace.document("list")["tools"][0])


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("tracepoint:sched:*", ["tracepoint:sched:sched_process_exec", "tracepoint:sched:sched_switch"]),
        ("t:sched:sched_sw*", ["tracepoint:sched:sched_switch"]),
        ("tracepoint", ["tracepoint:sched:sched_process_exec", "tracepoint:sched:sched_switch"]),
        ("tracepoint:sched", ["tracepoint:sched:sched_process_exec", "tracepoint:sched:sched_switch"]),
        ("kprobe:vfs_*", ["kprobe:vfs_read", "kprobe:vfs_write"]),
        ("kr:do_exit", ["kretprobe:do_exit"]),
        ("*sched_switch*", ["tracepoint:sched:sched_switch"]),
        ("sched:sched_sw*", ["tracepoint:sched:sched_switch"]),
        ("software:cs", ["software:cs:1000"]),
        ("hardware:cache-*", ["hardware:cache-misses:1000000", "hardware:cache-references:1000000"]),
        ("interval", [f"interval:{unit}:COUNT" for unit in ("s", "ms", "us", "ns", "hz")]),
    ],
)
def test_patterns(xtrace: Shell, bundle: str, pattern: str, names: list[str]) -> None:
    done = xtrace("list", pattern, "--facts", bundle)
    assert done.out.split() == names
    assert done.code == 0


def test_arguments_stand_below_as_bpftrace_has_them(xtrace: Shell, bundle: str) -> None:
    done = xtrace("list", "tracepoint:sched:*", "-v", "--facts", bundle)
    assert done.out.splitlines() == [
        "tracepoint:sched:sched_process_exec",
        "    __data_loc char[] filename",
        "    pid_t pid",
        "tracepoint:sched:sched_switch",
        "    char prev_comm[16]",
        "    pid_t prev_pid",
    ]


def test_bpftraces_own_flags(xtrace: Shell) -> None:
    assert xtrace("trace", "-l", "interval:*").out == xtrace("list", "interval:*").out
    assert xtrace("trace", "-l", "-e", "interval:s:1 { } BEGIN { }").out.split() == ["interval:s:1", "begin"]
    assert xtrace("trace", "--dry-run", "-e", "BEGIN { }").code == 0


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("sched_switch", "tracepoint:sched:sched_switch or sched.switch"),
        ("sched:sched_swich", "tracepoint:sched:sched_switch"),
        ("tracepoint:sched:sched_swich", "tracepoint:sched:sched_switch"),
        ("opensnop", "opensnoop"),
        ("vfs_raed", "vfs_read"),
        ("kprobe:vfs_raed", "vfs_read"),
    ],
)
def test_what_may_have_been_meant(xtrace: Shell, bundle: str, name: str, meant: str) -> None:
    done = xtrace("show", name, "--facts", bundle)
    assert done.code == 2
    assert f"did you mean {meant}" in done.err


def test_a_directory_is_no_host(xtrace: Shell, bundle: str) -> None:
    done = xtrace("show", "vfs_read", "--facts", str(Path(bundle).parent))
    assert (done.code, "xtrace matrix --facts" in done.err) == (2, True)


def test_nothing_matches(xtrace: Shell, bundle: str) -> None:
    done = xtrace("list", "tracepoint:sched:sched_swich", "--facts", bundle)
    assert done.code == 2
    assert "[XT0501]" in done.err
    assert "sched:sched_switch" in done.err


def test_an_event_tells_its_source_and_why_not_the_others(xtrace: Shell, bundle: str) -> None:
    done = xtrace("show", "process.exec", "--facts", bundle)
    assert "ftrace: from source 1" in done.out
    assert "3.10.0-test" in done.out
    by_name = {one["backend"]: one for one in xtrace.document("show", "file.close", "--facts", bundle)["backends"]}
    assert by_name["ftrace"]["serves"] is False
    assert "sys_enter_close" in by_name["ftrace"]["choice"]["passed_over"][0]["reason"]


def test_a_tools_manual(xtrace: Shell, bundle: str) -> None:
    done = xtrace("show", "execsnoop", "--facts", bundle)
    for part in ("Options:", "-n, --name COMM", "Columns:", "Examples:", "process.exec", "1. ftrace: can run it"):
        assert part in done.out


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("kprobe:do_exit", "exact"),
        ("tcp_v4_rcv", "transformed"),
        ("sched:sched_switch", "present"),
    ],
)
def test_a_point_of_the_host(xtrace: Shell, bundle: str, name: str, state: str) -> None:
    assert xtrace.document("show", name, "--facts", bundle)["state"] == state


def test_plan_for_a_recorded_host(xtrace: Shell, bundle: str) -> None:
    plan = xtrace.document("plan", "execsnoop", "--facts", bundle)
    assert plan["chosen"] == "ftrace"
    refused = xtrace("plan", "-e", "tracepoint:sched:nosuch { }", "--facts", bundle)
    assert refused.code == 4
    assert "No backend can run it here." in refused.out


def test_render_writes_files(xtrace: Shell, bundle: str, tmp_path: Path) -> None:
    place = tmp_path / "made"
    done = xtrace("render", "execsnoop", "--backend", "ftrace", "--facts", bundle, "-o", str(place))
    assert done.code == 0
    assert (place / "trace.sh").read_text().startswith("#!")
    assert xtrace("render", "execsnoop", "--backend", "ftrace", "--facts", bundle, "-o", "/proc/x").code == 2


def test_render_needs_no_engine_and_says_what_this_host_lacks(xtrace: Shell, bundle: str) -> None:
    program = ("-e", "tracepoint:sched:sched_switch { @ = count(); }", "--backend", "systemtap", "--facts", bundle)
    assert xtrace("plan", *program).code == 4
    done = xtrace("render", *program)
    assert done.code == 0, done.err
    assert done.out.startswith("// Made by xtrace.")
    assert "warning: this host cannot run it yet: stap" in done.err


def test_a_directory_of_hosts_becomes_a_directory_of_bundles(xtrace: Shell, tmp_path: Path) -> None:
    (tmp_path / "hosts" / "old").mkdir(parents=True)
    (tmp_path / "hosts" / "old" / "meta.json").write_text('{"release": "3.10.0-1", "arch": "x86_64"}')
    asked = xtrace("facts", "--import", str(tmp_path / "hosts"))
    assert asked.code == 2 and "-o DIRECTORY" in asked.err
    assert xtrace("facts", "--import", str(tmp_path / "hosts"), "-o", str(tmp_path / "bundles")).code == 0
    assert "3.10.0-1" in xtrace("facts", "kernel.release", "--facts", str(tmp_path / "bundles/old.xfacts")).out


def test_a_wrong_probe_comes_before_what_engines_lack(xtrace: Shell, bundle: str) -> None:
    done = xtrace("render", "-e", "tracepoint:sched:nosuch { }", "--facts", bundle)
    assert done.code == 4
    assert "-e:1:1: error: there is no tracepoint sched:nosuch" in done.err
    assert done.err.count("error:") == 1


def test_facts_of_a_bundle(xtrace: Shell, bundle: str, tmp_path: Path) -> None:
    assert "3.10.0-test" in xtrace("facts", "kernel.release", "--facts", bundle).out
    copy = tmp_path / "copy.xfacts"
    assert xtrace("facts", "--facts", bundle, "-o", str(copy)).code == 0
    first, second = (xtrace.document("facts", "tracefs", "--facts", path)["facts"] for path in (bundle, str(copy)))
    assert {name: fact["state"] for name, fact in first.items()} == {name: f["state"] for name, f in second.items()}
    assert xtrace("facts", "--script").out.startswith("#!/bin/sh")
