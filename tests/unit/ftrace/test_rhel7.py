"""Planned for a recorded RHEL 7, set up on a tracefs like its own: debugfs, no set_event_pid, no options of an
instance, no triggers. Whatever step fails, everything is as before, and a stranger's probe is never touched."""

from __future__ import annotations

import errno
from functools import cache
from pathlib import Path

import pytest

from tests.unit.facts.fleet import needs_hosts
from tests.unit.ftrace.recorded_tracefs import HOST, RecordedTracefs
from xtrace.backends.ftrace.backend import FtraceBackend
from xtrace.backends.ftrace.instance import Instance
from xtrace.backends.ftrace.model import Follow, FtraceModel
from xtrace.core import ir
from xtrace.core.errors import BackendError
from xtrace.core.facts.recorded import import_recorded
from xtrace.core.facts.recording import RecordedHost
from xtrace.core.lang.parser import parse
from xtrace.core.lang.source import Source
from xtrace.core.plan.model import Plan, Refusal, Request

pytestmark = needs_hosts

EVENTS = (
    "syscalls/sys_enter_openat", "raw_syscalls/sys_enter", "task/task_newtask", "task/task_rename",
    "sched/sched_process_exit", "sched/sched_process_exec",
)  # fmt: skip
PROGRAM = """
kprobe:do_sys_open { printf("%d %s %s\\n", pid, comm, str(arg1)); }
kretprobe:do_sys_open /(int32)retval < 0/ { @failed[comm] = count(); }
tracepoint:raw_syscalls:sys_enter /args.id == 257 && comm == "cat"/ { @[args.id, tid] = hist(args.id); }
"""
STRANGER = "p:stranger/mine vfs_read\n"


@cache
def host() -> RecordedHost:
    return import_recorded(HOST)


def model(text: str = PROGRAM, scope: ir.Scope | None = None, aggregate: str = "auto") -> FtraceModel:
    config = ir.Config(aggregate=aggregate)
    verdict = FtraceBackend().plan(Request(parse(Source("-e", text)), "test", scope or ir.Scope(), config), host())
    assert isinstance(verdict, Plan), verdict
    assert isinstance(verdict.detail, FtraceModel)
    return verdict.detail


class Failing(RecordedTracefs):
    """Change number `failing` fails; undoing always works."""

    failing = -1

    def _count(self) -> None:
        self.failing -= 1
        if self.failing == -1:
            raise OSError(errno.EIO, "injected")

    def make(self, path: str) -> None:
        self._count()
        super().make(path)

    def write(self, path: str, data: bytes) -> None:
        self._count()
        super().write(path, data)

    def append(self, path: str, data: bytes) -> None:
        if not data.startswith((b"-:", b"!")):
            self._count()
        super().append(path, data)


@pytest.fixture
def tracefs(tmp_path: Path) -> Failing:
    made = Failing(tmp_path, EVENTS)
    (tmp_path / "kprobe_events").write_text(STRANGER)
    return made


def test_every_step_is_one_that_this_kernel_takes(tracefs: Failing) -> None:
    before = tracefs.state()
    made = model()
    instance = Instance(tracefs, "xtrace_1_2", made)
    instance.apply(made.steps)
    assert not instance.outcome.missing and not instance.outcome.unfiltered
    assert tracefs.read("kprobe_events").splitlines() == [
        STRANGER.strip(),
        "p:xtrace_1_2/do_sys_open_0 do_sys_open a0=%si:u64 a1=+0(%si):string",
        "r:xtrace_1_2/do_sys_open_1 do_sys_open a0=$retval:s64",
    ]
    enter = "instances/xtrace_1_2/events/raw_syscalls/sys_enter"
    assert (tracefs.read(f"{enter}/filter"), tracefs.read(f"{enter}/enable")) == ('(id == 257) && (comm == "cat")', "1")
    assert tracefs.read("instances/xtrace_1_2/trace_clock") == "perf"
    assert instance.close() == []
    assert tracefs.state() == before


@pytest.mark.parametrize("aggregate", ["auto", "kernel"])
def test_maps_are_fed_in_user_space_and_the_plan_says_why(aggregate: str) -> None:
    made = model(aggregate=aggregate)
    assert not made.hists and "no hist triggers" in " ".join(made.notes + made.degradations)


def test_a_process_is_followed_in_user_space(tracefs: Failing) -> None:
    made = model(scope=ir.Scope(1, follow=True))
    assert made.recording.follow is Follow.USER
    Instance(tracefs, "xtrace_1_2", made, [1]).apply(made.steps)
    assert tracefs.read("instances/xtrace_1_2/events/sched/sched_process_exit/enable") == "1"


@pytest.mark.parametrize("what", ["kstack", "ustack"])
def test_stacks_would_be_everybodys_and_are_refused(what: str) -> None:
    text = f"kprobe:vfs_read {{ @[{what}] = count(); }}"
    verdict = FtraceBackend().plan(Request(parse(Source("-e", text)), "test"), host())
    assert isinstance(verdict, Refusal)
    assert "for all users of tracing at once" in verdict.reasons[0].message


def test_whatever_step_fails_nothing_is_left(tmp_path: Path) -> None:
    made = model()
    for step in range(len(made.steps) + 1):
        place = tmp_path / str(step)
        place.mkdir()
        tracefs = Failing(place, EVENTS)
        (place / "kprobe_events").write_text(STRANGER)
        before = tracefs.state()
        instance = Instance(tracefs, "xtrace_1_2", made)
        tracefs.failing = step
        failed = False
        try:
            instance.apply(made.steps)
        except BackendError:
            failed = True
        assert failed or step == len(made.steps) or instance.outcome.unfiltered or step in optional(made), step
        assert instance.close() == []
        assert tracefs.state() == before, f"after a failure of step {step}"


def optional(made: FtraceModel) -> list[int]:
    return [number for number, step in enumerate(made.steps) if step.on_refusal.value == "ignore"]
