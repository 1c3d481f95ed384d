"""Kernel and user memory at numeric offsets, buffers, and the scopes that are kept in the kernel."""

from __future__ import annotations

import ctypes
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.live.bcc_session import I64, U32, field, hits, needs_bcc, traced, tracepoint
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.facts.live import LiveHost
from xtrace.core.messages import Message

pytestmark = [pytest.mark.live, needs_bcc]

MINE = ir.Scope(pid=os.getpid())
TASK = ir.Builtin("curtask", t.Int(8, False))
LIBC = ctypes.CDLL(None)


def umasks(values: tuple[ir.Expr, ...], scope: ir.Scope = MINE) -> list[Message]:
    """Show values at every umask of this process, which makes one."""
    types = tuple(value.type for value in values)
    clause = ir.Clause((tracepoint("syscalls", "sys_enter_umask"),), None, (ir.Output(0, values),))
    return traced(ir.Program((clause,), (), (ir.Emit(tuple(("", kind) for kind in types)),), scope), own_umask)


def own_umask() -> None:
    os.umask(os.umask(0o22))


def test_kernel_structs() -> None:
    types = LiveHost().types
    tgid, comm, parent = (types.member("task_struct", name) for name in ("tgid", "comm", "real_parent"))
    if not (tgid and comm and parent):
        pytest.skip("no BTF: where task_struct keeps its members is not known")
    ours = ir.Load(TASK, tgid.offset, t.Int(4, True), t.Space.KERNEL)
    chain = ir.Load(TASK, parent.offset, t.Pointer(t.Struct("task_struct")), t.Space.KERNEL)
    theirs = ir.Load(chain, tgid.offset, t.Int(4, True), t.Space.AUTO)
    name = ir.ReadString(ir.Binary("+", TASK, ir.Const(comm.offset), False, I64), t.Space.AUTO, t.String(16))
    found = hits(umasks((ours, theirs, name)), 0)
    own_name = Path("/proc/self/comm").read_text().strip()
    assert found[0] == (os.getpid(), os.getppid(), own_name)


def test_bit_fields_and_signs() -> None:
    """A byte of 0xB5 in user memory, whose bits 2 to 4 are 101."""
    byte = ctypes.c_ubyte(0xB5)
    address = ir.Const(ctypes.addressof(byte))

    def read(kind: t.CType, bit_offset: int = 0, bit_size: int = 0) -> ir.Load:
        return ir.Load(address, 0, kind, t.Space.USER, bit_offset, bit_size)

    values = (read(t.Int(1, False)), read(t.Int(1, True)), read(t.Int(1, False), 2, 3), read(t.Int(1, True), 2, 3))
    assert hits(umasks(values), 0)[0] == (0xB5, 0xB5 - 256, 5, -3)


def test_a_fault_reads_nothing() -> None:
    nowhere = ir.Const(16)
    values = (ir.Load(nowhere, 0, I64, t.Space.USER), ir.ReadString(nowhere, t.Space.USER, t.String(32)))
    assert hits(umasks(values), 0)[0] == (0, "")


def test_buffers_of_a_length_known_late() -> None:
    text = ctypes.create_string_buffer(b"\x01\x00\xff" + b"z" * 97)
    mask = field(tracepoint("syscalls", "sys_enter_umask"), "mask", U32)
    short = ir.ReadBytes(ir.Const(ctypes.addressof(text)), ir.Const(3), t.Space.USER, t.Buffer(16))
    late = ir.ReadBytes(ir.Const(ctypes.addressof(text)), mask, t.Space.USER, t.Buffer(24))
    found = hits(umasks((mask, short, late)), 0)
    assert found[0] == (0o22, b"\x01\x00\xff", text.raw[:0o22])
    assert all(row[2] == text.raw[: min(row[0], 24)] for row in found if isinstance(row[0], int))


def test_a_scope_of_another_process_sees_nothing() -> None:
    assert hits(umasks((I64_ONE,), replace(MINE, pid=2**22 + 1)), 0) == []
    assert hits(umasks((I64_ONE,), replace(MINE, uid=54321)), 0) == []
    assert len(hits(umasks((I64_ONE,), replace(MINE, uid=os.getuid())), 0)) == 2


I64_ONE = ir.Const(1)


def test_a_cgroup_counts_with_those_below_it() -> None:
    root = next(
        (Path(at) for at in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup") if Path(at, "cgroup.procs").exists()), None
    )
    if root is None or not Path(root, "cgroup.controllers").exists():
        pytest.skip("no cgroup v2 is mounted")
    group = root / f"xtrace_test_{os.getpid()}"
    (group / "inner").mkdir(parents=True)
    before = Path("/proc/self/cgroup").read_text()
    home = root / next(line[3:].lstrip("/") for line in before.splitlines() if line.startswith("0::"))
    try:
        outside = hits(umasks((I64_ONE,), replace(MINE, cgroup=str(group))), 0)
        (group / "inner" / "cgroup.procs").write_text(str(os.getpid()))
        inside = hits(umasks((I64_ONE,), replace(MINE, cgroup=str(group))), 0)
    finally:
        (home / "cgroup.procs").write_text(str(os.getpid()))
        time.sleep(0.1)
        (group / "inner").rmdir()
        group.rmdir()
    assert (len(outside), len(inside)) == (0, 2)
