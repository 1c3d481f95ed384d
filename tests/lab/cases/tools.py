"""The tools show exactly what a command did, on each backend."""

from __future__ import annotations

from typing import Any

from tests.lab.case import BACKENDS, case
from tests.lab.inside import equal, equal_counts, events, maps, workload, xtrace
from tests.lab.workload import MISSING, OPENED, tag

COUNT = 23
ENOENT = 2
# With -c a tool follows the command; the process id itself is a parameter of the module.
FOLLOWING = ("-p", "1", "--follow")


def rows(backend: str, tool: str, *words: str) -> list[dict[str, Any]]:
    """Run a tool and return its rows."""
    done = xtrace("run", tool, "--backend", backend, "--json", *words)
    return [event for event in events(done) if event.get("event") == tool]


@case(backends=BACKENDS, probes=["tracepoint"], stap=[("opensnoop", *FOLLOWING)], timeout=90)
def opensnoop(backend: str) -> None:
    """Every open of a command, with its path and its descriptor or its error."""
    found = rows(backend, "opensnoop", "-c", workload("opens", COUNT))
    tagged = [row for row in found if row["comm"] == tag("opens")]
    shown = [(row["path"], row["err"], row["fd"] >= 0) for row in tagged]
    opened = [(f"{OPENED}/{number}", 0, True) for number in range(COUNT)]
    missing = [(f"{MISSING}/{number}", ENOENT, False) for number in range(COUNT)]
    equal_counts(shown, [*opened, *missing], "opens")
    equal(len({row["pid"] for row in tagged}), 1, "processes")


@case(backends=BACKENDS, probes=["tracepoint"], stap=[("execsnoop", *FOLLOWING)], timeout=90)
def execsnoop(backend: str) -> None:
    """Every program a command starts, with the process that started it."""
    found = rows(backend, "execsnoop", "-c", workload("execs", COUNT))
    started = [row for row in found if row["path"] in ("/bin/true", "/bin/false")]
    shown = [(row["comm"], row["path"]) for row in started]
    expected = [(("true", "/bin/true"), ("false", "/bin/false"))[number % 2] for number in range(COUNT)]
    equal_counts(shown, expected, "programs")
    equal(len({row["pid"] for row in started}), COUNT, "different processes")
    equal(len({row["ppid"] for row in started}), 1, "parents")


@case(backends=BACKENDS, probes=["tracepoint"], stap=[("exitsnoop", *FOLLOWING)], timeout=90)
def exitsnoop(backend: str) -> None:
    """Every process that ends, with its exit status."""
    found = rows(backend, "exitsnoop", "-c", workload("exits", COUNT))
    codes = [(row["code"], row["sig"]) for row in found if row["comm"] == tag("exits")]
    # The workload itself ends with status 0 too.
    equal_counts(codes, [(0, 0), *((number, 0) for number in range(COUNT))], "exit statuses")


@case(backends=BACKENDS, probes=["tracepoint"], stap=[("syscount", *FOLLOWING)], timeout=90)
def syscount(backend: str) -> None:
    """System calls of a command, counted by name."""
    done = xtrace("run", "syscount", "--backend", backend, "--json", "-c", workload("getppids", COUNT))
    equal(maps(done)["@calls"].get(("getppid",)), COUNT, "calls of getppid")


@case(backends=BACKENDS, probes=["tracepoint"], stap=[("syscount", "-P", *FOLLOWING)], timeout=90)
def syscount_by_process(backend: str) -> None:
    """System calls counted by process: those asked for, and the prctl that gave the process its name."""
    done = xtrace("run", "syscount", "-P", "--backend", backend, "--json", "-c", workload("getppids", COUNT))
    found = [count for (_, comm), count in maps(done)["@calls"].items() if comm == tag("getppids")]
    equal(found, [COUNT + 1], "calls")
