"""The process that a trace is about."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from pathlib import Path

import pytest

from xtrace.core.errors import UsageError
from xtrace.core.session.target import Existing, Started


def wait(target: Started) -> None:
    limit = time.monotonic() + 5
    while not target.ended() and time.monotonic() < limit:
        time.sleep(0.01)


def test_nothing_runs_before_it_is_released(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    target = Started(f"touch {mark}")
    time.sleep(0.05)
    assert not target.ended() and not mark.exists()
    target.release()
    wait(target)
    assert mark.exists() and target.exit_status == 0


def test_the_exit_status_is_a_shells() -> None:
    for command, status in (("sh -c 'exit 3'", 3), ("sh -c 'kill -TERM $$'", 143)):
        target = Started(command)
        target.release()
        wait(target)
        assert target.exit_status == status


def test_a_target_never_released_is_ended_and_reaped() -> None:
    target = Started("sleep 60")
    target.close()
    target.close()
    assert not Path(f"/proc/{target.pid}").exists()


def test_a_running_target_is_ended_on_close() -> None:
    target = Started("sleep 60")
    target.release()
    target.close()
    assert target.exit_status == 143


def test_it_inherits_none_of_our_descriptors_and_default_signals(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with (tmp_path / "ours").open("w") as ours:
        target = Started(f"sh -c 'ls -l /proc/$$/fd > {out}; grep SigIgn /proc/$$/status >> {out}'")
        target.release()
        wait(target)
    assert f"-> {ours.name}" not in out.read_text()
    *descriptors, ignored = out.read_text().splitlines()
    assert len(descriptors) >= 3
    assert int(ignored.split()[1], 16) & (1 << 12) == 0


def test_an_unknown_command_names_its_neighbours() -> None:
    with pytest.raises(UsageError) as caught:
        Started("slep 3")
    assert caught.value.diagnostics[0].code == "XT1002"
    assert any("sleep" in hint for hint in caught.value.diagnostics[0].hints)


@pytest.mark.parametrize("command", ["", "'unclosed", "/no/such/file"])
def test_bad_command_lines(command: str) -> None:
    with pytest.raises(UsageError) as caught:
        Started(command)
    assert caught.value.diagnostics[0].code == "XT1002"


def test_what_the_kernel_will_not_execute(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_bytes(b"\0\1\2 no program")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    target = Started(str(script))
    with pytest.raises(UsageError) as caught:
        target.release()
    assert caught.value.diagnostics[0].code == "XT1003"
    target.close()


def test_existing_processes() -> None:
    assert not Existing(os.getpid()).ended()
    child = subprocess.Popen(["sleep", "60"])
    target = Existing(child.pid)
    child.kill()
    deadline = time.monotonic() + 5
    while not target.ended() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert target.ended()
    with pytest.raises(UsageError, match="has ended"):
        Existing(child.pid)
    child.wait()
    with pytest.raises(UsageError, match="does not exist"):
        Existing(child.pid)
