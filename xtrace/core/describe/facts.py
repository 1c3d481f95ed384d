"""A host's facts as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from xtrace.core.errors import Diagnostic, UsageError
from xtrace.core.facts.catalog import CATALOG
from xtrace.core.facts.conclusive import fact_to_json
from xtrace.core.facts.model import Fact, HostFacts, near_names

_SHOWN = 60
"""Characters of a value on one line; `--json` has all of it."""


def chosen(host: HostFacts, names: Sequence[str]) -> Mapping[str, Fact]:
    """The facts of these names, `tracefs` for all of an area; all facts for none.

    Raises UsageError with XT0010 for a name that no fact has.
    """
    found: dict[str, Fact] = {} if names else dict(host.facts())
    for name in names:
        found.update(_named(name, host))
    return found


def _named(name: str, host: HostFacts) -> Mapping[str, Fact]:
    of_area = {fact: host.fact(fact) for fact in CATALOG if fact == name or fact.startswith(f"{name}.")}
    if of_area:
        return of_area
    try:
        return {name: host.fact(name)}
    except KeyError:
        near = near_names(name, CATALOG)
        hint = f"did you mean {' or '.join(near)}?" if near else "xtrace facts without a name shows all"
        raise UsageError(Diagnostic("XT0010", f"no fact is called {name!r}", hints=(hint,))) from None


def text(facts: Mapping[str, Fact]) -> str:
    """One fact per line: name, state, value, and how it is known."""
    width = 2 + max(map(len, facts), default=0)
    return "\n".join(f"{name:<{width}}{_line(fact)}" for name, fact in facts.items())


def _line(fact: Fact) -> str:
    value = "" if fact.value is None or fact.value is True else f" {_short(fact.value)}"
    evidence = f"  ({fact.evidence})" if fact.evidence else ""
    return f"{fact.state.value}{value}{evidence}"


def _short(value: object) -> str:
    words = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    plain = " ".join(words.split())
    return plain if len(plain) <= _SHOWN else f"{plain[: _SHOWN - 3]}..."


def document(host: HostFacts, facts: Mapping[str, Fact]) -> dict[str, object]:
    """The facts as a JSON object of schema `xtrace.facts/1`."""
    return {
        "schema": "xtrace.facts/1",
        "kernel": {"release": host.release, "arch": host.arch},
        "recorded": host.recorded,
        "facts": {name: fact_to_json(fact) for name, fact in facts.items()},
    }
