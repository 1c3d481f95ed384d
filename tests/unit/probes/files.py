"""Probe files of the test's own, and what is said about them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from xtrace.core.errors import Diagnostic
from xtrace.core.probes.events import EventFile, load_events


def events_of(text: str, directory: Path) -> EventFile:
    """The events of a file with this text."""
    file = directory / "events.yaml"
    file.write_text(dedent(text))
    load_events.cache_clear()
    return load_events(file)


def said(complaint: Diagnostic) -> tuple[str, int, int, str]:
    """Code, line, column and message of a complaint."""
    assert complaint.span is not None
    line, column = complaint.span.source.position(complaint.span.start)
    return complaint.code, line, column, complaint.message
