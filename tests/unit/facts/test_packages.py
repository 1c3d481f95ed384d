"""Remedies are the distribution's own commands."""

from __future__ import annotations

import pytest

from xtrace.core.facts import packages
from xtrace.testing.hosts import FakeHost

RELEASE = FakeHost().release


@pytest.mark.parametrize(
    ("facts", "debuginfo", "headers", "gcc"),
    [
        ({"os.id": "debian"}, f"apt-get install linux-image-{RELEASE}-dbg", "linux-headers-", "apt-get install gcc"),
        (
            {"os.id": "rocky", "os.like": ["rhel", "fedora"]},
            "dnf debuginfo-install",
            "yum install kernel-devel-",
            "yum install gcc",
        ),
        ({"os.id": "plan9"}, "as your distribution provides it", RELEASE, "install the package gcc"),
        ({}, "as your distribution provides it", RELEASE, "install the package gcc"),
    ],
)
def test_commands(facts: dict[str, object], debuginfo: str, headers: str, gcc: str) -> None:
    host = FakeHost(facts=facts)
    assert debuginfo in packages.command(host, packages.DEBUGINFO)
    assert headers in packages.command(host, packages.KERNEL_HEADERS)
    assert packages.install(host, "gcc") == gcc


def test_every_table_has_an_answer_for_an_unknown_distribution() -> None:
    for table in (packages.DEBUGINFO, packages.BCC, packages.KERNEL_HEADERS):
        assert packages.command(FakeHost(), table)
