"""The shell script: accepted by every shell and by shellcheck, whatever strings are in the program."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.ftrace.hosts import MODERN, RHEL7, SYNTHETIC, emitting, features, field, timing, tracepoint
from xtrace.backends.ftrace.lower import lower
from xtrace.backends.ftrace.script import script
from xtrace.core import ir
from xtrace.core.attach import Interval, Uprobe
from xtrace.core.plan.model import Plan
from xtrace.core.types import Int, Space

SHELLS = [shell for shell in (["dash"], ["bash", "--posix"], ["busybox", "ash"]) if shutil.which(shell[0])]


def rendered(facts: dict[str, object], path: str, text: str, name: str = "uprobe:x") -> str:
    exec_ = tracepoint("sched:sched_process_exec")
    probe = Uprobe(name, path, "f", 0x10)
    string = ir.ReadString(ir.Arg(0), Space.USER)
    program = emitting(
        ir.Clause((exec_,), ir.Compare("==", field(exec_, "filename"), ir.Text(text)), (ir.Output(0, ()),)),
        ir.Clause((probe,), ir.Compare("!=", string, ir.Text(text)), (ir.Output(0, (string,)),)),
        ir.Clause((exec_,), None, (ir.Output(0, (ir.Builtin("kstack", Int()),)),)) if facts is MODERN else
        ir.Clause((exec_,), None, (ir.Output(0, ()),)),
    )  # fmt: skip
    return script(Plan("ftrace", program, detail=lower(program, features(facts))))


def of(program: ir.Program, facts: dict[str, object] = MODERN) -> str:
    return script(Plan("ftrace", program, detail=lower(program, features(facts))))


def timed() -> str:
    """The script of a program whose times are taken in the kernel."""
    return of(timing(aggregate="kernel"), {**MODERN, **SYNTHETIC})


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="needs shellcheck")
@pytest.mark.parametrize(
    "text",
    [rendered(MODERN, "/opt/a b/$(id)", "it's"), rendered(RHEL7, "/opt/a b/$(id)", "it's"), timed()],
    ids=["modern", "rhel7", "timed"],
)
def test_shellcheck_has_nothing_to_say(text: str) -> None:
    done = subprocess.run(["shellcheck", "-"], input=text.encode(), capture_output=True)
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.skipif(not SHELLS, reason="needs a POSIX shell")
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30), st.text(max_size=10))
def test_no_string_becomes_a_command(wild: str, name: str) -> None:
    """Run with `tracefs` a place that does not exist, after everything of the program's is made harmless: the words
    of `put`, `add`, ... are printed, one line each, and must be what was meant."""
    text = rendered(MODERN, f"/{wild}", wild, name)
    for shell in SHELLS:
        assert subprocess.run([*shell, "-n"], input=text.encode("utf-8", "surrogateescape")).returncode == 0
    steps = text[text.index("\nmake 'make a private") : text.index("\n# Reading must not")]
    prelude = "name=N threads=T buffer=B\n" + "".join(
        f"{verb}() {{ printf '%s\\0' {verb} \"$#\"; }}\n" for verb in ("make", "put", "add", "try", "limit")
    )
    done = subprocess.run([*SHELLS[0]], input=(prelude + steps).encode("utf-8", "surrogateescape"), capture_output=True)
    said = done.stdout.decode().split("\0")[:-1]
    assert done.returncode == 0 and not done.stderr
    assert set(said[1::2]) == {"3"} and set(said[::2]) <= {"make", "put", "add", "try", "limit"}


def test_timed_events_are_taken_apart_from_the_end() -> None:
    """First the trigger that reads the other's variable, last the definition, when the instance is gone."""
    undo = timed().partition("\nundo() {")[2].partition("\n}")[0]
    events = ("sys_enter/trigger", "sys_enter_openat/trigger", "__0/trigger", "rmdir", "forget synthetic_events")
    places = [undo.index(event) for event in events]
    assert places == sorted(places)


def test_tables_are_printed_at_the_end_and_know_no_process() -> None:
    text = timed()
    assert 'cat "$here"/events/synthetic/"$name"__0/hist' in text
    assert "\nlimit" not in text and "-p cannot limit them" in text
    head = text.partition("set -u")[0]
    assert "# @t: the tables by lat.log2 and by lat" in head and "# @start: kept by the kernel" in head
    assert "prints\n# the kernel's tables at the end, and undoes" in head


def test_the_head_tells_what_only_xtrace_does() -> None:
    exec_ = tracepoint("sched:sched_process_exec")
    clauses = (
        ir.Clause((exec_,), None, (ir.Output(0, (ir.Builtin("pid", Int(4, False)),)),)),
        ir.Clause((Interval("interval:s:1", 10**9),), None, (ir.Output(0, ()),)),
    )
    head = of(emitting(*clauses, scope=ir.Scope(uid=1000))).partition("set -u")[0]
    assert "# interval:s:1: done by xtrace" in head
    assert "# --uid: tested by xtrace" in head
    assert "# Only xtrace tells the pid of a thread" in head
    assert "# What the program prints of an event is shown as the kernel prints the event." in head
