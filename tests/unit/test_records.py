"""Postponed dataclasses are dataclasses once there is an instance."""

from __future__ import annotations

import dataclasses
import pkgutil
from importlib import import_module

import pytest

import xtrace
from xtrace.core import records
from xtrace.core.records import dataclass


@dataclass(frozen=True)
class Base:
    a: int
    b: str = "b"


@dataclass(frozen=True)
class Derived(Base):
    c: tuple[int, ...] = dataclasses.field(default=(), compare=False)


@dataclass
class Loose:
    a: list[int] = dataclasses.field(default_factory=list)


class Plain(Base):
    """Not a dataclass itself."""


def test_a_derived_class_is_complete_with_its_first_instance() -> None:
    one = Derived(1, c=(2,))
    assert one == Derived(1, "b", (3,)), "c is not compared"
    assert hash(one) == hash(Derived(1))
    assert repr(one) == "Derived(a=1, b='b', c=(2,))"
    assert [field.name for field in dataclasses.fields(one)] == ["a", "b", "c"]
    assert dataclasses.replace(one, a=5).a == 5
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.a = 2  # type: ignore[misc]


def test_equality_needs_the_same_class_and_mutable_ones_have_no_hash() -> None:
    assert Base(1) != Derived(1) and Base(1) != Base(2)
    assert Loose([1]) == Loose([1]) != Loose() and repr(Loose()) == "Loose(a=[])"
    with pytest.raises(TypeError):
        hash(Loose())


def test_a_plain_subclass_and_wrong_arguments() -> None:
    assert Plain(1).b == "b"
    with pytest.raises(TypeError):
        Base()  # type: ignore[call-arg]


def test_no_ordinary_dataclass_derives_from_a_postponed_one() -> None:
    """It would not see the fields of its base."""
    for module in pkgutil.walk_packages(xtrace.__path__, "xtrace."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    derived: list[type] = []
    for base in records._pending:
        derived += base.__subclasses__()
    assert not [one for one in derived if "__dataclass_fields__" in vars(one)]
