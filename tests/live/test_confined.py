"""Places that give less than a host does: each refusal names what is missing and what to type."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from tests.live.cli_runs import XTRACE, clean, live

pytestmark = live


def confined(setting: str, *words: str) -> subprocess.CompletedProcess[str]:
    """xtrace where a shell has first changed its own view of the machine, or by the program that starts it."""
    return subprocess.run([*shlex.split(setting), *words], capture_output=True, text=True, timeout=60)


def in_mounts(change: str, *words: str) -> subprocess.CompletedProcess[str]:
    """With mounts of its own, which `change` has changed."""
    return confined("unshare -m sh -c", f"{change} && exec {shlex.join([*XTRACE, *words])}")


@pytest.mark.parametrize("words", [["-c", "true"], ["-p", "1"], ["--backend", "bcc", "-c", "true"]])
def test_one_process_of_a_container_is_refused_and_never_silently_unseen(words: list[str]) -> None:
    with clean():
        done = confined("unshare -p -f --mount-proc", *XTRACE, "run", "opensnoop", "-d", "5", *words)
    assert (done.returncode, done.stdout) == (4, "")
    assert "[XT1009]" in done.stderr
    assert "--pid=host" in done.stderr


def test_everything_traced_from_a_container_is_told_whose_ids_it_shows() -> None:
    words = ["trace", "-e", "tracepoint:sched:sched_switch { exit(); }"]
    with clean():
        done = confined("unshare -p -f --mount-proc", *XTRACE, *words)
    assert done.returncode == 0
    assert "warning: process ids are the host's" in done.stderr


def test_a_container_cannot_tell_whose_sessions_have_ended() -> None:
    done = confined("unshare -p -f --mount-proc", *XTRACE, "clean")
    assert (done.returncode, "[XT1009]" in done.stderr) == (4, True)


def test_a_tracefs_that_is_mounted_read_only() -> None:
    words = ["run", "execsnoop", "--backend", "ftrace", "-c", "true"]
    done = in_mounts("mount -o remount,bind,ro /sys/kernel/tracing", *words)
    assert done.returncode == 5
    assert "mount -o remount,rw" in done.stderr


def test_no_tracefs() -> None:
    done = in_mounts("umount -l /sys/kernel/tracing", "run", "execsnoop", "-c", "true")
    assert done.returncode == 4
    assert "mount -t tracefs nodev /sys/kernel/tracing" in done.stderr


def test_root_without_capabilities_may_still_use_tracefs() -> None:
    with clean():
        words = ["run", "execsnoop", "--backend", "bcc", "-c", "true"]
        done = confined("setpriv --bounding-set -all --inh-caps -all", *XTRACE, *words)
        other = confined("setpriv --bounding-set -all --inh-caps -all", *XTRACE, "run", "execsnoop", "-c", "true")
    assert (done.returncode, "CAP_SYS_ADMIN" in done.stderr) == (5, True)
    assert (other.returncode, "true" in other.stdout) == (0, True)


def test_the_doctor_tries_nothing_that_could_not_be_seen() -> None:
    done = confined("unshare -p -f --mount-proc", *XTRACE, "doctor", "--active")
    assert (done.returncode, done.stdout) == (4, "")
    assert "[XT1009]" in done.stderr
