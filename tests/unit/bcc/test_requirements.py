"""What BCC needs, told from facts alone."""

from __future__ import annotations

from typing import Any

import pytest

from xtrace.backends.bcc.backend import BccBackend
from xtrace.backends.bcc.requirements import interpreter, lacking, not_installed
from xtrace.core.facts.model import Fact, State
from xtrace.testing.hosts import FakeHost

GOOD: dict[str, Any] = {
    "bpf.syscall": True,
    "bpf.prog.kprobe": True,
    "bcc.python": {"path": "/usr/bin/python3", "version": "0.26.0", "python_version": "3.11.2"},
    "caller.uid": 0,
    "kernel.lockdown": "none",
    "os.id": "rhel",
}


def host(**changes: Any) -> FakeHost:
    facts = {**GOOD, **{name.replace("__", "."): value for name, value in changes.items()}}
    return FakeHost(facts=facts)


def states(facts: FakeHost) -> set[str]:
    return {finding.state for finding in BccBackend().check(facts)}


def test_a_good_host() -> None:
    assert states(host()) == {"ok"}
    assert lacking(host()) == ()
    assert interpreter(host()) == "/usr/bin/python3"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bpf__syscall": Fact(State.ABSENT, evidence="bpf(2): ENOSYS")}, "bpf(2): ENOSYS"),
        ({"bcc__python": Fact(State.ABSENT, evidence="no bcc.BPF in /usr/bin/python3")}, "no bcc.BPF"),
        ({"kernel__lockdown": "confidentiality"}, "confidentiality"),
    ],
)
def test_what_is_lacking_has_evidence_and_a_remedy(changes: dict[str, Any], words: str) -> None:
    (diagnostic,) = lacking(host(**changes))
    assert words in diagnostic.message and diagnostic.hints


def test_the_remedy_is_this_distributions_package() -> None:
    (diagnostic,) = lacking(host(bcc__python=Fact(State.ABSENT, evidence="none")))
    assert diagnostic.hints == ("yum install python3-bcc (RHEL 7: python-bcc)",)


def test_a_program_for_elsewhere_needs_no_module_here_but_is_told_of_it() -> None:
    facts = host(bcc__python=Fact(State.ABSENT, evidence="none"))
    assert lacking(facts, elsewhere=True) == ()
    assert "yum install python3-bcc" in not_installed(facts)[0].message
    assert not_installed(host()) == ()


def test_privileges_are_judged_at_the_launch() -> None:
    facts = host(caller__uid=1000, caller__capabilities=[])
    assert "fail" in states(facts)
    assert lacking(facts) == ()


def test_root_without_any_capability_lacks_what_it_takes() -> None:
    assert "fail" in states(host(caller__capabilities=[]))
    assert "fail" not in states(host(caller__capabilities=["bpf", "perfmon"]))


def test_what_nobody_looked_at_is_unknown() -> None:
    assert "unknown" in states(FakeHost())
    assert lacking(FakeHost()) == ()
