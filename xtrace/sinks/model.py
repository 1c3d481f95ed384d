"""What an output format is."""

from __future__ import annotations

from typing import Protocol

from xtrace.core.events import Output, Table


class Sink(Protocol):
    """One output format on one text stream. A class that takes the stream is what plugins register.

    Sinks raise what their stream raises (BrokenPipeError when the reader is gone); the session then ends normally.
    """

    def begin(self, tables: tuple[Table, ...]) -> None:
        """Called once before everything else, with the tables whose rows may come."""

    def write(self, output: Output) -> bool:
        """Show one output; False where this format has no place for it, so that the user can be told."""

    def flush(self) -> None:
        """Everything written so far must reach the reader. Called after each batch of outputs."""
