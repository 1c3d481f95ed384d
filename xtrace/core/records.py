"""Dataclasses that are completed when the first instance is made.

`dataclasses.dataclass` compiles six methods for every class, 0.3 ms each time. xtrace has hundreds of such classes, of
which one trace uses a few dozen, and it must start at once: this saves a third of its start. Afterwards there is no
difference. A class of which there is no instance yet has no `fields()`. No class has methods of its own for equality,
hashing or showing.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls: type | None = None, /, **options: Any) -> Any:
        """`dataclasses.dataclass`, but later."""
        return _postponed(options) if cls is None else _postponed(options)(cls)


_pending: dict[type, dict[str, Any]] = {}
"""Classes without an instance so far, with the options of their decorators."""


def _postponed(options: dict[str, Any]) -> Callable[[type], type]:
    def decorate(cls: type) -> type:
        def first(self: Any, *values: Any, **named: Any) -> None:
            complete(cls)
            cls.__init__(self, *values, **named)  # type: ignore[misc]

        cls.__init__ = first  # type: ignore[misc]
        _pending[cls] = options
        return cls

    return decorate


def complete(cls: type) -> None:
    """Make a class of this module's decorator, and those that it derives from, ordinary dataclasses now."""
    import dataclasses

    for base in reversed(cls.__mro__):
        options = _pending.pop(base, None)
        if options is not None:
            del base.__init__  # type: ignore[misc]
            dataclasses.dataclass(**options, eq=False, repr=False)(base)
            _compare(base, frozen=bool(options.get("frozen")))


def _compare(cls: type, frozen: bool) -> None:
    """What dataclasses compile for equality, hashing and showing, without a compiler: half of a class's time."""
    import dataclasses

    fields = dataclasses.fields(cls)
    shown = [one.name for one in fields if one.repr]
    names = [one.name for one in fields if one.compare]
    # A tuple whatever the number of names.
    values = attrgetter(*names, *(["__class__"] if len(names) < 2 else [])) if names else _nothing

    def __eq__(self: Any, other: Any) -> Any:  # noqa: N807
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def __repr__(self: Any) -> str:  # noqa: N807
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    made: dict[str, Any] = {"__eq__": __eq__, "__repr__": __repr__, "__hash__": None}
    if frozen:
        made["__hash__"] = lambda self: hash(values(self))
    for name, method in made.items():
        setattr(cls, name, method)


def _nothing(one: object) -> tuple[()]:
    return ()


__all__ = ["complete", "dataclass"]
