"""The names that a clause uses when a tool's options have become constants."""

from __future__ import annotations

import pytest

from xtrace.core.lang.parser import parse
from xtrace.core.lang.source import Source
from xtrace.core.resolve.live import names_in_use


@pytest.mark.parametrize(
    ("body", "used"),
    [
        ("if (true) { print(a); } else { print(b); }", {"a"}),
        ("if (false) { print(a); } else { print(b); }", {"b"}),
        ("if (a) { print(b); } else { print(c); }", {"a", "b", "c"}),
        ("if (!true || a) { print(b); }", {"a", "b"}),
        ("if (!false || a) { print(b); }", {"b"}),
        ("if (false && a) { print(b); }", set()),
        ('if ("" == "" || a == b) { print(c); }', {"c"}),
        ('if ("x" == "" || a == b) { print(c); }', {"a", "b", "c"}),
        ("if (0 == 0) { print(a); } else { print(b); }", {"a"}),
        ("if (0 != 0) { print(a); } else { print(b); }", {"b"}),
        ("print(true ? a : b);", {"a"}),
        ("print(a ? b : c);", {"a", "b", "c"}),
        ("@m[a] = b + 1;", {"a", "b"}),
    ],
)
def test_names(body: str, used: set[str]) -> None:
    clause = parse(Source("test", f"begin {{ {body} }}")).clauses[0]
    assert names_in_use(clause.body) == used


def test_a_predicate_and_a_body_are_asked_together() -> None:
    clause = parse(Source("test", "begin /!true || a/ { print(b); }")).clauses[0]
    assert names_in_use(clause.predicate, clause.body) == {"a", "b"}
