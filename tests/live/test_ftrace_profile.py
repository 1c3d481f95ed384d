"""`profile` probes: samples of a busy process, at about the rate asked for, with its stacks."""

from __future__ import annotations

import sys

import pytest

from tests.live.ftrace_session import NAME, PID, Waiting, emits, needs_tracefs, program, run, values
from xtrace.core import ir
from xtrace.core.attach import Profile
from xtrace.core.types import Stack

pytestmark = [pytest.mark.live, needs_tracefs]

BUSY = f"exec {sys.executable} -c 'import time\nend = time.process_time() + 0.5\nwhile time.process_time() < end: pass'"


def test_a_busy_process_is_sampled_by_its_own_time() -> None:
    stacks = (ir.Builtin("kstack", Stack(False)), ir.Builtin("ustack", Stack(True)))
    clause = ir.Clause((Profile("profile:hz:199", 199),), None, emits(PID, NAME, *stacks))
    with Waiting(BUSY) as shell:
        seen = values(run(program(clause, scope=ir.Scope(shell.pid)), shell.run))
    assert {row[0] for row in seen} == {shell.pid}
    assert 50 <= len(seen) <= 160, "half a second of work at 199 Hz"
    assert any(row[3].addresses and row[3].pid == shell.pid for row in seen)
    assert max((row[1] for row in seen), key=[row[1] for row in seen].count).startswith("python")
