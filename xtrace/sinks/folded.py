"""Folded stacks: `outer;inner COUNT` per line, what flame graph tools read."""

from __future__ import annotations

import re
from typing import TextIO

from xtrace.core.events import Frames, MapOutput, Output, Shown, Table
from xtrace.core.session.present import safe_text
from xtrace.core.session.wording import inert

_OFFSET = re.compile(r"\+\d+$")


class FoldedSink:
    """Maps of numbers whose key has a stack; other parts of the key (`comm`) become the outermost frames. Nothing else
    has a place in this format."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def begin(self, tables: tuple[Table, ...]) -> None:
        """There is no header."""

    def flush(self) -> None:
        self._stream.flush()

    def write(self, output: Output) -> bool:
        if not isinstance(output, MapOutput) or output.kind == "hist":
            return False
        lines = [f"{folded(key)} {value}\n" for key, value in output.entries if _counted(key, value)]
        self._stream.writelines(lines)
        return len(lines) == len(output.entries)


def _counted(key: tuple[Shown, ...], value: object) -> bool:
    return isinstance(value, int) and any(isinstance(part, Frames) for part in key)


def folded(key: tuple[Shown, ...]) -> str:
    """A key as one folded stack, outermost frame first: parts that are no stacks, then user frames, then kernel's."""
    names = [_frame(safe_text(part)) for part in key if not isinstance(part, Frames)]
    stacks = [part for part in key if isinstance(part, Frames)]
    for stack in sorted(stacks, key=lambda stack: not stack.user):
        names += [_frame(inert(name)) for name in reversed(stack.names)]
    return ";".join(names)


def _frame(name: str) -> str:
    """A frame's name without its offset, which would split what a flame graph adds up."""
    return _OFFSET.sub("", name).replace(";", ":") or "-"
