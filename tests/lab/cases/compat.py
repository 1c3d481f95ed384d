"""System calls of 32-bit programs are named by their own ABI, or it is told that they are not seen."""

from __future__ import annotations

import shlex
from errno import ENOENT

from tests.lab.case import BACKENDS, case
from tests.lab.cases.hist import WITH_HIST
from tests.lab.compat_program import GETPID, GETPPID, OPEN, build
from tests.lab.inside import equal, events, maps, xtrace

PROGRAM = "/lab/compat/lab-compat"
THROUGH_THE_DOOR = "/lab/compat/lab-door"
PATH = "/lab/compat/is-not-there"
GETPIDS, OPENS, GETPPIDS = 23, 7, 5
FOLLOWING = ("-p", "1", "--follow")
NAMED = "tracepoint:raw_syscalls:sys_enter { @[syscall_name(args.id)] = count(); }"


def both() -> str:
    """Make the two programs and return the command that runs them."""
    build(PROGRAM, 32, [(GETPID, GETPIDS), (OPEN, OPENS)], PATH)
    build(THROUGH_THE_DOOR, 64, [(GETPPID, GETPPIDS)])
    return shlex.join(["sh", "-c", f"{PROGRAM}; {THROUGH_THE_DOOR}"])


def of_compat(counts: dict[str, int]) -> dict[str, int]:
    """The calls that are named as i386's, and those that have x86_64's names for its numbers."""
    return {name: count for name, count in counts.items() if ":" in name or name in ("writev", "semget")}


@case(backends=BACKENDS, probes=["tracepoint"], stap=[("syscount", *FOLLOWING)], timeout=90)
def calls_of_32_bit_programs(backend: str) -> None:
    """Calls of a 32-bit program, and those of a 64-bit one by `int 0x80`, have i386's names; only ftrace, which goes by
    the program, tells that it does not know the second ones."""
    done = xtrace("run", "syscount", "-v", "--backend", backend, "--json", "-c", both())
    found = of_compat({str(key[0]): count for key, count in maps(done)["@calls"].items()})
    expected = {"i386:execve": 1, "i386:getpid": GETPIDS, "i386:open": OPENS}
    if backend == "ftrace":
        assert "by `int 0x80`" in done.stderr, "the plan does not tell what it loses"
        equal(found, {**expected, "semget": GETPPIDS}, "calls")
    else:
        equal(found, {**expected, "i386:getppid": GETPPIDS}, "calls")


@case(backends=BACKENDS, probes=["tracepoint"], stap=[("-e", NAMED, *FOLLOWING)], timeout=90, long=True)
def beginnings_of_32_bit_calls(backend: str) -> None:
    """Names at the beginning of calls: the exec is the 64-bit shell's, the exit the 32-bit program's."""
    done = xtrace("trace", "--backend", backend, "--follow", "--json", "-e", NAMED, "-c", both())
    found = of_compat({str(key[0]): count for key, count in maps(done)["@"].items()})
    exits = 1 if backend == "ftrace" else 2
    expected = {"i386:getpid": GETPIDS, "i386:open": OPENS, "i386:exit": exits}
    other = {"semget": GETPPIDS} if backend == "ftrace" else {"i386:getppid": GETPPIDS}
    equal(found, {**expected, **other}, "calls")


@case(backends=BACKENDS, probes=["tracepoint"], stap=[("opensnoop", *FOLLOWING)], timeout=90)
def opens_of_32_bit_programs(backend: str) -> None:
    """What a 32-bit program opens is shown whole, or not at all where the plan tells that it is left out."""
    done = xtrace("run", "opensnoop", "-v", "--backend", backend, "--json", "-c", both())
    found = [row["err"] for row in events(done) if row.get("path") == PATH]
    equal(found, [] if "system calls of 32-bit programs" in done.stderr else [ENOENT] * OPENS, "opens")


@case(kernels=WITH_HIST, needs=["ftrace"], timeout=90, long=True)
def numbers_in_the_kernels_tables() -> None:
    """The kernel's tables have numbers alone: where the user asks for them, each number has the names of both ABIs."""
    both()
    program = 'tracepoint:raw_syscalls:sys_enter /comm == "lab-compat"/ { @[syscall_name(args.id)] = count(); }'
    done = xtrace("trace", "--backend", "ftrace", "--aggregate", "kernel", "--json", "-e", program, "-c", PROGRAM)
    assert "has the names of both" in done.stderr, "the run does not tell what it loses"
    expected = {"writev|i386:getpid": GETPIDS, "fstat|i386:open": OPENS, "write|i386:exit": 1}
    equal({key[0]: count for key, count in maps(done)["@"].items()}, expected, "calls")
