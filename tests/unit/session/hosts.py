"""A symboliser with known names, and presenters of programs."""

from __future__ import annotations

from typing import Optional

from tests.unit.evaluate.programs import run, typed
from xtrace.core.events import Output
from xtrace.core.messages import Mapped, Message
from xtrace.core.session.present import Presenter
from xtrace.core.session.symboliser import Place


class KnownSymbols:
    """The kernel's `f` lies at 0x1000, process 7's `main` at 0x2000 in /bin/x."""

    def __init__(self) -> None:
        self.remembered: list[int] = []

    def kernel(self, address: int) -> Optional[Place]:
        return Place("f", address - 0x1000) if 0x1000 <= address < 0x2000 else None

    def user(self, pid: int, address: int) -> Optional[Place]:
        return Place("main", address - 0x2000, "/bin/x") if pid == 7 and 0x2000 <= address < 0x3000 else None

    def remember(self, pid: int) -> None:
        self.remembered.append(pid)

    def mapped(self, one: Mapped) -> None:
        self.remembered.append(one.pid)

    def forked(self, pid: int, parent: int) -> None:
        self.remembered.append(pid)


def presenter(text: str, safe: bool = False) -> Presenter:
    return Presenter(typed(text), "tool", KnownSymbols(), safe=safe)


def shown(text: str, *messages: Message, safe: bool = False) -> list[Output]:
    """What the messages become; those that the program itself gives where there are none."""
    return presenter(text, safe).outputs(messages or run(text))
