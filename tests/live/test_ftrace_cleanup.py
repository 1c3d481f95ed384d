"""Nothing is left in tracefs: after a failure at any step, a kill -9, or a second close; others stay untouched."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest

from tests.live.ftrace_session import (
    COMM,
    U32,
    Waiting,
    compiled,
    emits,
    features,
    file_offset,
    leftovers,
    needs_compiler,
    needs_tracefs,
    program,
    started,
    tracefs,
    tracepoint,
)
from tests.live.processes import in_child, within
from xtrace.backends.ftrace import clean
from xtrace.backends.ftrace.lower import lower
from xtrace.backends.ftrace.model import FtraceModel
from xtrace.backends.ftrace.session import FtraceSession
from xtrace.backends.ftrace.tracefs import Tracefs, start_time
from xtrace.core import ir
from xtrace.core.attach import Uprobe
from xtrace.core.errors import BackendError

pytestmark = [pytest.mark.live, needs_tracefs]


class Faulty(Tracefs):
    """A tracefs whose n-th change fails before it is made; undoing always works."""

    def __init__(self, root: str, failing: int) -> None:
        super().__init__(root)
        self.left = failing
        self.undoing = False

    def _count(self, data: bytes = b"") -> None:
        if self.left == 0 and not data.startswith(b"-:"):
            self.left = -1
            raise OSError(errno.EIO, "injected")
        self.left -= 1

    def write(self, path: str, data: bytes) -> None:
        self._count()
        super().write(path, data)

    def append(self, path: str, data: bytes) -> None:
        if not data.startswith(b"-:"):
            self._count()
        super().append(path, data)

    def make(self, path: str) -> None:
        self._count()
        super().make(path)

    def open(self, path: str) -> int:
        self._count()
        return super().open(path)


def model_of(binary: str, pid: int) -> FtraceModel:
    """A program with a tracepoint with a filter, a uprobe, names and children: every kind of step."""
    enter = tracepoint("syscalls", "sys_enter_getppid")
    offset = file_offset(binary, "main")
    probes = tuple(Uprobe(f"uprobe:{binary}:main", binary, "main", offset, returns) for returns in (False, True))
    named = ir.Compare("==", ir.Builtin("comm", COMM), ir.Text("target"))
    clauses = [ir.Clause((enter,), named, emits(ir.Builtin("pid", U32)))]
    clauses += [ir.Clause((probe,), None, emits(ir.Builtin("tid", U32))) for probe in probes]
    return lower(program(*clauses, scope=ir.Scope(pid, follow=True)), features())


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> str:
    return compiled(tmp_path_factory.mktemp("cleanup"), "int main(void) { return 0; }")


@needs_compiler
def test_a_failure_at_any_step_leaves_nothing(binary: str) -> None:
    model = model_of(binary, os.getpid())
    failures = 0
    for step in range(60):
        session = FtraceSession(model, Faulty(tracefs().root, step))
        try:
            session.start()
        except (BackendError, OSError):
            failures += 1
        finally:
            session.close()
        assert not leftovers(), f"after a failure at change {step}"
    assert failures >= len(model.steps) - 5, "most steps cannot be done without"


@needs_compiler
def test_kill_9_is_undone_by_the_watchdog(binary: str) -> None:
    child = in_child(lambda: FtraceSession(model_of(binary, os.getpid()), tracefs()).start())
    name = f"xtrace_{child}_{start_time(child)}"
    assert _there(name)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert within(5, lambda: not _there(name)), "the watchdog did not undo it"


@needs_compiler
def test_clean_removes_what_the_dead_left_and_only_that(binary: str) -> None:
    dead = in_child(lambda: None)
    name = f"xtrace_{dead}_{start_time(dead)}"
    os.kill(dead, signal.SIGKILL)
    os.waitpid(dead, 0)
    mine = tracefs()
    mine.make(f"instances/{name}")
    mine.append("uprobe_events", f"p:{name}/left {binary}:0x{file_offset(binary, 'main'):x}\n".encode())
    other = f"somebody_{os.getpid()}"
    mine.append("uprobe_events", f"p:{other}/left {binary}:0x{file_offset(binary, 'main'):x}\n".encode())
    try:
        with started(program(scope=ir.Scope(os.getpid()))):
            ours = leftovers()
            found = {one.name: one for one in clean.leavings(mine)}
            assert found[name] == clean.Leaving(name, True, ("left",))
            assert not set(ours) & set(found) and other not in found
            clean.clean(mine)
            assert leftovers() == ours
        assert not _there(name) and _there(other)
    finally:
        mine.append("uprobe_events", f"-:{other}/left\n".encode())
    assert not _there(other)


def test_close_is_safe_twice_and_before_start() -> None:
    model = lower(program(scope=ir.Scope(os.getpid())), features())
    session = FtraceSession(model, tracefs())
    session.close()
    session.close()
    assert not leftovers()


def test_an_instance_that_somebody_reads_is_removed_when_they_stop() -> None:
    with Waiting("sleep 0.3") as shell, started(program(scope=ir.Scope(shell.pid))) as session:
        place = Path(tracefs().root, session._instance.path, "trace_pipe")
        handle = os.open(place, os.O_RDONLY | os.O_NONBLOCK)
        session.finish()
        os.close(handle)
    assert not leftovers()


def _there(name: str) -> bool:
    groups = [group for _, group, _ in tracefs().defined()]
    return any(found.startswith(name) for found in [*groups, *tracefs().names("instances")])
