"""Each check on hosts where it has something to say, and where it has not."""

from __future__ import annotations

from pathlib import Path

import pytest

from xtrace.builtin import CHECKS
from xtrace.core.facts.model import Fact, State
from xtrace.core.plan.model import Finding
from xtrace.doctor import checks
from xtrace.testing.hosts import FakeHost


def states(*found: Finding) -> list[str]:
    return [one.state for one in found]


def test_every_id_has_a_function_with_a_title() -> None:
    for name in CHECKS.values():
        assert (getattr(checks, name).__doc__ or "").strip()


@pytest.mark.parametrize("name", CHECKS.values())
def test_a_host_of_which_nothing_is_known_gives_no_verdict(name: str) -> None:
    found = getattr(checks, name)(FakeHost())
    assert found
    assert not {"ok", "fail"} & set(states(*found))


@pytest.mark.parametrize(
    ("name", "facts", "first"),
    [
        ("caller", {"caller.uid": 0, "caller.capabilities": ["sys_admin"], "caller.container": False}, "ok"),
        ("caller", {"caller.uid": 0, "caller.capabilities": ["chown"]}, "warn"),
        ("caller", {"caller.uid": 1000, "caller.capabilities": []}, "warn"),
        ("lockdown", {"kernel.lockdown": "none"}, "ok"),
        ("lockdown", {"kernel.lockdown": "integrity"}, "warn"),
        ("lockdown", {"kernel.lockdown": "confidentiality"}, "fail"),
        ("types", {"bpf.btf": "/sys/kernel/btf/vmlinux"}, "ok"),
        ("types", {"bpf.btf": False, "kernel.debuginfo": "/usr/lib/debug/vmlinux"}, "ok"),
        ("types", {"bpf.btf": False, "kernel.debuginfo": False, "os.id": "debian"}, "warn"),
        ("symbols", {"kernel.kallsyms": True, "kernel.kptr_restrict": 1}, "ok"),
        ("symbols", {"kernel.kallsyms": True, "kernel.kptr_restrict": 2}, "warn"),
        ("switches", {"kernel.ftrace_enabled": 0}, "warn"),
        ("switches", {"kernel.ftrace_enabled": 1}, "ok"),
        ("foreign_bcc", {"bcc.foreign": ["/usr/bin/python3"]}, "warn"),
        ("foreign_bcc", {"bcc.foreign": False}, "ok"),
    ],
)
def test_checks(name: str, facts: dict[str, object], first: str) -> None:
    found = getattr(checks, name)(FakeHost(facts=facts))
    assert states(found[0]) == [first]
    assert first == "ok" or found[0].remedy


def test_a_container_is_named() -> None:
    inside = Fact(State.PRESENT, "docker", "/.dockerenv is there")
    found = checks.caller(FakeHost(facts={"caller.uid": 0, "caller.container": inside}))
    assert found[1].state == "warn"
    assert found[1].evidence.startswith("/.dockerenv is there")
    assert "the host's programs" in found[1].remedy


def test_process_ids_of_ones_own_are_told() -> None:
    own = Fact(State.ABSENT, ["pid", "cgroup"], "own pid, cgroup")
    (_, found) = checks.caller(FakeHost(facts={"caller.uid": 0, "caller.initial_namespaces": own}))
    assert (found.state, "--pid=host" in found.remedy) == ("warn", True)


def test_configuration_options_that_are_missing() -> None:
    config = {"CONFIG_TRACING": "y", "CONFIG_PERF_EVENTS": "y", "CONFIG_STACKTRACE": "y"}
    found = checks.kernel_configuration(FakeHost(config=config, facts={"kernel.config": "/boot/config"}))
    assert states(*found) == ["ok", "ok", "ok", "warn"]
    assert "system calls by name" in found[3].evidence


OURS = "#!/usr/bin/python3\nfrom xtrace.cli.main import main\n"
WRAPPER = '#!/bin/sh\nexec python3 -m xtrace "$@"\n'
FOREIGN = "#!/bin/sh\n# trace X11 clients\n"


@pytest.mark.parametrize(
    ("programs", "state"),
    [
        ([], "skip"),
        ([OURS], "ok"),
        ([WRAPPER], "ok"),
        ([FOREIGN], "warn"),
        ([FOREIGN, OURS], "warn"),
        ([OURS, FOREIGN], "ok"),
    ],
)
def test_a_foreign_xtrace_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programs: list[str], state: str
) -> None:
    places = []
    for number, script in enumerate(programs):
        place = tmp_path / str(number)
        place.mkdir()
        (place / "xtrace").write_text(script)
        (place / "xtrace").chmod(0o755)
        places.append(str(place))
    monkeypatch.setenv("PATH", ":".join([*places, str(tmp_path / "none")]))
    (found,) = checks.command_on_path(FakeHost(recorded=False))
    assert found.state == state
