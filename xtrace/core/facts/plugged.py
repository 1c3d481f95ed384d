"""A host's facts with those that plugins add (`xtrace_register_capabilities`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, cast

from xtrace.core.facts.model import Fact, HostFacts, State

Capability = Callable[[HostFacts], Fact]


class _Plugged:
    """The host, and more facts, each found out when it is first asked for. A capability that raises is unprobed."""

    def __init__(self, host: HostFacts, added: Mapping[str, Callable[[], Capability]]) -> None:
        self._host, self._added = host, added
        self._found: dict[str, Fact] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host, name)

    def fact(self, name: str) -> Fact:
        if name not in self._added:
            return self._host.fact(name)
        if name not in self._found:
            try:
                self._found[name] = self._added[name]()(self._host)
            except Exception as error:  # a plugin may fail in any way
                self._found[name] = Fact(State.UNPROBED, None, f"its plugin failed: {type(error).__name__}: {error}")
        return self._found[name]

    def facts(self) -> Mapping[str, Fact]:
        return {**self._host.facts(), **{name: self.fact(name) for name in self._added}}


def with_capabilities(host: HostFacts, added: Mapping[str, Callable[[], Capability]]) -> HostFacts:
    """The host's facts and those that `added` names; the host itself where there are none."""
    return cast(HostFacts, _Plugged(host, added)) if added else host
