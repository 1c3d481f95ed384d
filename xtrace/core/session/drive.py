"""Runs a session to its end: poll, present, write; end normally whatever ends it; give everything back."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import field
from typing import TYPE_CHECKING, Protocol, TextIO

from xtrace.core.errors import LossError
from xtrace.core.events import AttachedOutput, LossOutput, NoticeOutput, Output, Printed, Table
from xtrace.core.messages import Exited, Message
from xtrace.core.records import dataclass
from xtrace.core.session.present import Presenter
from xtrace.core.session.stop import Deadline, Reader, Signals, discard
from xtrace.core.session.wording import inert

if TYPE_CHECKING:
    from xtrace.core.backend import Session
    from xtrace.core.session.target import Target

_POLL = 0.1
_DRAIN = 0.3
"""How long after its target's end a trace goes on: buffers are read in the order of time, not at once."""


class Writer(Protocol):
    """As `xtrace.sinks.model.Sink`, of which core knows no more than this."""

    def begin(self, tables: tuple[Table, ...]) -> None: ...

    def write(self, output: Output) -> bool: ...

    def flush(self) -> None: ...


@dataclass(frozen=True)
class Limits:
    """What ends a trace early, how it ends, and what is told of it. `duration` is in seconds from when the probes are
    attached; `announce` tells when they are."""

    duration: float | None = None
    fail_on_loss: bool = False
    quiet: bool = False
    announce: bool = True


@dataclass
class _Told:
    """What has been seen so far that is told at the end."""

    losses: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    homeless: int = 0
    code: int = 0
    exited: bool = False


def drive(
    session: Session,
    presenter: Presenter,
    sink: Writer,
    out: TextIO,
    tell: Callable[[str], None],
    limits: Limits | None = None,
    target: Target | None = None,
) -> int:
    """Run a launched session until it exits, its target or duration ends, a signal comes, or nobody reads `out` any
    more. Returns the exit code: the program's own (`exit(code)`), 7 for losses where `limits` asks so, else 0.

    `out` is the stream that `sink` writes to; `tell` takes one line for standard error. The session and the target
    are closed in every case. Raises BackendError if the engine died, after showing what came before.
    """
    run = _Run(session, presenter, sink, out, tell, limits or Limits(), target)
    try:
        with Signals() as signals:
            return run.to_the_end(signals)
    finally:
        session.close()
        if target is not None:
            target.close()


class _Run:
    def __init__(
        self,
        session: Session,
        presenter: Presenter,
        sink: Writer,
        out: TextIO,
        tell: Callable[[str], None],
        limits: Limits,
        target: Target | None,
    ) -> None:
        self.session = session
        self.presenter = presenter
        self.sink = sink
        self.out = out
        self.tell = tell
        self.limits = limits
        self.target = target
        self.told = _Told()
        self.reader: Reader | None = Reader(out)

    def to_the_end(self, signals: Signals) -> int:
        self._write(lambda: self.sink.begin(self.presenter.tables))
        self._show(self.session.poll(0.0))
        if self.target is not None and not self.told.exited:
            self.target.release()
        self._loop(signals, Deadline(self.limits.duration))
        self._show(self.session.finish())
        if self.reader is not None:
            self._summary()
        return LossError.exit_code if self.told.losses and self.limits.fail_on_loss else self.told.code

    def _loop(self, signals: Signals, deadline: Deadline) -> None:
        drain: Deadline | None = None
        watched = self.target.pid if self.target and self.presenter.names_processes else 0
        while not (self.told.exited or signals.received or deadline.passed() or self._nobody_reads()):
            if watched:
                self.presenter.symbols.remember(watched)
            if drain is None and self.target is not None and self.target.ended():
                drain = Deadline(_DRAIN)
            if drain is not None and drain.passed():
                return
            self._show(self.session.poll((drain or deadline).left(_POLL)))

    def _nobody_reads(self) -> bool:
        if self.reader is not None and self.reader.gone():
            self._lost_reader()
        return self.reader is None

    def _lost_reader(self) -> None:
        self.reader = None
        discard(self.out)

    def _write(self, action: Callable[[], object]) -> None:
        try:
            action()
            self.sink.flush()
        except BrokenPipeError:
            self._lost_reader()

    def _show(self, messages: Iterable[Message]) -> None:
        messages = list(messages)
        for message in messages:
            if isinstance(message, Exited):
                self.told.exited, self.told.code = True, message.code
        if not messages:
            return
        outputs = self.presenter.outputs(messages)
        for output in outputs:
            self._note(output)
        if self.reader is not None:
            self._write(lambda: self._write_all(outputs))

    def _write_all(self, outputs: list[Output]) -> None:
        for output in outputs:
            if not self.sink.write(output) and not _told(output):
                self.told.homeless += 1

    def _note(self, output: Output) -> None:
        """What standard error hears of, whatever the format."""
        if isinstance(output, LossOutput):
            self.told.losses[output.kind, output.where, output.remedy] += output.count
        elif isinstance(output, NoticeOutput):
            self.tell(f"note: {inert(output.text)}")
        elif isinstance(output, AttachedOutput):
            self._attached(output)
        elif isinstance(output, Printed) and _told(output):
            self.tell(complaint_text(output))

    def _attached(self, output: AttachedOutput) -> None:
        if self.limits.announce and not self.limits.quiet:
            self.tell(f"Attached {output.probes} probe{'' if output.probes == 1 else 's'}")
        for name in output.missing:
            self.tell(f"warning: {name} could not be attached [XT1005]")

    def _summary(self) -> None:
        for (kind, where, remedy), count in self.told.losses.items():
            place = f" at {where}" if where else ""
            hint = f"\n  hint: {remedy}" if remedy else ""
            self.tell(f"warning: lost: {kind}{place}: {count} [XT1006]{hint}")
        status = self.target.exit_status if self.target is not None else None
        if status and not self.limits.quiet:
            self.tell(f"note: the command {_ending(status)}")
        if self.told.homeless:
            self.tell(f"note: {self.told.homeless} outputs have no place in this format; -f text shows all")


def complaint_text(output: Printed) -> str:
    """What the program complains of with `errorf` or `warnf`, and where in the program that stands."""
    text = output.text.rstrip("\n")
    severity = {"errorf": "error: ", "warnf": "warning: "}.get(output.to, "")
    return f"{':'.join(map(str, output.place))}: {severity}{text}" if output.place else text


def _ending(status: int) -> str:
    """How a command ended that did not succeed; `status` is as a shell gives it."""
    try:
        return f"was ended by {signal.Signals(status - 128).name}"
    except ValueError:
        return f"ended with status {status}"


def _told(output: Output) -> bool:
    """Does standard error hear of it anyway?"""
    if isinstance(output, Printed):
        return output.to != "printf"
    return isinstance(output, (LossOutput, NoticeOutput, AttachedOutput))
