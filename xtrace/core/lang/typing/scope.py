"""Variables of one clause: blocks, the names that the IR gives them, and types that later assignments widen."""

from __future__ import annotations

from dataclasses import field
from typing import Optional

from xtrace.core.lang.source import Span
from xtrace.core.records import dataclass
from xtrace.core.types import CType


@dataclass
class Variable:
    """`name` is unique in the clause. `type` is None until something is assigned; `fixed` types do not widen.

    `number` counts declarations in the order of the text, the same each time the clause is typed. A variable of
    `let` or `for` ends with its `block`.
    """

    name: str
    number: int
    type: Optional[CType]
    span: Optional[Span]
    fixed: bool = False
    block: bool = False


@dataclass
class Learned:
    """What one round of typing a clause found out for the next: types of variables by declaration number, and the
    names that are used after the block that assigns them, which therefore belong to the whole clause."""

    types: dict[int, CType] = field(default_factory=dict)
    outlive: set[str] = field(default_factory=set)


class Scopes:
    """The blocks that are open, innermost last, and the names already given."""

    def __init__(self) -> None:
        self._blocks: list[dict[str, Variable]] = [{}]
        self._taken: set[str] = set()
        self._count = 0
        self.closed: dict[str, Variable] = {}

    def open(self) -> None:
        self._blocks.append({})

    def close(self) -> None:
        for name, variable in self._blocks.pop().items():
            self.closed.setdefault(name, variable)

    def find(self, name: str) -> Optional[Variable]:
        for block in reversed(self._blocks):
            if name in block:
                return block[name]
        return None

    def visible(self) -> list[str]:
        return [name for block in self._blocks for name in block]

    def declare(self, name: str, type_: Optional[CType], span: Optional[Span]) -> Variable:
        """A new variable in the innermost block."""
        variable = Variable(self.unique(name), self._count, type_, span)
        self._count += 1
        self._blocks[-1][name] = variable
        return variable

    def widen(self, name: str) -> None:
        """Let a variable just declared live as long as the clause."""
        self._blocks[0][name] = self._blocks[-1].pop(name)

    def unique(self, name: str) -> str:
        """A name that no variable of the clause has: the given one, or with a number after it."""
        candidate, number = name, 2
        while candidate in self._taken:
            candidate, number = f"{name}_{number}", number + 1
        self._taken.add(candidate)
        return candidate
