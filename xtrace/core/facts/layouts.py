"""Where a member chain lies, resolved once to numbers, from the first source that knows the struct."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Callable, Optional, TypeVar

from xtrace.core.errors import XtraceError
from xtrace.core.facts.model import FunctionPrototype, TypeSource, near_names
from xtrace.core.records import dataclass
from xtrace.core.types import CType, Member, Struct

_T = TypeVar("_T")


@dataclass(frozen=True)
class Source:
    """Types that are opened when all sources before lacked a name. `open` gives None where there are none."""

    name: str
    open: Callable[[], Optional[TypeSource]]


class FirstOf:
    """A `TypeSource` that asks several in order. What one of them knows in part is not completed from another."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._waiting = list(sources)
        self._opened: list[TypeSource] = []

    def _ask(self, question: Callable[[TypeSource], Optional[_T]]) -> Optional[_T]:
        position = 0
        while True:
            while position < len(self._opened):
                answer = question(self._opened[position])
                if answer is not None:
                    return answer
                position += 1
            if not self._waiting:
                return None
            source = self._waiting.pop(0)
            opened = source.open()
            if opened is not None:
                self._opened.append(opened)

    def struct(self, name: str) -> Optional[CType]:
        known = self.knowing(name)
        return known.struct(name) if known is not None else None

    def member(self, struct: str, name: str) -> Optional[Member]:
        known = self.knowing(struct)
        return known.member(struct, name) if known is not None else None

    def members(self, struct: str) -> tuple[Member, ...]:
        known = self.knowing(struct)
        return known.members(struct) if known is not None else ()

    def typedef(self, name: str) -> Optional[CType]:
        known = self._ask(lambda source: source if source.typedef(name) is not None else None)
        return known.typedef(name) if known is not None else None

    def enumerator(self, name: str) -> Optional[int]:
        return self._ask(lambda source: source.enumerator(name))

    def enum_values(self, enum: str) -> Mapping[int, str]:
        return self._ask(lambda source: source.enum_values(enum) or None) or {}

    def prototype(self, function: str) -> Optional[FunctionPrototype]:
        return self._ask(lambda source: source.prototype(function))

    def knowing(self, struct: str) -> Optional[TypeSource]:
        """The first source that knows the struct."""
        return self._ask(lambda source: source if source.struct(struct) is not None else None)


@dataclass(frozen=True)
class Layout:
    """A member chain as numbers: `offset` bytes from the start of the outermost struct, read as `member` says."""

    offset: int
    member: Member


def layout(types: TypeSource, struct: str, path: str) -> Layout:
    """Where `path` (`__sk_common.skc_dport`) lies in `struct`; every step but the last is a struct, never a pointer.

    Raises XtraceError XT0410 with near names.
    """
    offset, inside = 0, struct
    member: Optional[Member] = None
    for name in path.split("."):
        if member is not None:
            if not isinstance(member.type, Struct):
                raise XtraceError.of(
                    "XT0410", f"{member.name} of struct {inside} is not a struct: `.{name}` is not in it"
                )
            inside = member.type.name
        found = types.member(inside, name)
        if found is None:
            raise _unknown(types, inside, name)
        member, offset = found, offset + found.offset
    if member is None:
        raise _unknown(types, struct, path)
    return Layout(offset, member)


def _unknown(types: TypeSource, struct: str, name: str) -> XtraceError:
    if types.struct(struct) is None:
        return XtraceError.of(
            "XT0410",
            f"struct {struct} is not known here",
            hints=("install debuginfo or headers of the running kernel: xtrace doctor names the packages",),
        )
    near = near_names(name, (member.name for member in types.members(struct)))
    hints = (f"did you mean {', '.join(near)}?",) if near else ()
    return XtraceError.of("XT0410", f"struct {struct} has no member {name}", hints=hints)
