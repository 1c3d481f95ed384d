"""Whatever call of the operating system fails in a session, from its first to its last: nothing is left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.lab.faults import Fault, Place
from tests.lab.programs import TICKS, Running, build
from tests.live.ftrace_session import leftovers, needs_compiler, needs_tracefs
from tests.live.processes import within
from tests.live.test_ftrace_semaphores import SILENT, Older
from xtrace.backends.ftrace.backend import FtraceBackend
from xtrace.core import ir
from xtrace.core.errors import XtraceError
from xtrace.core.lang.parser import parse
from xtrace.core.lang.source import Source
from xtrace.core.plan.model import Artifact, Plan, Request

pytestmark = [pytest.mark.live, needs_tracefs, needs_compiler]

EVERYTHING = """
tracepoint:syscalls:sys_enter_getppid /comm == "nobody"/ { printf("%d %s\\n", pid, kstack); }
tracepoint:syscalls:sys_enter_openat { printf("%d %s\\n", args.flags, ustack); }
uprobe:"PATH":main { @[comm] = count(); }
uretprobe:"PATH":main { printf("%d\\n", retval); }
usdt:"PATH":lab:tick { printf("%d\\n", arg0); }
profile:hz:7 { @samples[kstack] = count(); }
"""
"""Every kind of step that this kernel takes: filters, stacks, names, children, definitions, semaphores, timers."""


def test_whatever_call_fails_nothing_is_left(tmp_path: Path) -> None:
    path = build(TICKS, str(tmp_path / "ticks"))
    target = Running(path)
    try:
        before = owned()
        artifact = planned(path, target.pid)
        session_with(artifact)
        assert target.run(3) == SILENT and owned() == before
        places = session_with(artifact).places
        for place in places:
            session_with(artifact, place)
            assert within(5, lambda: not leftovers() and owned() == before), (place, leftovers(), owned() - before)
            assert within(5, lambda: target.run(3) == SILENT), place
    finally:
        target.process.kill()
        target.end()
    # A program that makes fewer calls than this is not the one above.
    assert len(places) > 100
    assert {place[0] for place in places} >= {"mkdir", "rmdir", "open", "write", "read", "pwrite", "fork", "ioctl"}
    assert "perf_event_open" in {place[0] for place in places}


def planned(path: str, pid: int) -> Artifact:
    host, backend = Older(), FtraceBackend()
    request = Request(parse(Source("-e", EVERYTHING.replace("PATH", path))), "test", ir.Scope(pid, follow=True))
    plan = backend.plan(request, host)
    assert isinstance(plan, Plan), plan
    return backend.render(plan)


def session_with(artifact: Artifact, failing: Place = ()) -> Fault:
    """A whole session in which a call fails."""
    with Fault("/backends/ftrace/", failing) as fault:
        session = None
        try:
            session = FtraceBackend().launch(artifact, Older())
            session.poll(0)
            session.finish()
        except (XtraceError, OSError):
            assert fault.hit
        finally:
            if session is not None:
                session.close()
    return fault


def owned() -> set[str]:
    """Descriptors and living children of this process."""
    handles = {f"fd {entry.name} {entry.readlink()}" for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()}
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return handles | {f"child {pid}" for pid in children if ") Z" not in Path(f"/proc/{pid}/stat").read_text()}
