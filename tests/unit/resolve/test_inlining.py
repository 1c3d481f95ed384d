"""What is known of inlining on other kernels, and which of them a host is most like."""

from __future__ import annotations

import pytest

from tests.unit.facts.fleet import HOSTS, needs_hosts
from xtrace.core.facts.recorded import import_recorded
from xtrace.core.resolve.inlining import kin, known_events, partly_inlined, wholly_inlined


def test_a_function_and_the_kernels_that_inlined_it() -> None:
    known = wholly_inlined("tcp_drop")
    assert known is not None
    assert known.kernels_with("F") == "5.8 to 5.15"
    assert known.kernels_with("N") == "4.8 to 5.4"
    assert (known.on(["5.4", "5.8"]), known.on([])) == ("NF", "")


def test_functions_that_no_kernel_inlined_are_not_listed() -> None:
    assert partly_inlined("tcp_v4_connect") is None
    assert wholly_inlined("no_such_function") is None


@pytest.mark.parametrize("name", ["", "4.4", "NNNNNNNNNNNNNNN", "vfs_read\n", " "])
def test_only_whole_names_are_found(name: str) -> None:
    assert partly_inlined(name) is None


def test_a_kernel_of_a_known_source_has_one_kin() -> None:
    assert kin(frozenset(f"any:{name}" for name in known_events()["5.15"])) == ("5.15",)


def test_events_of_system_calls_do_not_count() -> None:
    names = [f"any:{name}" for name in known_events()["5.15"]]
    assert kin(frozenset((*names, *(f"syscalls:sys_enter_{n}" for n in range(700))))) == ("5.15",)


@needs_hosts
@pytest.mark.parametrize(
    ("host", "nearest"),
    [("rhel-8.5", "5.3"), ("debian-11", "5.8"), ("rhel-7.6", "4.13"), ("centos-7.1", "4.4"), ("debian-14", "6.8")],
)
def test_backports_count_and_numbers_do_not(host: str, nearest: str) -> None:
    assert kin(import_recorded(HOSTS / host).events() or frozenset())[0] == nearest
