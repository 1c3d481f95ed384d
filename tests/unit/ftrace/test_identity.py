"""Who is who, from the kernel's events of forks and renames alone; what is guessed is counted."""

from __future__ import annotations

import os

import pytest

from xtrace.backends.ftrace import identity as module
from xtrace.backends.ftrace.identity import CLONE_PARENT, CLONE_THREAD, Identity, Status


@pytest.fixture
def who(monkeypatch: pytest.MonkeyPatch) -> Identity:
    """Knows process 100 `sh`; /proc is empty."""
    monkeypatch.setattr(module, "read_status", lambda tid: None)
    made = Identity()
    made.threads[100] = module.Thread(100, "sh", 1)
    return made


def test_children_and_threads(who: Identity) -> None:
    who.forked(100, 101, "sh", 0)
    who.forked(101, 102, "sh", CLONE_THREAD)
    who.forked(101, 103, "sh", CLONE_PARENT)
    assert [who.pid(tid) for tid in (101, 102, 103)] == [101, 101, 103]
    assert [who.ppid(tid) for tid in (101, 102, 103)] == [100, 100, 100]


def test_names_change_with_exec_and_the_child_is_not_its_parent(who: Identity) -> None:
    who.forked(100, 101, "sh", 0)
    assert who.comm(101, 0) == "sh"
    who.renamed(101, "true")
    assert (who.comm(101, 0), who.comm(100, 0)) == ("true", "sh")


def test_a_reused_id_is_the_new_process(who: Identity) -> None:
    who.forked(100, 101, "sh", CLONE_THREAD)
    who.forked(100, 101, "other", 0)
    assert (who.pid(101), who.comm(101, 0)) == (101, "other")


def test_ids_given_to_another_process_are_counted(who: Identity) -> None:
    who.forked(100, 101, "sh", CLONE_THREAD)
    assert who.pid(102) == 102
    who.forked(100, 102, "sh", CLONE_THREAD)
    who.forked(100, 101, "sh", CLONE_THREAD)
    assert who.reused == 0, "a guess, and the same process again"
    who.forked(100, 101, "sh", 0)
    assert who.reused == 1


def test_what_nobody_knows_is_its_own_id_and_counted(who: Identity) -> None:
    assert (who.pid(999), who.comm(999, 0), who.guessed) == (999, "<...>", 1)


def test_the_idle_task_is_named_by_its_cpu(who: Identity) -> None:
    assert (who.pid(0), who.comm(0, 3), who.guessed) == (0, "swapper/3", 0)


@pytest.mark.parametrize(("follow", "inside"), [(True, {100, 101, 102, 103}), (False, {100, 102})])
def test_the_scope_follows_threads_and_if_asked_children(who: Identity, follow: bool, inside: set[int]) -> None:
    who.inside.add(100)
    who._follow = follow
    who.forked(100, 101, "sh", 0)
    who.forked(100, 102, "sh", CLONE_THREAD)
    who.forked(101, 103, "sh", 0)
    assert who.inside == inside
    who.exited(102)
    assert who.inside == inside - {102}


def test_a_thread_that_executes_a_program_takes_its_process_over(who: Identity) -> None:
    who.inside.add(100)
    who.forked(100, 102, "sh", CLONE_THREAD)
    who.exited(100)
    who.renamed(100, "true")
    assert 100 in who.inside and (who.pid(100), who.comm(100, 0)) == (100, "true")
    who.inside.discard(102)
    who.exited(100)
    assert not who.inside


def test_users_are_inherited_until_the_child_itself_was_seen(who: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {100: Status("sh", 100, 1, uid=7, gid=8)}
    monkeypatch.setattr(module, "read_status", seen.get)
    assert who.uid(100) == 7
    who.forked(100, 101, "sh", 0)
    assert (who.uid(101), who.gid(101)) == (7, 8)
    seen[101] = Status("sh", 101, 100, uid=9, gid=9)
    who.new_batch()
    assert who.uid(101) == 9


def test_this_process_is_found_in_proc() -> None:
    status = module.read_status(os.getpid())
    assert status is not None and (status.tgid, status.uid) == (os.getpid(), os.getuid())
    assert os.getpid() in module.threads_of(os.getpid()) and module.threads_of(1 << 30) == []
