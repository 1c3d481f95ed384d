"""The functions that a program calls, out of `support.h`: those that it names, and what these name in turn."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from xtrace.core.quoting import Code
from xtrace.core.render import TEMPLATES

_DEFINED = re.compile(r"^static __always_inline \w+ (x_\w+)\(", re.M)
_NAMES = re.compile(r"\bx_\w+")


@cache
def functions() -> Mapping[str, str]:
    """Every function with its comment, by name, each after those that it calls."""
    paragraphs = (TEMPLATES / "bcc" / "support.h").read_text("ascii").split("\n\n")
    named = ((_DEFINED.search(paragraph), paragraph.strip()) for paragraph in paragraphs)
    return {match.group(1): text for match, text in named if match}


def needed(texts: Iterable[str]) -> tuple[Code, ...]:
    """The functions that pieces of C call, in an order that C accepts."""
    known = functions()
    wanted: set[str] = set()
    waiting = {name for text in texts for name in _NAMES.findall(text)}
    while waiting:
        name = waiting.pop()
        if name in known and name not in wanted:
            wanted.add(name)
            waiting.update(_NAMES.findall(known[name]))
    return tuple(Code(text) for name, text in known.items() if name in wanted)
