"""Losses are read from where the kernel counts them, each for the session whose they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.ftrace.hosts import MODERN, emitting, features
from xtrace.backends.ftrace.instance import Instance
from xtrace.backends.ftrace.losses import losses
from xtrace.backends.ftrace.lower import lower
from xtrace.backends.ftrace.model import FtraceModel
from xtrace.backends.ftrace.tracefs import Tracefs
from xtrace.core import ir
from xtrace.core.attach import Kprobe
from xtrace.core.messages import Loss

SESSION = "xtrace_1_2"
KPROBES = """p:xtrace_9_9/vfs_read_0 vfs_read
p:xtrace_1_2/vfs_read_0 vfs_read a0=%di:s64
r256:other/vfs_read_0 vfs_read
"""
PROFILE = """  vfs_read_0                                               100               7
  vfs_read_0                                                20               3
  vfs_read_0                                                 1               0
"""
STATS = "entries: 0\noverrun: {}\ncommit overrun: 0\nbytes: 52\ndropped events: {}\nread events: 9\n"


@pytest.fixture
def tracefs(tmp_path: Path) -> Tracefs:
    (tmp_path / "kprobe_events").write_text(KPROBES)
    (tmp_path / "kprobe_profile").write_text(PROFILE)
    for cpu, numbers in (("cpu0", (5, 0)), ("cpu1", (0, 0))):
        place = tmp_path / f"instances/{SESSION}/per_cpu/{cpu}"
        place.mkdir(parents=True)
        (place / "stats").write_text(STATS.format(*numbers))
    return Tracefs(str(tmp_path))


def model() -> FtraceModel:
    probe = Kprobe("kprobe:vfs_read", "vfs_read", "vfs_read")
    return lower(emitting(ir.Clause((probe,), None, (ir.Output(0, (ir.Arg(0),)),))), features(MODERN))


def found(tracefs: Tracefs, missed: int = 0, gaps: int = 0) -> list[tuple[str, int, str]]:
    made = model()
    told = losses(tracefs, Instance(tracefs, SESSION, made), made, missed, gaps)
    assert all(isinstance(one, Loss) and one.remedy for one in told)
    return [(one.kind, one.count, one.where) for one in told]


def test_of_probes_with_one_name_the_sessions_own_counts(tracefs: Tracefs) -> None:
    assert ("probe-miss", 3, "kprobe:vfs_read") in found(tracefs)


def test_a_list_that_others_change_meanwhile_tells_nothing_wrong(tracefs: Tracefs) -> None:
    Path(tracefs.root, "kprobe_events").write_text(KPROBES.partition("\n")[2])
    assert not [one for one in found(tracefs) if one[0] == "probe-miss"]


@pytest.mark.parametrize(
    ("missed", "gaps", "expected"), [(0, 0, []), (5, 0, []), (9, 1, [("missed-page", 4, "")]), (0, 3, [])]
)
def test_what_pages_say_is_not_counted_twice(
    tracefs: Tracefs, missed: int, gaps: int, expected: list[tuple[str, int, str]]
) -> None:
    told = found(tracefs, missed, gaps)
    assert told[0] == ("overrun", 5, "cpu0")
    assert told[1:-1] == expected
