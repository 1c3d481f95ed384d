"""Whatever write to tracefs fails, a session leaves nothing: every kind of step that only these kernels take."""

from __future__ import annotations

from typing import Any

from tests.lab.case import case
from tests.lab.faults import Fault, Place
from tests.lab.inside import equal
from tests.lab.leftovers import appeared, snapshot

PROGRAM = """
kprobe:vfs_read /comm == "nobody"/ { @start[tid] = nsecs; }
kretprobe:vfs_read /@start[tid]/ { @ns = hist(nsecs - @start[tid]); delete(@start[tid]); }
kprobe:vfs_write /comm == "nobody"/ { @[kstack] = count(); @sizes = hist(arg2); }
tracepoint:syscalls:sys_enter_openat /comm == "nobody"/ { printf("%s\\n", kstack); }
"""
TRIED = ("mkdir", "write")


def planned() -> tuple[Any, Any]:
    """The program as it runs if the kernel is asked to aggregate, and the host."""
    from xtrace.backends.ftrace.backend import FtraceBackend
    from xtrace.core import ir
    from xtrace.core.facts.live import LiveHost
    from xtrace.core.lang.parser import parse
    from xtrace.core.lang.source import Source
    from xtrace.core.plan.model import Plan, Request

    backend, host = FtraceBackend(), LiveHost()
    request = Request(parse(Source("-e", PROGRAM)), "faults", config=ir.Config(aggregate="kernel"))
    plan = backend.plan(request, host)
    assert isinstance(plan, Plan), plan
    return backend.render(plan), host


def session(artifact: Any, host: Any, failing: Place = ()) -> Fault:
    """A session in which one call fails."""
    from xtrace.backends.ftrace.backend import FtraceBackend
    from xtrace.core.errors import XtraceError

    with Fault("/backends/ftrace/", failing) as fault:
        running = None
        try:
            running = FtraceBackend().launch(artifact, host)
            running.poll(0)
            running.finish()
        except (XtraceError, OSError):
            assert fault.hit, "it failed by itself"
        finally:
            if running is not None:
                running.close()
    return fault


@case(needs=["ftrace"], timeout=300, long=True)
def whatever_write_fails() -> None:
    """Definitions, filters, triggers with variables, synthetic events: each in turn fails, and all are taken back."""
    before = snapshot()
    artifact, host = planned()
    session(artifact, host)
    places = [place for place in session(artifact, host).places if place[0] in TRIED]
    for place in places:
        session(artifact, host, place)
        equal(appeared(before), [], f"left after a failure of {place}")
    assert len(places) >= 12, places
