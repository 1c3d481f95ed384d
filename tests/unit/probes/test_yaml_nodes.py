"""YAML with places, by the core rules of YAML 1.2."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtrace.core.lang.source import Source
from xtrace.core.probes.yaml_nodes import Items, Mapping, Value, read


def mapping(text: str) -> Mapping:
    root, complaints = read(Source("f.yaml", text))
    assert complaints == ()
    assert isinstance(root, Mapping)
    return root


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("on", "on"), ("yes", "yes"), ("NO", "NO"), ("true", True), ("False", False), ("tRue", "tRue"),
        ("12", 12), ("-3", -3), ("0755", 755), ("0x1f", 31), ("0b11", "0b11"), ("1_000", "1_000"), ("1:30", "1:30"),
        ("1.5", 1.5), ("1e3", 1000.0), ("null", None), ("~", None), ('"12"', "12"), ("'true'", "true"),
        ("2001-01-01", "2001-01-01"),
    ],
)  # fmt: skip
def test_plain_scalars(written: str, value: object) -> None:
    found = mapping(f"key: {written}\n").entries["key"]
    assert isinstance(found, Value)
    assert (found.value, type(found.value)) == (value, type(value))


def test_values_and_keys_know_their_places() -> None:
    root = mapping("first: 1\non:\n  - two\n  - {three: 3}\n")
    assert root.keys["on"].location() == "f.yaml:2:1"
    items = root.entries["on"]
    assert isinstance(items, Items)
    assert [item.span.location() for item in items.items] == ["f.yaml:3:5", "f.yaml:4:5"]


def test_a_key_that_stands_twice_is_a_complaint_and_the_first_holds() -> None:
    root, (complaint,) = read(Source("f.yaml", "a: 1\na: 2\n"))
    assert isinstance(root, Mapping)
    assert isinstance(root.entries["a"], Value)
    assert root.entries["a"].value == 1
    assert (complaint.code, complaint.span and complaint.span.location()) == ("XT0303", "f.yaml:2:1")
    assert "f.yaml:1:1" in complaint.message


@pytest.mark.parametrize(
    "text", ["a: [1\n", "a: b: c\n", "\tx: 1\n", "a: &x *y\n", "- !!python/object:os.system x: [\n"]
)
def test_what_is_not_yaml_points_at_the_line(text: str) -> None:
    root, (complaint,) = read(Source("f.yaml", text))
    assert root is None
    assert complaint.code == "XT0301"
    assert complaint.span is not None


def test_an_alias_that_contains_itself_ends() -> None:
    _, complaints = read(Source("f.yaml", "a: &x [1, *x]\n"))
    assert [one.code for one in complaints] == ["XT0301"]


def test_aliases_of_aliases_do_not_grow_without_end() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    _, complaints = read(Source("f.yaml", "\n".join(lines)))
    assert [one.code for one in complaints] == ["XT0301"]


def test_deep_nesting_is_a_complaint() -> None:
    root, (complaint,) = read(Source("f.yaml", "[" * 5000))
    assert (root, complaint.code) == (None, "XT0301")


def test_tags_make_no_objects() -> None:
    value = mapping("a: !!python/object/apply:os.system ['true']\n").entries["a"]
    assert isinstance(value, Items)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#, \n\t", max_size=60))
def test_any_text_is_read_or_complained_about(text: str) -> None:
    root, complaints = read(Source("f.yaml", text))
    assert root is not None or complaints
