"""Names for addresses: what the presenter asks, and how places read."""

from __future__ import annotations

from typing import Optional, Protocol

from xtrace.core.events import Frames
from xtrace.core.lang.arithmetic import unsigned
from xtrace.core.messages import Mapped, StackValue, SymbolValue
from xtrace.core.records import dataclass
from xtrace.core.types import Stack


@dataclass(frozen=True)
class Place:
    """Where an address lies: `offset` bytes after the start of `name`, in `module` (a file or kernel module, "" for
    the kernel itself). `name` is "" where only the file is known."""

    name: str
    offset: int
    module: str = ""


class Symboliser(Protocol):
    def kernel(self, address: int) -> Optional[Place]:
        """The kernel function that holds an address."""

    def user(self, pid: int, address: int) -> Optional[Place]:
        """What holds an address of a process, which may have ended if it was remembered."""

    def remember(self, pid: int) -> None:
        """Record now what will be needed to name the addresses of a process that may end."""

    def mapped(self, one: Mapped) -> None:
        """A process mapped a file to run it."""

    def forked(self, pid: int, parent: int) -> None:
        """A process began with what its parent had mapped."""


def symbol_text(value: SymbolValue, symbols: Symboliser) -> str:
    """`ksym` and `usym`: the name without offset, or the address where there is none."""
    address = unsigned(value.address)
    place = symbols.user(value.pid, address) if value.pid else symbols.kernel(address)
    if place and place.name:
        return place.name
    return f"0x{address:x}" if address else "0"


def frames_of(value: StackValue, kind: Stack, symbols: Symboliser) -> Frames:
    """A stack as it is to be shown, in the mode its type asks for: `bpftrace`, `perf` or `raw`."""
    perf, raw = kind.mode == "perf", kind.mode == "raw"
    if value.frames:
        return Frames(value.frames, perf, kind.user)
    names = tuple(_frame(unsigned(a), kind, value.pid, symbols) for a in value.addresses[: kind.depth])
    return Frames(names, perf, kind.user, raw)


def _frame(address: int, kind: Stack, pid: int, symbols: Symboliser) -> str:
    if kind.mode == "raw":
        return f"{address:x}"
    place = symbols.user(pid, address) if kind.user else symbols.kernel(address)
    name = f"{place.name}+{place.offset}" if place and place.name else f"0x{address:x}"
    if kind.mode != "perf":
        return name
    module = f" ({place.module if place else '[unknown]'})" if kind.user else ""
    return f"{address:x} {name}{module}"
