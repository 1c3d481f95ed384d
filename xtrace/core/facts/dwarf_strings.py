"""Where a name lies in DWARF's table of strings, from which the linker has removed what another string ends with."""

from __future__ import annotations

import re
from collections.abc import Iterator


def places_of(name: bytes, strings: bytes) -> list[int]:
    """Where a name may lie in a table of strings: the place of its own, else as the end of longer strings.

    Linkers keep only one of "sock" and "unix_sock", and which longer string it becomes a part of follows from sorting
    them by their ends (binutils, bfd/merge.c): the first place is nearly always the one.
    """
    ends = [(strings[strings.rfind(b"\0", 0, at) + 1 : at][::-1], at) for at in occurrences(strings, name + b"\0")]
    own = [at for before, at in ends if not before]
    return own or [at for _, at in sorted(ends)]


def occurrences(data: bytes, part: bytes) -> Iterator[int]:
    """Where `part` stands in `data`. Unlike bytes.find, re is as fast where the last byte is a frequent one."""
    return (match.start() for match in re.finditer(re.escape(part), data))
