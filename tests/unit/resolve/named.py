"""A way to resolve a program over named events of the test's own, on a host of plain data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent, indent
from typing import Optional

from xtrace.core import ir
from xtrace.core.errors import Diagnostic
from xtrace.core.facts.model import HostFacts
from xtrace.core.lang.parser import parse
from xtrace.core.lang.source import Source
from xtrace.core.plan.model import Choice, Request
from xtrace.core.plan.traverse import all_expressions
from xtrace.core.resolve.resolve import Resolved, resolve
from xtrace.testing.hosts import FakeHost

Judge = Callable[[ir.Clause], "tuple[Diagnostic, ...]"]


def anything(clause: ir.Clause) -> tuple[Diagnostic, ...]:
    """An engine that can do everything."""
    return ()


def no_memory(clause: ir.Clause) -> tuple[Diagnostic, ...]:
    """An engine that reads nothing behind pointers."""
    reads = [expr for expr in all_expressions(clause) if isinstance(expr, (ir.Load, ir.ReadString))]
    return (Diagnostic("XT0801", "this engine reads no memory"),) if reads else ()


class Events:
    """Writes events into a probe directory and resolves programs that use them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        (directory / "events").mkdir()

    def write(self, text: str, file: str = "test") -> None:
        (self._directory / "events" / f"{file}.yaml").write_text(dedent(text))

    def event(self, fields: str, *sources: str, more: str = "") -> None:
        """The event `test.event`; each source is the body of a mapping, `attach: ...` and so on."""
        items = "\n".join("    -\n" + indent(dedent(source).strip("\n"), "      ") for source in sources)
        extra = f"\n  {more}" if more else ""
        self.write(f"test.event:\n  summary: A test.{extra}\n  fields: {{{fields}}}\n  sources:\n{items}\n")

    def resolve(
        self, program: str, host: HostFacts, judge: Judge = anything, scope: Optional[ir.Scope] = None
    ) -> Resolved:
        request = Request(
            parse(Source("test", program)), "test", scope=scope or ir.Scope(), probe_paths=(self._directory,)
        )
        return resolve(request, host, judge)

    def choice(self, program: str, host: HostFacts, judge: Judge = anything) -> Choice:
        """Which source serves. Fails the test where none does."""
        resolved = self.resolve(program, host, judge)
        assert resolved.program is not None, [problem.text() for problem in resolved.problems]
        (choice,) = resolved.choices
        return choice


def host(**given: object) -> FakeHost:
    """A host with symbols that can be read."""
    return FakeHost(facts={"kernel.kallsyms": True}, **given)  # type: ignore[arg-type]
