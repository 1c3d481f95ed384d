"""System calls of 32-bit programs on this kernel: by their own names, on each engine that runs here."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.compat_program import GETPID, GETPPID, OPEN, build
from tests.live.cli_runs import clean, live, rows, run
from xtrace.core.facts.live import LiveHost

pytestmark = [
    *live,
    pytest.mark.skipif(os.geteuid() != 0, reason="tracing needs root"),
    pytest.mark.skipif(LiveHost().fact("kernel.compat").value != ["i386"], reason="the kernel serves no i386 programs"),
]
GETPIDS, OPENS, GETPPIDS = 23, 7, 5
OF_32_BITS = {"i386:execve": 1, "i386:getpid": GETPIDS, "i386:open": OPENS}


@pytest.fixture(params=["ftrace", "bcc"])
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    name = str(request.param)
    if name == "bcc" and not LiveHost().fact("bcc.python").yes:
        pytest.skip("no Python owns BCC's module")
    with clean():
        yield name


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = build(str(tmp_path / "lab-compat"), 32, [(GETPID, GETPIDS), (OPEN, OPENS)], str(tmp_path / "missing"))
    subprocess.run([path], check=True)
    return path


def counts(*words: str) -> dict[str, int]:
    """The calls of i386, and those that have x86_64's names for the numbers used here."""
    done = run(*words, "--json")
    assert done.returncode == 0, done.stderr
    (last,) = [one for one in rows(done.stdout) if one["schema"] == "xtrace.map/1"]
    found = {str(entry["key"][0]): entry["value"] for entry in last["entries"]}
    return {name: count for name, count in found.items() if ":" in name or name in ("writev", "semget")}


def test_a_32_bit_program(backend: str, program: str) -> None:
    assert counts("run", "syscount", "--backend", backend, "-c", program) == OF_32_BITS


def test_one_that_a_64_bit_shell_starts_by_a_script(backend: str, program: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(f"#!{program}\n")
    script.chmod(0o755)
    command = f"sh -c '{script}; /bin/true; exec {program}'"
    expected = {name: 2 * count for name, count in OF_32_BITS.items()}
    assert counts("run", "syscount", "--backend", backend, "-c", command) == expected


def test_a_64_bit_program_through_the_other_door(backend: str, tmp_path: Path) -> None:
    path = build(str(tmp_path / "lab-door"), 64, [(GETPPID, GETPPIDS)])
    subprocess.run([path], check=True)
    found = counts("run", "syscount", "--backend", backend, "-c", path)
    assert found == ({"semget": GETPPIDS} if backend == "ftrace" else {"i386:getppid": GETPPIDS})


def test_filters_take_the_abi_into_account(backend: str, program: str) -> None:
    text = (
        "tracepoint:raw_syscalls:sys_enter /syscall_name(args.id) == 20/ { @own = count(); } "
        'tracepoint:raw_syscalls:sys_enter /args.id == 20/ { printf("%s %d\\n", syscall_name(args.id), '
        "syscall_name(args.id)); }"
    )
    done = run("trace", "--backend", backend, "-c", program, "-e", text)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("i386:getpid 20\n") == GETPIDS
    assert "@own" not in done.stdout


def test_numbers_of_another_event_have_the_names_of_both(backend: str, program: str) -> None:
    text = "tracepoint:raw_syscalls:sys_enter /args.id == 20/ { @n = args.id; } END { print(syscall_name(@n)); }"
    done = run("trace", "--backend", backend, "-c", program, "-e", text)
    assert "writev|i386:getpid" in done.stdout.splitlines()


OWN = 'tracepoint:syscalls:sys_enter_getpid /comm == "lab-compat"/ { @ = count(); }'
LEFT_OUT = "warning: system calls of 32-bit programs (i386): the kernel's syscalls:* events leave them out\n"


def test_a_32_bit_target_is_told_what_the_kernels_own_events_leave_out(program: str) -> None:
    done = run("trace", "--backend", "ftrace", "-c", program, "-e", OWN)
    assert done.stderr.count(LEFT_OUT) == 1
    assert not done.stdout.strip()


def test_others_are_told_when_they_ask(program: str) -> None:
    quiet, verbose = (
        run("trace", *words, "--backend", "ftrace", "-c", f"sh -c {program}", "-e", OWN) for words in ((), ("-v",))
    )
    assert (quiet.stderr.count(LEFT_OUT), verbose.stderr.count(LEFT_OUT)) == (0, 1)
