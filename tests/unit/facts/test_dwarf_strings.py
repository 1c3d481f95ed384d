"""Names among DWARF's strings, where linkers store a name as the end of a longer one."""

from __future__ import annotations

import pytest

from xtrace.core.facts.dwarf_strings import places_of


@pytest.mark.parametrize(
    ("strings", "name", "places"),
    [
        (b"sock\0file\0", b"sock", [0]),
        (b"file\0sock\0", b"sock", [5]),
        (b"file\0unix_sock\0", b"sock", [10]),
        (b"unix_sock\0sock\0", b"sock", [10]),
        # Sorted by their ends, "tcp_sock" comes first after "sock", then "unix_sock".
        (b"unix_sock\0tcp_sock\0socket\0", b"sock", [14, 5]),
        (b"socket\0", b"sock", []),
        (b"", b"sock", []),
    ],
)
def test_places(strings: bytes, name: bytes, places: list[int]) -> None:
    assert places_of(name, strings) == places
