"""RHEL 8 (4.18 with backports) and RHEL 6 (2.6.32), by the table of features in ../shared/reference/ftrace.md: the
steps for a kernel between RHEL 7 and today's are ones that it takes, and a kernel without instances is refused."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import pytest

from tests.unit.ftrace.hosts import EVENTS, RHEL7, RHEL8
from tests.unit.ftrace.test_tracefs import FakeTracefs
from xtrace.backends.ftrace.backend import FtraceBackend
from xtrace.backends.ftrace.instance import Instance
from xtrace.backends.ftrace.model import Follow, FtraceModel
from xtrace.core import ir
from xtrace.core.lang.parser import parse
from xtrace.core.lang.source import Source
from xtrace.core.plan.model import Plan, Refusal, Request, Verdict
from xtrace.testing.hosts import FakeHost

PROGRAM = """
kprobe:do_sys_open { printf("%d %s %s\\n", pid, comm, str(arg1)); }
kretprobe:do_sys_open /(int32)retval < 0/ { printf("%d %s\\n", retval, kstack); }
tracepoint:raw_syscalls:sys_enter /args.id == 257 && comm == "cat"/ { @[args.id, tid] = sum(args.id); }
"""
DEFINITION = re.compile(r"(p|r\d*):\w+/\w+ \w+(?: a\d+=(?:\$comm|\$retval|(?:\+\d+\()*%\w+\)*):?(?:string|[us]\d+)?)*")
"""What 4.18 takes of what xtrace writes: no `$argN` (4.20), `ustring` and `+u` (5.3), immediates (5.4)."""
SETTINGS = ("trace_clock", "buffer_size_kb", "set_event_pid", "options/event-fork", "options/userstacktrace")
TRIGGER = re.compile(r"hist:keys=[\w.,]+:vals=\w+:size=\d+(?: if .+)?|stacktrace(?: if .+)?")


class Rhel8(FakeTracefs):
    """No dynamic_events, no event probes; settings and triggers of an instance."""

    def make(self, path: str) -> None:
        super().make(path)
        for name in SETTINGS:
            place = Path(self.root, path, name)
            place.parent.mkdir(exist_ok=True)
            place.write_text("")

    def groups(self) -> list[tuple[str, str]]:
        return [(system, event) for system, _, event in (name.partition(":") for name in EVENTS)]

    def append(self, path: str, data: bytes) -> None:
        text = data.decode().rstrip("\n")
        if path.endswith("/trigger"):
            if not TRIGGER.fullmatch(text):
                raise OSError(errno.EINVAL, "Invalid argument")
            Path(self.root, path).write_text(text)
            return
        if not text.startswith("-:") and not DEFINITION.fullmatch(text):
            raise OSError(errno.EINVAL, "Invalid argument")
        super().append(path, data)

    def write(self, path: str, data: bytes) -> None:
        if not self.exists(path):
            raise OSError(errno.ENOENT, "No such file or directory")
        super().write(path, data)


def plan(facts: dict[str, object], scope: ir.Scope | None = None, text: str = PROGRAM) -> Verdict:
    host = FakeHost(events=EVENTS, symbols=["do_sys_open"], facts=facts)
    return FtraceBackend().plan(Request(parse(Source("-e", text)), "test", scope or ir.Scope()), host)


def model(scope: ir.Scope | None = None) -> FtraceModel:
    verdict = plan(RHEL8, scope)
    assert isinstance(verdict, Plan), verdict
    assert isinstance(verdict.detail, FtraceModel)
    return verdict.detail


@pytest.mark.parametrize("scope", [ir.Scope(), ir.Scope(1, follow=True)])
def test_every_step_is_one_that_rhel_8_takes(tmp_path: Path, scope: ir.Scope) -> None:
    (tmp_path / "instances").mkdir()
    (tmp_path / "kprobe_events").write_text("p:stranger/mine vfs_read\n")
    tracefs, made = Rhel8(str(tmp_path)), model(scope)
    instance = Instance(tracefs, "xtrace_1_2", made, [1, 2])
    instance.apply(made.steps)
    assert not instance.outcome.missing and not instance.outcome.unfiltered
    assert tracefs.read("kprobe_events").splitlines()[1:] == [
        "p:xtrace_1_2/do_sys_open_0 do_sys_open a0=$comm:string a1=%si:u64 a2=+0(%si):string",
        "r256:xtrace_1_2/do_sys_open_1 do_sys_open a0=$retval:s64",
    ]
    if scope.pid:
        assert made.recording.follow is Follow.KERNEL
        assert tracefs.read("instances/xtrace_1_2/set_event_pid") == "1 2"
        assert tracefs.read("instances/xtrace_1_2/options/event-fork") == "1"
    assert instance.close() == []
    assert tracefs.read("kprobe_events") == "p:stranger/mine vfs_read\n" and tracefs.names("instances") == []


def test_rhel_8_keeps_maps_in_the_kernel_though_its_readme_hides_synthetic_events() -> None:
    assert model().hists and not model(ir.Scope(1)).hists


def test_rhel_6_has_no_instances_and_the_refusal_says_what_serves_there() -> None:
    verdict = plan({**RHEL7, "tracefs.instances": False}, text="kprobe:do_sys_open { @ = count(); }")
    assert isinstance(verdict, Refusal)
    (reason,) = verdict.reasons
    assert reason.code == "XT0803" and "SystemTap" in reason.hints[0]
