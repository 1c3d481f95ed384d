"""Programs for these tests: text typed against attach points that need no host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from xtrace.core import ir
from xtrace.core.attach import Attach, Begin, End, Interval, Kprobe, Tracepoint
from xtrace.core.evaluate import Evaluator
from xtrace.core.lang import ast
from xtrace.core.lang.parser import parse
from xtrace.core.lang.source import Source
from xtrace.core.lang.typing.host import Settings
from xtrace.core.lang.typing.typer import Typer
from xtrace.core.messages import Exited, Hit, MapDump, Message
from xtrace.core.plan.capture import capture
from xtrace.core.types import Int, Member, Pointer, Space
from xtrace.testing.hosts import FakeTypes

UNITS = {"s": 10**9, "ms": 10**6, "us": 10**3}
OPENAT = (
    Member("filename", Pointer(Int(1), Space.USER), 24, 8),
    Member("flags", Int(8, True), 32, 8),
    Member("ret", Int(8, True), 16, 8),
)


def attach(point: ast.AttachPoint) -> Attach:
    name = ":".join((point.kind, *point.parts))
    if point.kind == "begin":
        return Begin("BEGIN")
    if point.kind == "end":
        return End("END")
    if point.kind == "interval":
        return Interval(name, UNITS[point.parts[0]] * int(point.parts[1]))
    if point.kind == "tracepoint":
        return Tracepoint(name, point.parts[0], point.parts[1], OPENAT)
    return Kprobe(name, point.parts[0], point.parts[0], returns=point.kind == "kretprobe")


def typed(text: str, **config: Any) -> ir.Program:
    """The program as IR, its clauses attached to what their text says."""
    program = parse(Source("-e", text))
    typer = Typer(program, FakeTypes(), Settings(config=replace(ir.Config(), **config)))
    for clause in program.clauses:
        typer.type_clause(clause, [attach(point) for point in clause.points])
    return typer.program()


def captured(program: ir.Program) -> ir.Program:
    """The program as the evaluator takes it, every clause captured."""
    return replace(program, clauses=tuple(capture(clause).clause for clause in program.clauses))


def evaluator(text: str, **config: Any) -> Evaluator:
    return Evaluator(captured(typed(text, **config)), clock=lambda: 1000)


def run(text: str, *events: Sequence[Any], **config: Any) -> list[Message]:
    """Everything the program says: `begin`, then each event (clause, slots…), then the end."""
    machine = evaluator(text, **config)
    machine.begin()
    for clause, *slots in events:
        machine.fire(clause, slots, nsecs=2000, cpu=1)
    return [*machine.take(), *machine.finish()]


def printed(text: str, *events: Sequence[Any], **config: Any) -> list[tuple[Any, ...]]:
    """The values of every hit."""
    return [message.values for message in run(text, *events, **config) if isinstance(message, Hit)]


def maps(text: str, *events: Sequence[Any], **config: Any) -> dict[str, dict[Any, Any]]:
    """The final maps as dicts, keys without the tuple where there is one part."""
    dumps = [message for message in run(text, *events, **config) if isinstance(message, MapDump) and message.site < 0]
    return {dump.map: {k[0] if len(k) == 1 else k: v for k, v in dump.entries} for dump in dumps}


def values(expressions: str) -> tuple[Any, ...]:
    """What comma-separated expressions evaluate to."""
    count = len(split_top(expressions))
    formats = " ".join(["%d"] * count)
    return printed(f'BEGIN {{ $zero = nsecs - nsecs; printf("{formats}", {expressions}); }}')[0]


def split_top(text: str) -> list[str]:
    """The text at its commas that lie in no parentheses."""
    parts, depth = [""], 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def codes(messages: list[Message]) -> list[int]:
    return [message.code for message in messages if isinstance(message, Exited)]
