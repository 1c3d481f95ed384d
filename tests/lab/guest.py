"""Runs the cases inside a guest: ``python3 -m tests.lab.guest ID…``. Standard library only.

Each case runs in a child of its own. What becomes of it is one line of JSON on standard output
when it starts and one when it ends, so that a crashing guest loses no earlier result.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
import traceback
from typing import IO

from tests.lab import capability, leftovers
from tests.lab.case import Case, Skip, discover

MARK = "@lab "
OUTPUT_LIMIT = 20_000
# Exit statuses of a case's child.
PASSED, FAILED, SKIPPED, BROKEN = 0, 1, 2, 3
STATUS = {PASSED: "pass", FAILED: "fail", SKIPPED: "skip", BROKEN: "error"}


def main(names: list[str]) -> int:
    """Run the cases called *names*."""
    known = discover()
    for name in names:
        report({"case": name})
        report({"case": name, **run(known[name])})
    return 0


def report(message: dict[str, object]) -> None:
    """Tell the host something."""
    print(MARK + json.dumps(message), flush=True)


def run(case: Case) -> dict[str, object]:
    """Run one case and return what the host wants to know of it."""
    for need in case.needs:
        reason = capability.missing(need)
        if reason is not None:
            return {"status": "skip", "reason": reason, "output": "", "seconds": 0.0}
    before = leftovers.snapshot()
    started = time.monotonic()
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as verdict:
        status, reason = _in_child(case, output, verdict)
        seconds = round(time.monotonic() - started, 2)
        output.seek(0)
        text = output.read()[-OUTPUT_LIMIT:].decode(errors="replace")
    new = leftovers.appeared(before)
    if new:
        leftovers.remove(new)
        status = "fail"
        reason = "; ".join(filter(None, [reason, "left behind: " + ", ".join(new)]))
    return {"status": status, "reason": reason, "output": text, "seconds": seconds}


def _in_child(case: Case, output: IO[bytes], verdict: IO[bytes]) -> tuple[str, str]:
    """Run *case* in a child; return its status and, unless it passed, the reason."""
    child = os.fork()
    if child == 0:
        os._exit(_child(case, output, verdict))
    code = _wait(child, case.timeout)
    if code is None:
        return "fail", f"did not end within {case.timeout:.0f} s"
    if os.WIFSIGNALED(code):
        return "error", f"killed by signal {os.WTERMSIG(code)}"
    verdict.seek(0)
    return STATUS[os.WEXITSTATUS(code)], verdict.read().decode(errors="replace")


def _child(case: Case, output: IO[bytes], verdict: IO[bytes]) -> int:
    os.setsid()
    null = os.open(os.devnull, os.O_RDONLY)
    for target, source in enumerate((null, output.fileno(), output.fileno())):
        os.dup2(source, target)
    code, reason = _outcome(case)
    sys.stdout.flush()
    verdict.write(reason.encode())
    verdict.flush()
    return code


def _outcome(case: Case) -> tuple[int, str]:
    try:
        case.run()
    except Skip as reason:
        return SKIPPED, str(reason)
    except AssertionError as error:
        traceback.print_exc()
        return FAILED, str(error) or "an assertion failed"
    except BaseException as error:
        traceback.print_exc()
        return BROKEN, f"{type(error).__name__}: {error}"
    return PASSED, ""


def _wait(child: int, timeout: float) -> int | None:
    """Wait for *child*; kill its whole session when it takes too long, and return None then."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        pid, code = os.waitpid(child, os.WNOHANG)
        if pid:
            return code
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
