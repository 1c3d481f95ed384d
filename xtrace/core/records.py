"""Dataclasses that are completed when the first instance is made.

`dataclasses.dataclass` compiles six methods for every class, 0.3 ms each time. xtrace's languages have hundreds of node
classes of which one program uses a few, and a trace must start at once: this saves a third of its start. Afterwards
there is no difference. A class of which there is no instance yet has no `fields()`.
"""

from __future__ import annotations

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
            dataclasses.dataclass(**options)(base)


__all__ = ["complete", "dataclass"]
