"""Runs a compiled module with `staprun` and reads its lines.

A shell beside it is our leash: it waits for end of file on a pipe that only this process holds open for writing, and
then interrupts staprun, as Ctrl-C would. So when we close it, or die in any way, the module is unloaded after its `end`
probes have printed what is left. (staprun's own `-c` would limit the probes of user programs to that command's
children.)
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from xtrace.backends.systemtap.decode import Decoder
from xtrace.core.errors import BackendError, Diagnostic, PrivilegeError
from xtrace.core.messages import Attached, Exited, Message, Notice

SHELL = "/bin/sh"
START_SECONDS = 60
STOP_SECONDS = 30
KILL_SECONDS = 3


class StapSession:
    """One staprun process. Made by `start`."""

    def __init__(self, module: Path, workdir: Path, decoder: Decoder, parameters: dict[str, int], probes: int) -> None:
        self._workdir = workdir
        self._decoder = decoder
        self._buffer = b""
        self._ended = False
        self._errors = (workdir / "errors").open("w+b")
        self._probes = probes
        self._process = subprocess.Popen(
            ["staprun", "-R", str(module), *(f"{name}={value}" for name, value in parameters.items())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
            preexec_fn=_heed_interrupts,
            env={**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"},
        )
        waiting, self._hold = os.pipe()
        self._leash = subprocess.Popen(
            [SHELL, "-c", 'read line; kill -s INT -- -"$1"', "sh", str(self._process.pid)],
            stdin=waiting,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(waiting)
        self._messages: list[Message] = []
        try:
            self._wait_attached()
        except BaseException:
            self.close()
            raise

    def _wait_attached(self) -> None:
        limit = time.monotonic() + START_SECONDS
        assert self._process.stdout is not None
        while time.monotonic() < limit and not self._decoder.attached:
            ready, _, _ = select.select([self._process.stdout], [], [], 0.5)
            if ready and not self._read():
                break
        if not self._decoder.attached and self._process.poll() is None and time.monotonic() < limit:
            self._process.wait(STOP_SECONDS)
        # A script may exit in its `begin`, before the first tick.
        if self._decoder.attached or self._process.returncode == 0:
            self._messages.insert(0, Attached(self._probes))
            return
        raise self._failure("the module could not be loaded or attached")

    def poll(self, timeout: float) -> Sequence[Message]:
        if not self._messages and not self._ended:
            assert self._process.stdout is not None
            ready, _, _ = select.select([self._process.stdout], [], [], timeout)
            if ready and not self._read():
                self._ended = True
                if self._process.wait() != 0:
                    raise self._failure("the script stopped", "XT0907")
                self._messages.append(Exited(0))
        taken, self._messages = self._messages, []
        return taken

    def finish(self) -> Sequence[Message]:
        """Let go of the leash, and read up to the end of what the script prints."""
        self._release()
        limit = time.monotonic() + STOP_SECONDS
        assert self._process.stdout is not None
        while time.monotonic() < limit:
            ready, _, _ = select.select([self._process.stdout], [], [], 0.5)
            if ready and not self._read():
                break
        else:
            self._messages.append(Notice(f"staprun did not end within {STOP_SECONDS} s; what it still held is lost"))
        taken, self._messages = self._messages, []
        return [*taken, *self._decoder.losses(), *self._warnings()]

    def close(self) -> None:
        self._release()
        if self._process.poll() is None:
            for sign, patience in ((signal.SIGINT, KILL_SECONDS), (signal.SIGTERM, KILL_SECONDS), (signal.SIGKILL, 1)):
                try:
                    self._process.wait(patience)
                    break
                except subprocess.TimeoutExpired:
                    _signal_group(self._process.pid, sign)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()
        self._leash.wait()
        shutil.rmtree(self._workdir, ignore_errors=True)

    def _release(self) -> None:
        if self._hold >= 0:
            os.close(self._hold)
            self._hold = -1

    def _read(self) -> bool:
        """Take what stdout has; False at its end."""
        assert self._process.stdout is not None
        data = os.read(self._process.stdout.fileno(), 1 << 16)
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._messages += self._decoder.line(line.decode("utf-8", "surrogateescape"))
        return bool(data)

    def _words(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace").strip()

    def _warnings(self) -> list[Message]:
        return [Notice(f"staprun: {line}") for line in self._words().splitlines() if _matters(line)]

    def _failure(self, what: str, code: str = "XT0905") -> BackendError | PrivilegeError:
        words = self._words()
        lines = [line for line in words.splitlines() if "ERROR" in line or "WARNING" in line] or words.splitlines()
        reason = "; ".join(lines[:3]) or "staprun gave no reason"
        diagnostic = Diagnostic(code, f"{what}: {reason}", hints=_hints(words))
        if "not permitted" in words or "stapusr" in words:
            return PrivilegeError(Diagnostic("XT0906", diagnostic.message, hints=diagnostic.hints))
        return BackendError(diagnostic)


_HINTS = (
    ("Can't resolve", "this SystemTap is older than the kernel: install a newer one"),
    ("Invalid module format", "the module was built for another kernel: build it for exactly this release"),
    ("Unknown symbol", "the module was built for another kernel: build it for exactly this release"),
    ("Required key", "the kernel takes only signed modules: sign it (stap --sign-module), or use another backend"),
    ("Key was rejected", "the kernel takes only signed modules: sign it (stap --sign-module), or use another backend"),
    ("not permitted", "run as root, or join the groups stapusr and stapdev"),
)


def _hints(words: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(hint for part, hint in _HINTS if part in words))


def _matters(line: str) -> bool:
    """A warning about lost or skipped probes; what our own command's end causes does not matter."""
    return "WARNING" in line and "Child process exited" not in line


def _heed_interrupts() -> None:
    """In the child: a shell's background jobs are born ignoring SIGINT, and what they start is, too (sh(1))."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _signal_group(pid: int, sign: int) -> None:
    try:
        os.killpg(pid, sign)
    except ProcessLookupError:
        return


def private_directory() -> Path:
    """A directory only this user can look into, named after this process."""
    return Path(tempfile.mkdtemp(prefix=f"xtrace-{os.getpid()}-"))
