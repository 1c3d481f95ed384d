"""Complaints: one `Diagnostic` for every kind, and the exceptions that carry them to the command line.

Exit codes are part of the interface (docs/design, section 7); each exception class owns one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from xtrace.core.lang.source import Span
from xtrace.core.records import dataclass

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Diagnostic:
    """One complaint: what is wrong, where, and what would help.

    `code` is stable and documented (`xtrace.core.codes`). `hints` are imperative and concrete: a command to type, a
    near name, another probe.
    """

    code: str
    message: str
    span: Span | None = None
    hints: tuple[str, ...] = ()
    severity: Severity = "error"

    def text(self) -> str:
        """The complaint as a terminal shows it, without colour: head line, source line, underline, hints."""
        where = f"{self.span.location()}: " if self.span else ""
        lines = [f"{where}{self.severity}: {self.message} [{self.code}]"]
        if self.span:
            lines += self.span.excerpt()
        lines += [f"  hint: {hint}" for hint in self.hints]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, object]:
        """The complaint as a JSON object of schema `xtrace.diagnostic/1`."""
        place: dict[str, object] = {}
        if self.span:
            line, column = self.span.source.position(self.span.start)
            place = {"file": self.span.source.name, "line": line, "column": column}
        return {
            "schema": "xtrace.diagnostic/1",
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            **place,
            "hints": list(self.hints),
        }


class XtraceError(Exception):
    """Something the user must know; carries at least one diagnostic.

    Raised for anything foreseen; the class itself for a file that is damaged or of another kind than was asked for. A
    foreign exception that reaches the command line is a bug (exit code 1).
    """

    exit_code = 3

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(d.message for d in diagnostics))
        self.diagnostics = diagnostics

    @classmethod
    def of(cls, code: str, message: str, span: Span | None = None, hints: Iterable[str] = ()) -> XtraceError:
        """Short for the usual case of one diagnostic."""
        return cls(Diagnostic(code, message, span, tuple(hints)))


class UsageError(XtraceError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class ProgramError(XtraceError):
    """A program or a probe file is wrong wherever it would run."""

    exit_code = 3


class PlanError(XtraceError):
    """No backend can serve the program on this host."""

    exit_code = 4


class BackendError(XtraceError):
    """An engine refused while it compiled, loaded or attached; another backend may still serve."""

    exit_code = 5


class PrivilegeError(XtraceError):
    """The caller lacks a capability or permission that every way needs."""

    exit_code = 6


class LossError(XtraceError):
    """Events were lost and the user asked to fail on that."""

    exit_code = 7
