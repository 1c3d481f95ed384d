"""Things to say that differ in one word, said once: a glob may attach to hundreds of functions that all fail alike."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace

from xtrace.core.errors import Diagnostic

MOST = 4
"""So many of the others' words are enough for a reader."""
_PARTS = re.compile(r"[\w[\]]+|[^\w[\]]+|^$")

Saying = tuple[str, tuple[str, ...], Hashable]
"""A text, texts that follow it and may hold its word too, and what else must be equal."""


def said_once(texts: Sequence[str], most: int | None = None) -> list[str]:
    """The texts in order; of those that differ in one word only the first, with the words of the others.

    `most` limits these words; what programs read too must have all.
    """
    groups = _grouped([(text, (), None) for text in texts])
    return [texts[first] + _others(words, most or len(words)) for first, words in groups]


def told_once(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """The diagnostics in order; of those that differ in one word only the first, with MOST words of the others."""
    groups = _grouped([(one.message, one.hints, (one.code, one.severity, one.span)) for one in diagnostics])
    return [
        replace(diagnostics[first], message=diagnostics[first].message + _others(words, MOST))
        for first, words in groups
    ]


def _grouped(sayings: Sequence[Saying]) -> Iterator[tuple[int, list[str]]]:
    """The first saying of each group by its number, and the words of the others."""
    members: dict[Hashable, list[tuple[int, str]]] = {}
    for number, saying in enumerate(sayings):
        for word, rest in _without_a_word(saying):
            members.setdefault(rest, []).append((number, word))
    told: set[int] = set()
    for number, saying in enumerate(sayings):
        if number in told:
            continue
        groups = [[pair for pair in members[rest] if pair[0] not in told] for _, rest in _without_a_word(saying)]
        largest = max(groups, key=len)
        told.update(index for index, _ in largest)
        yield number, list(dict.fromkeys(word for index, word in largest if sayings[index] != saying))


def _without_a_word(saying: Saying) -> Iterator[tuple[str, Hashable]]:
    """Each word of a saying, and the saying with that word left out wherever it stands."""
    text, following, equal = saying
    parts = [_PARTS.findall(one) for one in (text, *following)]
    for word in dict.fromkeys(parts[0]):
        yield word, (equal, *(tuple("" if part == word else part for part in one) for one in parts))


def _others(words: list[str], most: int) -> str:
    if not words:
        return ""
    if len(words) > most:
        return f"; the same of {', '.join(words[:most])} and {len(words) - most} more"
    return f"; the same of {', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else f"; the same of {words[0]}"
