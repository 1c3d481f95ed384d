"""Facts about a host: what was asked, what was answered, and how it is known.

Decisions rest on these and never on a kernel version: distributions backport, and a version only words a message.
`HostFacts` is the one interface that resolve, plan and doctor ask; a live host, a recorded bundle and a test's fake
all implement it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Optional, Protocol

from xtrace.core.records import dataclass
from xtrace.core.types import CType, Member


class State(Enum):
    """Five answers; only PRESENT, ABSENT and UNSUPPORTED are conclusive."""

    PRESENT = "present"
    ABSENT = "absent"
    DENIED = "denied"
    """The caller may not look: the answer is not known."""
    UNSUPPORTED = "unsupported"
    """The kernel refused a trial."""
    UNPROBED = "unprobed"
    """Nobody looked, or the recording does not have it."""


@dataclass(frozen=True)
class Fact:
    """One answer. `value` is JSON data or None. `evidence` says how it is known: a file and what it held, or a call
    and its errno."""

    state: State
    value: object = None
    evidence: str = ""
    errno: Optional[int] = None

    @property
    def yes(self) -> bool:
        return self.state is State.PRESENT

    @property
    def no(self) -> bool:
        """Conclusively not there. `not fact.yes` would also take what is merely unknown."""
        return self.state in (State.ABSENT, State.UNSUPPORTED)


@dataclass(frozen=True)
class EventFormat:
    """A tracepoint's record as its `format` file or BTF describes it (Documentation/trace/events.rst).

    `fields` are the event's own; `common` the header shared by all. `enums` maps names that the print format spells
    out (`__print_symbolic`) to values, by field.
    """

    system: str
    name: str
    id: int
    common: tuple[Member, ...]
    fields: tuple[Member, ...]
    print_format: str = ""
    enums: Mapping[str, Mapping[int, str]] = ()  # type: ignore[assignment]


@dataclass(frozen=True)
class FunctionPrototype:
    name: str
    parameters: tuple[tuple[str, CType], ...]
    result: CType
    evidence: str = ""


@dataclass(frozen=True)
class KernelSymbol:
    """A text symbol of kallsyms. `address` is 0 where hidden."""

    name: str
    type: str
    address: int = 0
    module: str = ""


class Symbols(Protocol):
    """The kernel's text symbols."""

    def lookup(self, name: str) -> tuple[KernelSymbol, ...]:
        """All symbols with exactly this name."""

    def address(self, name: str) -> Optional[int]:
        """Where a symbol lies, of data as well as of text; None where that is not known or hidden."""

    def variants(self, name: str) -> tuple[KernelSymbol, ...]:
        """Symbols `name.SUFFIX` that the compiler made of a function (.isra.0, .constprop.0, .part.0, .cold)."""

    def glob(self, pattern: str) -> tuple[KernelSymbol, ...]:
        """Text symbols whose name matches a shell pattern, in name order."""

    def near(self, name: str, count: int = 3) -> tuple[str, ...]:
        """Names that a user may have meant."""


class TypeSource(Protocol):
    """Kernel types by name. Unknown names answer None."""

    def struct(self, name: str) -> Optional[CType]:
        """The struct or union `name` (without the keyword), with its size."""

    def member(self, struct: str, name: str) -> Optional[Member]:
        """A member of a struct, looked for in its anonymous members too; the offset is from the outer struct."""

    def members(self, struct: str) -> tuple[Member, ...]: ...

    def typedef(self, name: str) -> Optional[CType]:
        """What a typedef or an `enum NAME` stands for."""

    def enumerator(self, name: str) -> Optional[int]:
        """The value of an enumerator anywhere in the kernel."""

    def enum_values(self, enum: str) -> Mapping[int, str]:
        """Names by value of one enum; empty where it is not known."""

    def prototype(self, function: str) -> Optional[FunctionPrototype]: ...


class HostFacts(Protocol):
    """Everything xtrace knows about one host. Cheap to make; each part is read when first asked."""

    @property
    def release(self) -> str: ...

    @property
    def arch(self) -> str:
        """As `uname -m` says: x86_64, aarch64, s390x, ..."""

    @property
    def recorded(self) -> bool:
        """True for a bundle: nothing can be tried, and user binaries cannot be read."""

    def fact(self, name: str) -> Fact:
        """The fact with a dotted name (`tracefs.path`, `bpf.syscall`, `kprobe.usable`). The names are listed in
        `xtrace.core.facts.catalog`; an unknown name raises KeyError."""

    def facts(self) -> Mapping[str, Fact]:
        """All facts of the catalog."""

    def events(self) -> Optional[frozenset[str]]:
        """`system:event` of every tracepoint; None where it cannot be known."""

    def event_format(self, system: str, event: str) -> Optional[EventFormat]: ...

    def config(self, option: str) -> Fact:
        """A kernel configuration option, `CONFIG_` included; the value is `y`, `m`, a number or a string."""

    @property
    def symbols(self) -> Symbols: ...

    @property
    def types(self) -> TypeSource: ...

    def filterable(self, function: str) -> Fact:
        """Is the function in available_filter_functions?"""

    def blacklisted(self, function: str) -> Fact:
        """Is the function on the kprobe blacklist?"""

    def read_binary(self, path: str) -> bytes:
        """The contents of a user program, for its symbols and USDT notes. Raises OSError."""


def near_names(name: str, names: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """The names most like `name`, best first; what every "did you mean" uses."""
    from difflib import get_close_matches

    known = list(names)
    return tuple(get_close_matches(name, alike(name, known) if len(known) > _MANY else known, n=count, cutoff=0.6))


_MANY = 500
"""Names that the exact comparison, 50 microseconds each, may take on."""


def alike(name: str, names: Iterable[str], count: int = 200) -> list[str]:
    """The `count` names that share most pairs of letters with `name`: a cheap sieve before the exact comparison."""
    pairs = {name[i : i + 2] for i in range(len(name) - 1)} or {name}
    scored = []
    for other in names:
        if abs(len(other) - len(name)) <= max(4, len(name) // 3):
            score = sum(pair in other for pair in pairs)
            if 2 * score >= len(pairs):
                scored.append((-score, abs(len(other) - len(name)), other))
    return [other for _, _, other in sorted(scored)[:count]]
