"""Whose system calls threads make, by the programs that they run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.lab.compat_program import GETPID, build
from xtrace.backends.ftrace.programs import Programs
from xtrace.core.syscall_abi import COMPAT, NATIVE, UNKNOWN

GONE = 1 << 30
"""No process has this id (PID_MAX_LIMIT is 4 M)."""


@pytest.fixture
def paths(tmp_path: Path) -> dict[int, str]:
    return {bits: build(str(tmp_path / f"p{bits}"), bits, [(GETPID, 1)]) for bits in (32, 64)}


def script(path: Path, interpreter: str) -> str:
    path.write_text(f"#! {interpreter} -x\n")
    return str(path)


def test_an_exec_is_told_by_its_path_also_when_the_process_has_ended(paths: dict[int, str]) -> None:
    programs = Programs("x86_64")
    programs.executed(GONE, paths[32])
    assert programs.abi(GONE) == COMPAT
    programs.executed(GONE, paths[64])
    assert (programs.abi(GONE), programs.unknown) == (NATIVE, 0)


def test_a_script_is_what_its_interpreter_is(paths: dict[int, str], tmp_path: Path) -> None:
    programs = Programs("x86_64")
    programs.executed(GONE, script(tmp_path / "b", script(tmp_path / "a", paths[32])))
    assert programs.abi(GONE) == COMPAT


def test_a_script_that_runs_itself_is_not_known(tmp_path: Path) -> None:
    programs = Programs("x86_64")
    programs.executed(GONE, script(tmp_path / "a", str(tmp_path / "a")))
    assert (programs.abi(GONE), programs.unknown) == (UNKNOWN, 1)


def test_children_run_what_their_parents_ran(paths: dict[int, str]) -> None:
    programs = Programs("x86_64")
    programs.executed(GONE, paths[32])
    programs.forked(GONE, GONE + 1)
    programs.executed(GONE, paths[64])
    assert (programs.abi(GONE + 1), programs.abi(GONE)) == (COMPAT, NATIVE)


def test_an_id_given_anew_is_not_what_it_was(paths: dict[int, str]) -> None:
    programs = Programs("x86_64")
    programs.executed(GONE, paths[32])
    programs.forked(GONE + 2, GONE)
    assert programs.abi(GONE) == UNKNOWN


@pytest.mark.parametrize("path", ["relative", "/dev/fd/3", "/proc/self/exe", "/not/there", "/dev/null"])
def test_what_nobody_can_tell_is_unknown_and_counted_once(path: str) -> None:
    programs = Programs("x86_64")
    programs.executed(GONE, path)
    assert (programs.abi(GONE), programs.abi(GONE), programs.unknown) == (UNKNOWN, UNKNOWN, 1)


def test_this_process_is_known_from_proc() -> None:
    programs = Programs()
    programs.look([os.getpid()])
    programs.executed(os.getpid(), "/dev/fd/3")
    assert (programs.abi(os.getpid()), programs.unknown) == (NATIVE, 0)
