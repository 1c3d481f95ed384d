"""Runs the worker under the Python that owns BCC, and hears what it says.

The worker is a child in a process group of its own, fed from a file in memory, so nothing of it lies on disk. It ends
when its standard input ends, which happens even when the controller is killed; then it also removes the place that the
controller made for its temporary files.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from select import select
from typing import Any, Optional, Union

from xtrace.backends.bcc.complaints import complaint
from xtrace.backends.bcc.decode import Decoder, Finished, WorkerError
from xtrace.core.errors import BackendError, PrivilegeError
from xtrace.core.messages import Attached, Message

START_SECONDS = 120.0
"""Far above what compiling takes (0.2 s to 3 s): a worker that says nothing for so long has hung."""
FINISH_SECONDS = 60.0
_DROPPED = ("PYTHON", "VIRTUAL_ENV", "BCC_", "LD_PRELOAD")


def environment(current: Mapping[str, str], place: str) -> dict[str, str]:
    """The worker's environment: no other Python's modules, plain messages, temporary files in our own place."""
    kept = {name: text for name, text in current.items() if not name.startswith(_DROPPED)}
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **kept, "LC_ALL": "C", "TMPDIR": place}


class BccSession:
    """A running worker. Made with all probes attached."""

    def __init__(self, interpreter: str, text: str, tables: Mapping[str, Any]) -> None:
        self._decoder = Decoder(tables)
        self._pending: list[Message] = []
        self._partial = b""
        self._finished = False
        self._place = tempfile.mkdtemp(prefix="xtrace-bcc-")
        self._errors = os.fdopen(os.memfd_create("xtrace-bcc-errors", os.MFD_CLOEXEC), "w+b")
        self._process: Optional[subprocess.Popen[bytes]] = None
        try:
            self._process = self._start(interpreter, text)
            self._await_attached()
        except BaseException:
            self.close()
            raise

    def _start(self, interpreter: str, text: str) -> subprocess.Popen[bytes]:
        script = os.memfd_create("xtrace-bcc-worker.py", 0)
        try:
            with os.fdopen(os.dup(script), "wb") as file:
                file.write(text.encode("ascii"))
            options = ["--messages", "--parent", str(os.getpid()), "--place", self._place]
            return subprocess.Popen(
                [interpreter, "-E", "-s", f"/proc/self/fd/{script}", *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=environment(os.environ, self._place),
                pass_fds=(script,),
                start_new_session=True,
                cwd="/",
            )
        except OSError as error:
            raise BackendError.of("XT0707", f"{interpreter} cannot be run: {error.strerror}") from error
        finally:
            os.close(script)

    def _await_attached(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not any(isinstance(message, Attached) for message in self._pending):
            self._pending += self._read(deadline)
            if time.monotonic() >= deadline:
                raise BackendError.of("XT0707", f"BCC's worker said nothing for {START_SECONDS:.0f} seconds")

    def poll(self, timeout: float) -> Sequence[Message]:
        if self._pending:
            pending, self._pending = self._pending, []
            return pending
        if self._finished:
            time.sleep(timeout)
            return ()
        return self._read(time.monotonic() + timeout)

    def finish(self) -> Sequence[Message]:
        messages, self._pending = self._pending, []
        if self._process is None or self._finished:
            return messages
        assert self._process.stdin
        try:
            self._process.stdin.write(b"finish\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it died; reading tells why
        deadline = time.monotonic() + FINISH_SECONDS
        while not self._finished:
            messages += self._read(deadline)
            if time.monotonic() >= deadline:
                raise BackendError.of("XT0708", f"BCC's worker did not end within {FINISH_SECONDS:.0f} seconds")
        return messages

    def _read(self, deadline: float) -> list[Message]:
        """What came, waiting for the first bytes until `deadline`. Raises BackendError when the worker died."""
        assert self._process and self._process.stdout
        descriptor = self._process.stdout.fileno()
        if not select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return []
        data = os.read(descriptor, 1 << 20)
        if not data:
            raise self._died()
        *lines, self._partial = (self._partial + data).split(b"\n")
        return self._decoded(lines)

    def _decoded(self, lines: list[bytes]) -> list[Message]:
        messages: list[Message] = []
        for line in lines:
            try:
                message = self._decoder.message(line)
            except WorkerError as error:
                raise complaint(error.stage, str(error), self._said()) from error
            if isinstance(message, Finished):
                self._finished = True
            else:
                messages.append(message)
        return messages

    def _died(self) -> Union[BackendError, PrivilegeError]:
        assert self._process
        status = self._process.wait()
        return complaint("die", f"BCC's worker ended with status {status}", self._said())

    def _said(self) -> str:
        """What the compiler, the verifier and the worker wrote: the start and the end of it."""
        self._errors.seek(0)
        head = self._errors.read(64 << 10)
        self._errors.seek(max(len(head), self._errors.seek(0, os.SEEK_END) - (64 << 10)))
        return (head + self._errors.read()).decode("utf-8", "replace")

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            if process.stdin:
                process.stdin.close()
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if process.stdout:
                process.stdout.close()
        self._errors.close()
        shutil.rmtree(self._place, ignore_errors=True)
