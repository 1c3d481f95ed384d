"""How the program's names are spelled in a script: nothing a user wrote can clash with the language or the tapset."""

from __future__ import annotations

import re
from collections.abc import Iterable


def map_names(maps: Iterable[str]) -> dict[str, str]:
    """A distinct script name for each map; a name that had to be changed gets a number so that none collide."""
    names: dict[str, str] = {}
    for position, name in enumerate(maps):
        plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
        names[name] = f"m_{plain}" if plain == name else f"m_{plain}_{position}"
    return names


def variable(name: str) -> str:
    return "v_" + re.sub(r"[^A-Za-z0-9_]", "_", name)
