"""The language and the readers of prototypes mean the same by a C name."""

from __future__ import annotations

import itertools

import pytest

from xtrace.core.c_types import LATER_TYPEDEFS, SIZE_WORDS, TYPEDEFS, integer
from xtrace.core.facts.ctypes_text import parse_type
from xtrace.core.facts.types import NoTypes
from xtrace.core.lang.typing.names_of_types import named_type
from xtrace.core.types import Int

COMBINATIONS = [" ".join(words) for count in (1, 2, 3) for words in itertools.permutations(sorted(SIZE_WORDS), count)]


@pytest.mark.parametrize("name", [*TYPEDEFS, *LATER_TYPEDEFS])
def test_typedefs(name: str) -> None:
    known = {**TYPEDEFS, **LATER_TYPEDEFS}[name]
    assert parse_type(name) == named_type(NoTypes(), name) == known


def test_words_in_any_order() -> None:
    for name in COMBINATIONS:
        assert parse_type(name) == named_type(NoTypes(), name), name


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("unsigned", Int(4, False)),
        ("long unsigned int", Int(8, False)),
        ("long long", Int(8, True)),
        ("short", Int(2, True)),
        ("char unsigned", Int(1, False)),
    ],
)
def test_integers(name: str, kind: Int) -> None:
    assert integer(name.split()) == kind


def test_qualifiers_alone_name_no_type() -> None:
    assert named_type(NoTypes(), "const") is None
