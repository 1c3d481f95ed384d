"""`xtrace doctor` as a command: exit codes and what it prints."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.command_lines import Shell
from xtrace.builtin import CHECKS


def test_a_recorded_host(xtrace: Shell, bundle: str) -> None:
    done = xtrace("doctor", "--facts", bundle)
    assert done.code == 0
    assert "Linux 3.10.0-test x86_64, recorded" in done.out
    made = xtrace.document("doctor", "--facts", bundle)
    assert {check["id"] for check in made["checks"]} >= set(CHECKS)


def test_strict_turns_warnings_into_a_failure(xtrace: Shell, bundle: str) -> None:
    assert xtrace("doctor", "--strict", "--facts", bundle).code == 1


def test_one_tool(xtrace: Shell, bundle: str) -> None:
    done = xtrace("doctor", "execsnoop", "--facts", bundle)
    assert done.code == 0
    assert "1. ftrace: can run it" in done.out
    assert xtrace("doctor", "opensnoop", "--facts", bundle).code == 1


def test_checks_by_id(xtrace: Shell, bundle: str) -> None:
    listed = xtrace("doctor", "--list-checks").out
    assert all(name in listed for name in (*CHECKS, "XT-ENGINE-FTRACE", "XT-PLUGINS"))
    done = xtrace("doctor", "--check", "XT-PLUGINS", "--check", "XT-COMMAND", "--json", "--facts", bundle)
    assert [one["id"] for one in json.loads(done.out)["checks"]] == ["XT-PLUGINS", "XT-COMMAND"]


def test_a_check_that_crashes_is_told_and_gives_3(xtrace: Shell, bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from xtrace.doctor import checks

    def broken(facts: object) -> None:
        """A broken check."""
        raise KeyError("for a test")

    monkeypatch.setattr(checks, "lockdown", broken)
    done = xtrace("doctor", "--facts", bundle)
    assert done.code == 3
    assert "crash    XT-LOCKDOWN: KeyError" in done.out
    assert "What can be traced" in done.out, "the others still run"
