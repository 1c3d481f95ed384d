"""The artifact alone, as its reader runs it: text on standard output, notes on standard error."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.live.bcc_session import I64, PYTHON, Child, host, needs_bcc, tracepoint
from xtrace.backends.bcc.lower import lower
from xtrace.backends.bcc.render import worker
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core import types as t

pytestmark = [pytest.mark.live, needs_bcc]


def test_it_runs_without_xtrace(tmp_path: Path) -> None:
    child = Child("; ".join(["cd /tmp"] * 23))
    comm = ir.Builtin("comm", t.String(16))
    clauses = (
        ir.Clause((at.Begin(),), None, (ir.Output(0, (ir.Text("begins"),)),)),
        ir.Clause((tracepoint("syscalls", "sys_enter_chdir"),), None, (ir.Aggregate("n", (comm,), None),)),
        ir.Clause((at.End(),), None, (ir.Output(0, (ir.Text("ends"),)),)),
    )
    program = ir.Program(
        clauses,
        (ir.MapDecl("n", (t.String(16),), t.Count()),),
        (ir.Printf("%s\n", (t.String(64),)),),
        ir.Scope(child.pid),
    )
    script = tmp_path / "count.py"
    script.write_text(worker(lower(program, host(), title="count.py")))
    environment = {"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)}
    running = subprocess.Popen(
        [PYTHON, str(script), "-d", "1.5"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr
    assert running.stderr.readline() == "Attached 3 probes\n"
    child.run()
    out, err = running.communicate(timeout=30)
    assert (out, err, running.returncode) == ("begins\nends\n@n[sh]: 23\n\n", "", 0)
    assert list(tmp_path.iterdir()) == [script]


def test_interrupting_it_is_a_normal_end(tmp_path: Path) -> None:
    program = ir.Program(
        (ir.Clause((at.Begin(),), None, (ir.SetMap("x", (), ir.Const(5)),)),), (ir.MapDecl("x", (), I64),), ()
    )
    script = tmp_path / "x.py"
    script.write_text(worker(lower(program, host())))
    running = subprocess.Popen([PYTHON, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stderr and running.stderr.readline() == "Attached 1 probe\n"
    running.send_signal(2)
    out, _ = running.communicate(timeout=30)
    assert (out, running.returncode) == ("@x: 5\n\n", 0)


def test_a_reader_that_leaves_ends_it(tmp_path: Path) -> None:
    tick = ir.Clause((at.Interval("interval:ms:20", 20_000_000),), None, (ir.Output(0, (ir.Const(1),)),))
    script = tmp_path / "x.py"
    script.write_text(worker(lower(ir.Program((tick,), (), (ir.Printf("%d\n", (I64,)),)), host())))
    command = f"{PYTHON} {script} 2>{tmp_path}/errors | head -2"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30)
    assert done.stdout == "1\n1\n"
    assert "Traceback" not in (tmp_path / "errors").read_text()
