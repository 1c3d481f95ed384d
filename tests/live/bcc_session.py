"""Runs hand-made programs with the BCC backend on this kernel, around a workload of the test's own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Optional

import pytest

from xtrace.backends.bcc.handler import Host
from xtrace.backends.bcc.lower import lower
from xtrace.backends.bcc.render import worker
from xtrace.backends.bcc.runner import BccSession
from xtrace.backends.bcc.scope import Follow
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.facts.event_format import parse_event_format
from xtrace.core.messages import Hit, MapDump, Message

PYTHON = "/usr/bin/python3"
EVENTS = "/sys/kernel/tracing/events"
U32, I64, COMM = t.Int(4, False), t.Int(8, True), t.String(16)


def owns_bcc() -> bool:
    return (
        os.geteuid() == 0
        and shutil.which(PYTHON) is not None
        and subprocess.run([PYTHON, "-c", "from bcc import BPF"], capture_output=True).returncode == 0
    )


needs_bcc = pytest.mark.skipif(not owns_bcc(), reason="needs root and a /usr/bin/python3 with BCC's module")


def host() -> Host:
    return Host(os.uname().machine, boot_clock=True)


def tracepoint(system: str, event: str) -> at.Tracepoint:
    """A tracepoint of this kernel with its fields."""
    with Path(EVENTS, system, event, "format").open() as text:
        parsed = parse_event_format(text.read(), system)
    return at.Tracepoint(f"tracepoint:{system}:{event}", system, event, parsed.fields)


def field(point: at.Tracepoint, name: str, kind: Optional[t.CType] = None) -> ir.Field:
    (member,) = (member for member in point.fields if member.name == name)
    return ir.Field(member, kind or member.type)


@contextmanager
def session(program: ir.Program, follow: Optional[Follow] = None) -> Iterator[BccSession]:
    model = lower(program, host(), follow)
    running = BccSession(PYTHON, worker(model), model.tables)
    try:
        yield running
    finally:
        running.close()


class Child:
    """A shell that waits for the word, runs its command and waits again, so that its pid is known before."""

    def __init__(self, command: str) -> None:
        script = f"read go; {command}; read go"
        self.process = subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self.process.pid

    def run(self) -> None:
        """Let it work, and return when it has ended."""
        assert self.process.stdin
        self.process.stdin.write(b"go\ngo\n")
        self.process.stdin.close()
        self.process.wait(20)


def traced(
    program: ir.Program, work: Callable[[], object], follow: Optional[Follow] = None, settle: float = 0.3
) -> list[Message]:
    """Everything that the session says around `work`."""
    with session(program, follow) as running:
        messages = list(running.poll(5))
        work()
        messages += running.poll(settle)
        messages += running.finish()
    return messages


def of_child(program: ir.Program, command: str, follow: Optional[Follow] = None) -> list[Message]:
    """What a shell command does, and with `follow` its children."""
    child = Child(command)
    scope = ir.Scope(pid=child.pid, follow=follow is not None)
    return traced(replace(program, scope=scope), child.run, follow)


def hits(messages: list[Message], site: int) -> list[tuple[object, ...]]:
    return [message.values for message in messages if isinstance(message, Hit) and message.site == site]


def final_map(messages: list[Message], name: str) -> dict[tuple[object, ...], object]:
    (dump,) = (one for one in messages if isinstance(one, MapDump) and one.map == name and one.site == -1)
    return dict(dump.entries)
