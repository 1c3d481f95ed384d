"""Bad input that needs a host: each a diagnostic with its code and exit code, and nothing left in tracefs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.live.cli_runs import XTRACE, as_nobody, clean, in_mount_namespace, live, run

pytestmark = live


@pytest.mark.parametrize(
    ("program", "code", "hint"),
    [
        ("tracepoint:sched:sched_swich { }", "XT0501", "sched:sched_switch"),
        ("tracepoint:nosuch:* { }", "XT0501", ""),
        ("kprobe:vfs_raed { }", "XT0502", "vfs_read"),
        ("uprobe:/etc/passwd:main { }", "XT0507", "not to scripts"),
        ("uprobe:/nosuch:main { }", "XT0506", ""),
        ("uprobe:libc:getadrinfo { }", "XT0502", "getaddrinfo"),
        ("usdt:libc:nosuchprobe { }", "XT0502", ""),
        ("file.opne { }", "XT0512", "file.open"),
    ],
)
def test_what_is_not_on_this_host(program: str, code: str, hint: str) -> None:
    with clean():
        done = run("trace", "-e", program)
    assert done.returncode == 4
    first = done.stderr.partition("error:")[2]
    assert f"[{code}]" in first
    assert hint in first
    assert done.stderr.startswith("-e:1:1: error:"), "the place in the program"
    assert done.stderr.count(f"[{code}]") == 1, "said once, not once per backend"


def test_the_same_as_json() -> None:
    done = run("trace", "--json", "-e", "tracepoint:sched:sched_swich { }")
    first = done.stderr.splitlines()[0]
    assert '"code": "XT0501"' in first
    assert '"file": "-e", "line": 1, "column": 1' in first


def test_a_process_that_has_ended() -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    with clean():
        done = run("run", "execsnoop", "-p", str(dead.pid))
    assert done.returncode == 2
    assert "[XT1004]" in done.stderr


def test_a_command_that_cannot_be_executed(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("no first line\n")
    script.chmod(0o755)
    with clean():
        missing = run("run", "execsnoop", "-c", "nosuchcommand")
        useless = run("run", "execsnoop", "-c", str(script))
    assert (missing.returncode, "[XT1002]" in missing.stderr) == (2, True)
    assert (useless.returncode, "[XT1003]" in useless.stderr) == (2, True)


@pytest.mark.parametrize(
    "words",
    [
        ["run", "execsnoop", "-c", "true"],
        ["run", "opensnoop", "-d", "1"],
        ["trace", "-e", "tracepoint:sched:sched_switch { @ = count(); }", "-d", "1"],
        ["trace", "-e", "uprobe:libc:malloc { @ = count(); }", "-d", "1"],
        ["list", "tracepoint:sched:*"],
        ["clean"],
    ],
)
def test_without_privilege(words: list[str]) -> None:
    done = as_nobody(*words)
    assert done.returncode == 6, done.stderr
    assert "root" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_needs_no_privilege() -> None:
    assert as_nobody("trace", "-e", 'BEGIN { printf("up\\n"); exit(); }').stdout == "up\n"
    assert as_nobody("list").returncode == 0
    assert "denied" in as_nobody("facts", "tracefs").stdout
    assert "as user 65534" in as_nobody("doctor").stdout


needs_unshare = pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare(1)")
_UNMOUNT = """
grep -E ' (tracefs|debugfs) ' /proc/mounts | cut -d' ' -f2 | sort -r | while read -r place; do umount "$place"; done
"""


@needs_unshare
@pytest.mark.parametrize(
    "words", [["run", "execsnoop", "-c", "true"], ["trace", "-e", "tracepoint:sched:sched_switch { @ = count(); }"]]
)
def test_tracefs_is_not_mounted(words: list[str]) -> None:
    with clean():
        done = in_mount_namespace(_UNMOUNT, [*XTRACE, *words, "--backend", "ftrace"])
    assert done.returncode == 4, done.stderr
    assert "tracefs is not mounted" in done.stderr
    assert "mount -t tracefs" in done.stderr


@needs_unshare
def test_the_doctor_without_tracefs() -> None:
    done = in_mount_namespace(_UNMOUNT, [*XTRACE, "doctor"])
    assert "mount -t tracefs" in done.stdout
    assert "Traceback" not in done.stderr
    assert "crash" not in done.stdout


def test_results_in_an_unwritable_place(tmp_path: Path) -> None:
    with clean():
        done = run("run", "execsnoop", "-c", "true", "-o", str(tmp_path / "no" / "file"))
    assert done.returncode == 2
    assert "[XT0007]" in done.stderr


def test_results_go_to_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with clean():
        assert run("run", "execsnoop", "-c", "true", "-o", str(path)).returncode == 0
    assert path.stat().st_mode & 0o077 == 0
    assert "PATH" in path.read_text()
