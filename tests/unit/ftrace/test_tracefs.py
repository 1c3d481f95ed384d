"""Steps on plain files made to look like RHEL 7's debugfs: no options, no set_event_pid, one definition a line."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.unit.ftrace.hosts import RHEL7, emitting, features
from xtrace.backends.ftrace import clean, removal
from xtrace.backends.ftrace.instance import Instance
from xtrace.backends.ftrace.lower import lower
from xtrace.backends.ftrace.tracefs import Tracefs, find_root, start_time
from xtrace.core import ir
from xtrace.core.attach import Kprobe
from xtrace.core.errors import BackendError


class FakeTracefs(Tracefs):
    """Plain files with the behaviour of tracefs that matters: instances come with files, `-:` deletes a definition."""

    def make(self, path: str) -> None:
        super().make(path)
        for name in ("trace_clock", "buffer_size_kb"):
            Path(self.root, path, name).write_text("")
        for group in self.groups():
            event = Path(self.root, path, "events", *group)
            event.mkdir(parents=True)
            for name in ("enable", "filter"):
                (event / name).write_text("0")

    def groups(self) -> list[tuple[str, str]]:
        return [("task", "task_newtask"), *((group, event) for _, group, event in self.defined())]

    def append(self, path: str, data: bytes) -> None:
        line = data.decode().rstrip("\n")
        file = Path(self.root, path)
        lines = file.read_text().splitlines()
        if line.startswith("-:"):
            lines = [one for one in lines if not one.partition(" ")[0].endswith(line[1:])]
        else:
            lines.append(line)
            for instance in Path(self.root, "instances").iterdir():
                directory = instance / "events" / line.split(":")[1].split(" ")[0]
                directory.mkdir(parents=True)
                (directory / "enable").write_text("0")
        file.write_text("".join(f"{one}\n" for one in lines))

    def remove(self, path: str) -> None:
        import shutil

        shutil.rmtree(Path(self.root, path))


@pytest.fixture
def tracefs(tmp_path: Path) -> FakeTracefs:
    (tmp_path / "instances").mkdir()
    (tmp_path / "README").write_text("")
    (tmp_path / "kprobe_events").write_text("p:other/mine vfs_read\n")
    return FakeTracefs(str(tmp_path))


def instance(tracefs: Tracefs, name: str = "xtrace_1_2") -> Instance:
    probe = Kprobe("kprobe:vfs_read", "vfs_read", "vfs_read")
    model = lower(emitting(ir.Clause((probe,), None, (ir.Output(0, (ir.Arg(0),)),))), features(RHEL7))
    made = Instance(tracefs, name, model)
    made.apply(model.steps)
    return made


def test_steps_are_written_and_all_undone(tracefs: FakeTracefs) -> None:
    made = instance(tracefs)
    assert tracefs.read("kprobe_events") == "p:other/mine vfs_read\np:xtrace_1_2/vfs_read_0 vfs_read a0=%di:s64\n"
    assert tracefs.read("instances/xtrace_1_2/trace_clock") == "perf"
    assert tracefs.read("instances/xtrace_1_2/events/xtrace_1_2/vfs_read_0/enable") == "1"
    assert made.close() == [] and made.close() == []
    assert tracefs.read("kprobe_events") == "p:other/mine vfs_read\n"
    assert tracefs.names("instances") == []


def test_a_refused_definition_says_so_in_the_kernels_words(tracefs: FakeTracefs) -> None:
    Path(tracefs.root, "kprobe_events").unlink()
    Path(tracefs.root, "error_log").write_text(
        "[  1.0] trace_kprobe: error: Invalid probed address or symbol\n"
        "  Command: p:xtrace_1_2/vfs_read_0 vfs_read a0=%di:s64\n              ^\n"
    )
    with pytest.raises(BackendError, match="Invalid probed address or symbol"):
        instance(tracefs)


def test_only_the_dead_are_cleaned(tracefs: FakeTracefs) -> None:
    alive = f"xtrace_{os.getpid()}_{start_time(os.getpid())}"
    reused = f"xtrace_{os.getpid()}_1"
    for name in (alive, reused, "xtrace_99999999_5", "somebody", "xtrace_x_y"):
        tracefs.make(f"instances/{name}")
        tracefs.append("kprobe_events", f"p:{name}/e vfs_read".encode())
    found, problems = clean.clean(tracefs)
    assert {one.name for one in found} == {reused, "xtrace_99999999_5"} and not problems
    assert tracefs.names("instances") == sorted(["somebody", alive, "xtrace_x_y"])
    assert {group for _, group, _ in tracefs.defined()} == {"other", "somebody", alive, "xtrace_x_y"}


class Timed(FakeTracefs):
    """An instance with triggers that depend on each other, and a synthetic event that counts what uses it."""

    def append(self, path: str, data: bytes) -> None:
        line = data.decode().rstrip("\n")
        if not line.startswith("!"):
            return super().append(path, data)
        file = Path(self.root, path)
        lines = file.read_text().splitlines()
        if path == "synthetic_events":
            if any("hist:" in used.read_text() for used in Path(self.root).rglob("trigger")):
                raise OSError(errno.EBUSY, "in use")
            lines = [one for one in lines if one.split()[0] != line[1:]]
        else:
            if "ts0=" in line and any("$ts0" in used.read_text() for used in Path(self.root).rglob("trigger")):
                raise OSError(errno.EBUSY, "in use")
            lines = [one for one in lines if one != f"{line[1:]} [active]"]
        file.write_text("".join(f"{one}\n" for one in lines))
        return None

    def remove(self, path: str) -> None:
        if any("common_timestamp" in used.read_text() for used in Path(self.root).rglob("trigger")):
            raise OSError(errno.EBUSY, "in use")
        super().remove(path)


@pytest.mark.parametrize("owner", ["xtrace_99999999_5", "xtrace_99999999_5_2"])
def test_timed_events_are_taken_apart_in_their_order(tmp_path: Path, owner: str) -> None:
    (tmp_path / "instances").mkdir()
    timed = Timed(str(tmp_path))
    mine = f"{owner}__0 u64 lat"
    (tmp_path / "synthetic_events").write_text(f"mine int a\n{mine}\nxtrace_1_1__0 u64 lat\n")
    for event, text in (
        ("a/begin", "hist:keys=common_pid:ts0=common_timestamp if x > 1 [active]\n"),
        ("b/end", "hist:keys=common_pid:lat0=common_timestamp-$ts0 [active]\n"),
        ("synthetic/it", "hist:keys=lat [active]\n"),
    ):
        place = tmp_path / "instances" / owner / "events" / event
        place.mkdir(parents=True)
        (place / "trigger").write_text(f"# Available triggers:\n{text}")
    found = {one.name: one for one in clean.leavings(timed)}
    assert found[owner] == clean.Leaving(owner, True, (f"{owner}__0",))
    assert removal.remove(timed, owner, 0) == []
    assert timed.names("instances") == []
    assert timed.read("synthetic_events") == "mine int a\nxtrace_1_1__0 u64 lat\n"


def test_a_trigger_that_an_earlier_clean_up_left_is_taken_off(tmp_path: Path) -> None:
    """Its synthetic event is gone already."""
    timed = Timed(str(tmp_path))
    place = tmp_path / "instances/xtrace_99999999_5/events/a/begin"
    place.mkdir(parents=True)
    (place / "trigger").write_text("hist:keys=common_pid:ts0=common_timestamp [active]\n")
    assert removal.remove(timed, "xtrace_99999999_5", 0) == []
    assert timed.names("instances") == []


def test_names_of_sessions_tell_their_owner() -> None:
    assert not clean.owner_is_gone(removal.session_name(os.getpid(), 0))
    assert not clean.owner_is_gone(removal.session_name(os.getpid(), 3))
    assert clean.owner_is_gone("xtrace_1_99999999999")


def test_the_directory_is_found_where_it_is_mounted(tmp_path: Path) -> None:
    assert find_root((str(tmp_path),)) is None
    (tmp_path / "README").write_text("")
    assert find_root(("/nowhere", str(tmp_path))) == str(tmp_path)
