"""What looking for an attach point gives."""

from __future__ import annotations

from xtrace.core import attach as at
from xtrace.core.errors import Diagnostic
from xtrace.core.lang import ast
from xtrace.core.records import dataclass


@dataclass(frozen=True)
class Located:
    """Where an attach point leads: concrete points, or complaints; `notes` are for the user either way.

    `state` is why nothing was found, or how what was found differs from what was asked, in one word for the reasons of
    a named event (`absent`, `inlined`, `incomplete`, ...).
    """

    points: tuple[at.Attach, ...] = ()
    complaints: tuple[Diagnostic, ...] = ()
    notes: tuple[str, ...] = ()
    state: str = ""


def nothing(code: str, message: str, point: ast.AttachPoint, state: str, *hints: str) -> Located:
    """Nowhere, with one complaint."""
    return Located(complaints=(Diagnostic(code, message, point.span, hints),), state=state)
