"""Which backend serves, why the others do not, and what happens when the first one fails."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.lab.capability import LAB
from tests.lab.case import BACKENDS, case
from tests.lab.cases.programs import COUNT, LATENCY
from tests.lab.inside import command, equal, maps, workload, xtrace
from tests.lab.workload import tag

NO_BACKEND = 4
NOT_STARTED = 5


@case(timeout=90)
def every_backend_is_judged() -> None:
    """A plan names each backend, those that cannot serve with a reason."""
    document = json.loads(xtrace("plan", "--json", "-e", LATENCY).stdout)
    ranked = [entry["backend"] for entry in document["ranked"]]
    refused = [entry["backend"] for entry in document["refused"]]
    equal(sorted(ranked + refused), sorted(BACKENDS), "backends")
    assert "ftrace" in ranked and "bcc" in ranked, document
    assert all(entry["diagnostics"] for entry in document["refused"]), document["refused"]


@case(kernels=["5.10"], timeout=90)
def inlined_function() -> None:
    """5.10 has tcp_drop only inlined; no backend pretends to probe it."""
    for backend in BACKENDS:
        done = xtrace("plan", "--backend", backend, "-e", "kprobe:tcp_drop { @ = count(); }", status=NO_BACKEND)
        assert "tcp_drop" in done.stdout + done.stderr, done
        assert "inlined" in done.stdout + done.stderr, done


@case(needs=["bcc"], timeout=90)
def broken_compiler() -> None:
    """Where BCC's program does not compile, the next backend runs, says so and counts the same."""
    broken = Path("/lab/broken")
    shutil.copytree(LAB / "tree/xtrace", broken / "xtrace")
    headers = list((broken / "xtrace/backends/bcc/headers").rglob("*.h"))
    assert headers, "no headers to break"
    for header in headers:
        header.write_text("#error broken on purpose\n")
    # ftrace serves this in user space only, so BCC comes first.
    words = ["trace", "--json", "-e", LATENCY, "-c", workload("reads", COUNT)]
    done = command("env", f"PYTHONPATH={broken}", "python3", "-m", "xtrace", *words)
    shutil.rmtree(broken)
    equal(done.returncode, 0, "exit status")
    assert "bcc could not start" in done.stderr and "going on with" in done.stderr, done.stderr
    equal(maps(done)["@calls"].get((tag("reads"),)), COUNT, "reads")


@case(timeout=90)
def nothing_left_to_try() -> None:
    """A backend that was asked for and lacks the function exits with 4, with near names."""
    done = xtrace("trace", "--backend", "ftrace", "-e", "kprobe:vfs_raed { }", status=NO_BACKEND)
    assert "vfs_read" in done.stderr, done.stderr


@case(kernels=["6.1", "6.12"], timeout=900, long=True)
def systemtap_too_old() -> None:
    """A SystemTap that does not fit its kernel fails with the compiler's or the loader's reason and a remedy."""
    program = "kprobe:vfs_read { @ = count(); }"
    done = xtrace("trace", "--backend", "systemtap", "-e", program, status=NOT_STARTED, timeout=2900)
    assert "hint:" in done.stderr and "newer" in done.stderr, done.stderr
