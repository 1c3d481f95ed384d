"""A worker that fails says why and leaves nothing; one whose controller dies ends by itself; losses are counted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.bcc_session import I64, PYTHON, U32, final_map, host, needs_bcc, of_child, session, traced, tracepoint
from xtrace.backends.bcc.lower import lower
from xtrace.backends.bcc.render import worker
from xtrace.backends.bcc.runner import BccSession
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.errors import BackendError
from xtrace.core.messages import Loss

pytestmark = [pytest.mark.live, needs_bcc]

TICK = at.Interval("interval:ms:100", 100_000_000)
TICKING = ir.Program((ir.Clause((TICK,), None, (ir.Output(0, (ir.Const(1),)),)),), (), (ir.Printf("%d\n", (I64,)),))


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Temporary files of the session and its worker go to a place of the test's own, which must be empty after it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield
    assert list(tmp_path.iterdir()) == []
    assert not workers()


def workers() -> list[int]:
    """Workers that this process started."""
    listing = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True)
    return [int(line.split()[0]) for line in listing.stdout.splitlines() if "--messages" in line]


def started(text: str) -> BccSession:
    return BccSession(PYTHON, text, lower(TICKING, host()).tables)


def test_a_broken_header_tree() -> None:
    text = worker(lower(TICKING, host())).replace('"include/linux/kconfig.h": ', '"include/linux/other.h": ')
    with pytest.raises(BackendError) as caught:
        started(text)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "XT0707"
    assert "kconfig.h' file not found" in diagnostic.message and diagnostic.hints


def test_a_program_that_clang_refuses() -> None:
    with pytest.raises(BackendError, match="error: use of undeclared identifier 'nonsense'"):
        started(worker(lower(TICKING, host())).replace("r1[0] = 0;", "r1[0] = nonsense;"))


def test_a_program_that_the_verifier_refuses() -> None:
    with pytest.raises(BackendError, match=r"R1|invalid|ctx") as caught:
        started(worker(lower(TICKING, host())).replace("r1[0] = 0;", "r1[0] = *(volatile u64 *)(ctx + 4000);"))
    assert caught.value.diagnostics[0].code == "XT0708"


def test_a_program_that_ends_the_compiler() -> None:
    """LLVM leaves the process where it cannot make code (a stack over 512 bytes); only the worker may die of it."""
    with pytest.raises(BackendError, match=r"stack limit|is not supported"):
        started(worker(lower(TICKING, host())).replace("u64 r1[3];", "volatile u64 r1[900] = {0};"))


def test_a_probe_that_does_not_exist() -> None:
    gone = at.Tracepoint("tracepoint:sched:no_such_event", "sched", "no_such_event")
    program = ir.Program((ir.Clause((gone,), None, (ir.Output(0, (ir.Const(1),)),)),), (), TICKING.sites)
    with pytest.raises(BackendError, match="tracepoint:sched:no_such_event"):
        traced(program, lambda: None)


def test_a_missing_probe_may_be_tolerated() -> None:
    gone = at.Tracepoint("tracepoint:sched:no_such_event", "sched", "no_such_event")
    clause = ir.Clause((gone, tracepoint("syscalls", "sys_enter_chdir")), None, (ir.Output(0, (ir.Const(1),)),))
    program = ir.Program((clause,), (), TICKING.sites, config=ir.Config(missing_probes="warn"))
    messages = of_child(program, "cd /")
    (attached,) = (message for message in messages if type(message).__name__ == "Attached")
    assert attached.missing == (gone.name,) and attached.probes == 1  # type: ignore[union-attr]


def test_no_such_interpreter() -> None:
    model = lower(TICKING, host())
    with pytest.raises(BackendError, match="cannot be run"):
        BccSession("/nonexistent/python", worker(model), model.tables)


def test_the_worker_ends_with_its_controller() -> None:
    code = (
        "from tests.live.test_bcc_failures import *\n"
        f"tempfile.tempdir = {tempfile.gettempdir()!r}\n"
        "model = lower(TICKING, host())\n"
        "running = BccSession(PYTHON, worker(model), model.tables)\n"
        "print(workers()[0], flush=True)\n"
        "time.sleep(60)\n"
    )
    controller = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert controller.stdout
    worker_pid = int(controller.stdout.readline())
    controller.send_signal(signal.SIGKILL)
    controller.wait()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{worker_pid}").exists():
        assert time.monotonic() < deadline, "the worker survives its controller"
        time.sleep(0.05)


def test_a_full_map_is_reported() -> None:
    enter = tracepoint("syscalls", "sys_enter_umask")
    mask = ir.Field(next(member for member in enter.fields if member.name == "mask"), U32)
    program = ir.Program(
        (ir.Clause((enter,), None, (ir.SetMap("seen", (mask,), ir.Const(1)),)),),
        (ir.MapDecl("seen", (U32,), I64),),
        (),
        config=ir.Config(max_map_keys=4),
    )
    messages = of_child(program, "exec /usr/bin/python3 -c 'import os; [os.umask(n) for n in range(23)]'")
    losses = [message for message in messages if isinstance(message, Loss)]
    assert sum(loss.count for loss in losses) == 23 - 4
    assert {(loss.kind, loss.where) for loss in losses} == {("map-full", "@seen")}
    assert len(final_map(messages, "seen")) == 4


def test_records_that_find_no_room_are_counted() -> None:
    """Every umask sends 4 KB, faster than they can be read; what is shown and what is lost adds up."""
    enter = tracepoint("syscalls", "sys_enter_umask")
    texts = tuple(ir.Text("x", t.String(1024)) for _ in range(4))
    program = ir.Program(
        (ir.Clause((enter,), None, (ir.Output(0, texts),)),),
        (),
        (ir.Printf("%s%s%s%s", tuple(text.type for text in texts)),),
    )
    count = 20_000
    messages = of_child(program, f"exec /usr/bin/python3 -c 'import os; [os.umask(0) for n in range({count})]'")
    shown = sum(type(message).__name__ == "Hit" for message in messages)
    lost = sum(message.count for message in messages if isinstance(message, Loss) and message.kind == "dropped")
    assert shown + lost == count
    assert lost > 0


def test_the_session_may_be_closed_at_any_time() -> None:
    with session(TICKING) as running:
        running.close()
    running.close()
