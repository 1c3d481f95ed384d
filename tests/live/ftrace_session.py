"""Runs hand-made programs with the ftrace backend on this kernel, on processes of the test's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Optional

import pytest

from xtrace.backends.ftrace.features import Features
from xtrace.backends.ftrace.lower import lower
from xtrace.backends.ftrace.objections import program_objections
from xtrace.backends.ftrace.session import FtraceSession
from xtrace.backends.ftrace.tracefs import Tracefs, find_root
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.backend import Session
from xtrace.core.facts.event_format import parse_event_format
from xtrace.core.facts.live import LiveHost
from xtrace.core.messages import Hit, MapDump, Message

U32, I64, COMM = t.Int(4, False), t.Int(8, True), t.String(16)
PID, TID = ir.Builtin("pid", U32), ir.Builtin("tid", U32)
NAME = ir.Builtin("comm", COMM)


def usable_root() -> Optional[str]:
    try:
        return find_root() if os.geteuid() == 0 else None
    except PermissionError:
        return None


needs_tracefs = pytest.mark.skipif(usable_root() is None, reason="needs root and a mounted tracefs")
needs_compiler = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc to make a program to probe")


@cache
def features() -> Features:
    return Features(LiveHost())


def tracefs() -> Tracefs:
    return Tracefs(usable_root() or "")


def tracepoint(system: str, event: str) -> at.Tracepoint:
    """A tracepoint of this kernel with its fields."""
    parsed = parse_event_format(tracefs().read(f"events/{system}/{event}/format"), system)
    return at.Tracepoint(f"tracepoint:{system}:{event}", system, event, parsed.fields)


def field(point: at.Tracepoint, name: str) -> ir.Field:
    (member,) = (member for member in point.fields if member.name == name)
    return ir.Field(member, member.type)


def emits(*values: ir.Expr) -> tuple[ir.Stmt, ...]:
    """A body that performs site 0 with these values."""
    return (ir.Output(0, values),)


def program(*clauses: ir.Clause, scope: ir.Scope, maps: tuple[ir.MapDecl, ...] = ()) -> ir.Program:
    """A program whose site 0 emits whatever it is given."""
    return ir.Program(clauses, maps, (ir.Emit(()), ir.Exit()), scope=scope)


@contextmanager
def started(made: ir.Program) -> Iterator[FtraceSession]:
    """A started session, closed at the end."""
    assert not program_objections(made, features())
    running = FtraceSession(lower(made, features()), tracefs())
    running.start()
    try:
        yield running
    finally:
        running.close()


def leftovers() -> list[str]:
    """Instances and definitions of this process's sessions."""
    mine = f"xtrace_{os.getpid()}_"
    names = [*tracefs().names("instances"), *(group for _, group, _ in tracefs().defined())]
    return [name for name in names if name.startswith(mine)]


class Waiting:
    """A shell that runs `script` when it is released; known by pid before."""

    def __init__(self, script: str) -> None:
        self._process = subprocess.Popen(["sh", "-c", f"read go\n{script}"], stdin=subprocess.PIPE)
        self.pid = self._process.pid

    def run(self) -> None:
        self._process.communicate(b"\n", timeout=30)

    def __enter__(self) -> Waiting:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


def collect(running: Session, work: Callable[[], object], seconds: float = 0.3) -> list[Message]:
    """All messages of a session around a piece of work, and of its end."""
    messages = list(running.poll(0))
    work()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        messages += running.poll(0.05)
    return [*messages, *running.finish()]


def run(made: ir.Program, work: Callable[[], object]) -> list[Message]:
    """All messages of a program around a piece of work; afterwards nothing of it may be left in tracefs."""
    with started(made) as running:
        messages = collect(running, work)
    assert not leftovers()
    return messages


def values(messages: list[Message]) -> list[tuple[Any, ...]]:
    return [message.values for message in messages if isinstance(message, Hit)]


def dumped(messages: list[Message]) -> dict[str, dict[tuple[object, ...], object]]:
    return {m.map: dict(m.entries) for m in messages if isinstance(m, MapDump)}


def compiled(directory: Path, source: str, *options: str) -> str:
    """The path of a C program made of `source`."""
    (directory / "target.c").write_text(source)
    target = str(directory / "target")
    subprocess.run(["gcc", "-O1", "-o", target, str(directory / "target.c"), *options], check=True, capture_output=True)
    return target


def file_offset(binary: str, symbol: str) -> int:
    """Where a function lies in its file."""
    from elftools.elf.elffile import ELFFile

    elf: Any = ELFFile(BytesIO(Path(binary).read_bytes()))
    address = elf.get_section_by_name(".symtab").get_symbol_by_name(symbol)[0]["st_value"]
    for segment in elf.iter_segments("PT_LOAD"):
        if segment["p_vaddr"] <= address < segment["p_vaddr"] + segment["p_filesz"]:
            return int(address - segment["p_vaddr"] + segment["p_offset"])
    raise AssertionError(f"{symbol} is in no segment of {binary}")
