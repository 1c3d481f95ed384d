"""An output format: tab-separated rows, for spreadsheets."""

from __future__ import annotations

from typing import TextIO

from xtrace.core.events import Output, Row, Table
from xtrace.core.session.present import safe_text


class TabSink:
    """Shows the rows of `emit` only; xtrace tells the user of everything that has no place here."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def begin(self, tables: tuple[Table, ...]) -> None:
        for table in tables:
            self._line([column.name for column in table.columns])

    def write(self, output: Output) -> bool:
        if not isinstance(output, Row):
            return False
        self._line([safe_text(value) for value in output.values])
        return True

    def flush(self) -> None:
        self._stream.flush()

    def _line(self, cells: list[str]) -> None:
        self._stream.write("\t".join(cell.replace("\t", " ") for cell in cells) + "\n")
