"""What cases use inside a guest. Standard library only."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shlex
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from tests.lab.capability import LAB

MODULES = LAB / "stap"


def workload(kind: str, count: int) -> str:
    """Return the shell command that does *count* tagged events of *kind* (workload.py)."""
    return shlex.join(["python3", "-m", "tests.lab.workload", kind, str(count)])


def command(*words: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, show what it printed and return it."""
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=timeout, check=False
    )
    print(f"$ {shlex.join(words)}\n{done.stdout}{done.stderr}[exit status {done.returncode}]", flush=True)
    return done


def xtrace(*words: str, status: int = 0, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    """Run xtrace, which must exit with *status*."""
    done = command("xtrace", *words, timeout=timeout)
    told = done.stderr.strip().splitlines() or ["nothing on stderr"]
    errors = [line for line in told if line.startswith("error:")]
    equal(done.returncode, status, f"exit status ({(errors or told)[-1]})")
    return done


def events(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """Return the objects of NDJSON output."""
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def maps(done: subprocess.CompletedProcess[str]) -> dict[str, dict[tuple[Any, ...], Any]]:
    """Return the last state of each map in NDJSON output: map name to key to value."""
    found = [item for item in events(done) if item["schema"] == "xtrace.map/1"]
    return {item["map"]: {tuple(entry["key"]): entry["value"] for entry in item["entries"]} for item in found}


def equal(actual: object, expected: object, what: str) -> None:
    """Fail unless *actual* is *expected*."""
    assert actual == expected, f"{what}: expected {expected!r}, got {actual!r}"


def equal_counts(actual: Iterable[object], expected: Iterable[object], what: str) -> None:
    """Fail unless both hold the same things equally often; tell the difference."""
    more, fewer = Counter(actual), Counter(expected)
    assert more == fewer, f"{what}: unexpected {dict(more - fewer)!r}, missing {dict(fewer - more)!r}"


@contextlib.contextmanager
def hidden(path: Path) -> Iterator[None]:
    """Rename a file or folder meanwhile, as if it were not there."""
    elsewhere = path.with_name(f"{path.name}.hidden")
    path.rename(elsewhere)
    try:
        yield
    finally:
        elsewhere.rename(path)


def stap_module(script: str) -> Path:
    """Return the module the host compiled from *script*; a compiler's refusal fails the case."""
    name = hashlib.sha256(script.encode()).hexdigest()
    refusal = MODULES / f"{name}.log"
    assert not refusal.exists(), f"stap -p4 refused the script: {refusal.read_text()[-3000:]}"
    # staprun takes the module's name from the file's.
    return MODULES / f"xtrace_{name[:24]}.ko"


def staprun(module: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Load a compiled module and run *words* under it."""
    return command("staprun", *(("-c", shlex.join(words)) if words else ()), str(module))


def lines(text: str) -> Sequence[str]:
    """Return the lines of *text* that are not blank."""
    return [line.strip() for line in text.splitlines() if line.strip()]


class Background:
    """A command that runs while the case does something else; what it prints is kept in files."""

    def __init__(self, *words: str) -> None:
        self._words = words
        self._out = tempfile.TemporaryFile("w+")  # noqa: SIM115 - `end` closes it
        self._err = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self._out, stderr=self._err)

    def wait_for(
        self, text: str, meanwhile: Sequence[str] = ("sleep", "0.2"), timeout: float = 180, on_stderr: bool = False
    ) -> None:
        """Run *meanwhile* again and again until *text* is on the command's standard output, or standard error."""
        deadline = time.monotonic() + timeout
        while text not in (self._read(self._err) if on_stderr else self.output()):
            assert self.process.poll() is None, f"{self._words[0]} ended early: {self._read(self._err)}"
            assert time.monotonic() < deadline, f"no {text!r} within {timeout:.0f} s"
            subprocess.run(meanwhile, check=True, stdout=subprocess.DEVNULL)

    def output(self) -> str:
        """Return what is on standard output so far."""
        return self._read(self._out)

    def end(self, number: int = signal.SIGINT, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Send a signal, wait for the end and return the whole."""
        self.process.send_signal(number)
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"did not end within {timeout:.0f} s of signal {number}") from None
        done = subprocess.CompletedProcess(self._words, status, self.output(), self._read(self._err))
        self._out.close()
        self._err.close()
        print(f"$ {shlex.join(self._words)}\n{done.stdout}{done.stderr}[exit status {status}]", flush=True)
        return done

    @staticmethod
    def _read(file: IO[str]) -> str:
        # A view of its own: the position of *file* is the command's.
        with open(f"/proc/self/fd/{file.fileno()}", errors="replace") as view:  # noqa: PTH123
            return view.read()
