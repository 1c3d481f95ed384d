"""USDT probes that look at a semaphore, planned and run as for a kernel that keeps none (RHEL 7, RHEL 8.0): it is up in
every process of the program while traced and down afterwards, however the trace ends."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.programs import TICKS, Running, build
from tests.live.ftrace_session import collect, needs_compiler, needs_tracefs, values
from tests.live.processes import in_child, within
from xtrace.backends.ftrace import semaphores
from xtrace.backends.ftrace.backend import FtraceBackend
from xtrace.core import ir
from xtrace.core.backend import Session
from xtrace.core.elf.file import Elf
from xtrace.core.facts.live import LiveHost
from xtrace.core.facts.model import Fact, State
from xtrace.core.lang.parser import parse
from xtrace.core.lang.source import Source
from xtrace.core.plan.model import Plan, Request

pytestmark = [pytest.mark.live, needs_tracefs, needs_compiler]

SILENT, UP = "fired 0 semaphore 0", "fired 3 semaphore 1"
FORKS = TICKS.replace("#include <stdio.h>", "#include <stdio.h>\n#include <unistd.h>\n#include <sys/wait.h>").replace(
    "int count;", "int count; if (argc > 1) { getchar(); if (fork()) { wait(0); return 0; } }", 1
)
"""With an argument: waits for a letter, forks, and leaves the numbers to its child."""


class Older(LiveHost):
    """This host, if its kernel did not take `(ref_ctr_offset)`."""

    def fact(self, name: str) -> Fact:
        return Fact(State.ABSENT, None, "as if") if name == "uprobe.ref_ctr" else super().fact(name)


@pytest.fixture
def ticks(tmp_path: Path) -> str:
    return build(TICKS, str(tmp_path / "ticks"))


def launch(path: str, scope: ir.Scope) -> Session:
    host, backend = Older(), FtraceBackend()
    text = f'usdt:"{path}":lab:tick {{ printf("%d\\n", arg0); }}'
    plan = backend.plan(Request(parse(Source("-e", text)), "test", scope), host)
    assert isinstance(plan, Plan), plan
    assert "test a semaphore" in plan.degradations[0].message
    return backend.launch(backend.render(plan), host)


@contextlib.contextmanager
def tracing(path: str, pid: int | None = None, follow: bool = False) -> Iterator[Session]:
    session = launch(path, ir.Scope(pid, follow=follow))
    try:
        yield session
    finally:
        session.close()


@contextlib.contextmanager
def running(path: str, *words: str) -> Iterator[Running]:
    one = Running(path, *words)
    try:
        yield one
    finally:
        one.process.kill()
        one.end()


def said_when_seen(session: Session, one: Running) -> str:
    """What a program says once the session has looked at it."""
    until, said = time.monotonic() + 5, SILENT
    while said.startswith("fired 0") and time.monotonic() < until:
        session.poll(0.02)
        said = one.run(3)
    return said


@pytest.mark.parametrize("scoped", [True, False])
def test_a_running_program(ticks: str, scoped: bool) -> None:
    with running(ticks) as one, running(ticks) as other:
        assert one.run(3) == SILENT
        with tracing(ticks, one.pid if scoped else None) as session:
            assert [one.run(3), other.run(3)] == [UP, SILENT if scoped else UP]
            seen = values(collect(session, lambda: None))
        assert [one.run(3), other.run(3)] == [SILENT, SILENT]
    assert seen == [(-3,), (-2,), (-1,)] * (1 if scoped else 2)


def test_a_program_that_starts_meanwhile(ticks: str) -> None:
    with tracing(ticks) as session, running(ticks) as late:
        assert said_when_seen(session, late) == UP
        session.close()
        assert late.run(3) == SILENT


@pytest.mark.parametrize("follow", [True, False])
def test_a_child_begins_with_its_parents_counter(tmp_path: Path, follow: bool) -> None:
    path = build(FORKS, str(tmp_path / "forks"))
    with running(path, "forks") as one, tracing(path, one.pid, follow) as session:
        assert one.process.stdin
        one.process.stdin.write("x")
        assert one.run(3) == UP
        session.poll(0.05)
        session.close()
        assert one.run(3) == SILENT


def test_another_program_at_the_same_place_is_not_written_to(ticks: str, tmp_path: Path) -> None:
    """A process may run another program by then, and another process may have its id."""
    other = build(TICKS.replace("lab_tick_semaphore;\n", "lab_tick_semaphore = 7;\n", 1), str(tmp_path / "other"))
    with running(ticks) as one, running(other) as stranger:
        assert [one.run(0), stranger.run(0)] == [SILENT, "fired 0 semaphore 7"]
        with Path(ticks).open("rb") as file:
            program = semaphores.program_of(file.fileno())
        (note,) = Elf.of(Path(ticks).read_bytes()).usdt
        (counter,) = semaphores.semaphores_in(one.pid, program, [note.site.semaphore])
        counter.raise_()
        assert one.run(3) == UP
        semaphores.lower_all([replace(counter, pid=stranger.pid), counter, counter])
        assert [one.run(3), stranger.run(0)] == [SILENT, "fired 0 semaphore 7"]


def test_kill_9_is_undone_by_the_watchdog(ticks: str) -> None:
    with running(ticks) as one, running(ticks) as other:
        child = in_child(lambda: launch(ticks, ir.Scope()))
        assert [one.run(3), other.run(3)] == [UP, UP]
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert within(5, lambda: [one.run(3), other.run(3)] == [SILENT, SILENT])
