"""Where a piece of text came from, so that a complaint can point at it."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property

from xtrace.core.records import dataclass


@dataclass(frozen=True)
class Source:
    """A text with a name: a file's path, `-e` for the command line, `tool:NAME` for a shipped tool."""

    name: str
    text: str

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(i + 1 for i, c in enumerate(self.text) if c == "\n")]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a character offset, both from 1."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of line `number` (from 1) without its newline."""
        start = self._line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : end if end >= 0 else len(self.text)]


@dataclass(frozen=True)
class Span:
    """The characters `start` to `end` (exclusive) of a source."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of `other`."""
        return Span(self.source, self.start, max(self.end, other.end))

    def place(self) -> tuple[str, int, int]:
        """File, line and column of the start, counted from 1."""
        return (self.source.name, *self.source.position(self.start))

    def location(self) -> str:
        return ":".join(map(str, self.place()))

    def excerpt(self) -> list[str]:
        """The source line and its underline, tabs kept so that both align; of a long line what is around the span."""
        line, column = self.source.position(self.start)
        text = self.source.line(line).rstrip("\r")
        start = min(column - 1, len(text))
        first = max(0, start - _BEFORE) if len(text) > _LONGEST else 0
        last = min(len(text), first + _LONGEST)
        end = min(start + self.end - self.start, last)
        before, marked, after = (_shown(part) for part in (text[first:start], text[start:end], text[end:last]))
        cut, rest = "…" if first else "", "…" if last < len(text) else ""
        lead = "".join("\t" if char == "\t" else " " * _columns(char) for char in cut + before)
        return [f"  {cut}{before}{marked}{after}{rest}", f"  {lead}{'~' * max(1, sum(map(_columns, marked)))}"]


_LONGEST, _BEFORE = 240, 80
"""Characters of a line that an excerpt shows, and how many of them before the span."""


def _shown(text: str) -> str:
    """The text without what could steer a terminal."""
    return "".join(char if char.isprintable() or char == "\t" else "\ufffd" for char in text)


def _columns(char: str) -> int:
    """How many columns of a terminal the character takes."""
    if char.isascii():
        return 1
    from unicodedata import combining, east_asian_width

    return 0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1
