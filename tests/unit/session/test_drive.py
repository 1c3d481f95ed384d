"""Sessions run to their end."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
from collections.abc import Sequence

import pytest

from tests.unit.evaluate.programs import typed
from tests.unit.session.hosts import KnownSymbols
from xtrace.core import ir
from xtrace.core.errors import BackendError
from xtrace.core.messages import Attached, Exited, Hit, Loss, Message
from xtrace.core.session.drive import Limits, drive
from xtrace.core.session.local import LocalSession, needs_no_engine
from xtrace.core.session.present import Presenter
from xtrace.core.session.target import Started, Target
from xtrace.sinks.folded import FoldedSink
from xtrace.sinks.text import TextSink

PROGRAM = typed('BEGIN { printf("hit\\n"); }')


class Scripted:
    """A session that says what it was given, one batch per poll."""

    def __init__(self, *batches: Sequence[Message], last: Sequence[Message] = (), dies: bool = False) -> None:
        self.batches = list(batches)
        self.last = last
        self.dies = dies
        self.closed = 0
        self.finished = 0

    def poll(self, timeout: float) -> Sequence[Message]:
        if self.batches:
            return self.batches.pop(0)
        if self.dies:
            raise BackendError.of("XT0801", "the engine is gone")
        time.sleep(min(timeout, 0.01))
        return ()

    def finish(self) -> Sequence[Message]:
        self.finished += 1
        return self.last

    def close(self) -> None:
        self.closed += 1


class Run:
    """One drive, and what it left."""

    def __init__(
        self,
        session: Scripted | LocalSession,
        limits: Limits | None = None,
        target: Target | None = None,
        program: ir.Program = PROGRAM,
        folded: bool = False,
    ) -> None:
        out = io.StringIO()
        self.told: list[str] = []
        presenter = Presenter(program, "t", KnownSymbols())
        sink = FoldedSink(out) if folded else TextSink(out)
        self.code = drive(session, presenter, sink, out, self.told.append, limits, target)
        self.text = out.getvalue()


def test_the_program_ends_itself_with_its_own_code() -> None:
    session = Scripted([Attached(2)], [Hit(0, ())], [Exited(3)], [Hit(0, ())], last=[Hit(0, ())])
    run = Run(session)
    assert (run.code, run.text, run.told) == (3, "hit\nhit\n", ["Attached 2 probes"])
    assert (session.finished, session.closed) == (1, 1)


def test_the_duration_ends_it_normally() -> None:
    started = time.monotonic()
    run = Run(Scripted(last=[Hit(0, ())]), Limits(duration=0.05))
    assert (run.code, run.text) == (0, "hit\n")
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_normally_and_handlers_return(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    threading.Timer(0.1, os.kill, (os.getpid(), number)).start()
    run = Run(Scripted(last=[Hit(0, ())]), Limits(duration=5))
    assert (run.code, run.text) == (0, "hit\n")
    assert signal.getsignal(number) is before


def test_losses_are_added_up_and_told_at_the_end() -> None:
    session = Scripted(
        [Loss("overrun", 2, "cpu 0", "a larger buffer")], [Loss("overrun", 3, "cpu 0", "a larger buffer")]
    )
    run = Run(session, Limits(duration=0.02, fail_on_loss=True))
    assert run.code == 7
    assert run.told == ["warning: lost: overrun at cpu 0: 5 [XT1006]\n  hint: a larger buffer"]


def test_losses_alone_do_not_fail_it() -> None:
    assert Run(Scripted(last=[Loss("dropped", 1)]), Limits(duration=0.02)).code == 0


def test_a_dead_engine_shows_what_came_before_and_is_closed() -> None:
    session = Scripted([Hit(0, ())], dies=True)
    with pytest.raises(BackendError):
        Run(session)
    assert session.closed == 1


def test_the_end_of_the_target_ends_it() -> None:
    target = Started("true")
    run = Run(Scripted([Attached(1)]), Limits(duration=20, quiet=True), target)
    assert (run.code, run.told) == (0, [])
    assert target.exit_status == 0


@pytest.mark.parametrize(
    ("command", "note"),
    [
        ("sh -c 'exit 3'", "note: the command ended with status 3"),
        ("sh -c 'kill -SEGV $$'", "note: the command was ended by SIGSEGV"),
    ],
)
def test_a_command_that_failed_is_told_of(command: str, note: str) -> None:
    assert Run(Scripted(), target=Started(command)).told == [note]
    assert Run(Scripted(), Limits(quiet=True), Started(command)).told == []


def test_a_command_that_the_duration_cut_short_did_not_fail() -> None:
    assert Run(Scripted(), Limits(duration=0.02), Started("sleep 60")).told == []


def test_the_target_is_not_released_when_begin_exits() -> None:
    target = Started("false")
    Run(Scripted([Exited(0)]), target=target)
    assert target.exit_status != 1


def test_a_closed_pipe_ends_it_quietly() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as out:
        session = Scripted()
        told: list[str] = []
        code = drive(session, Presenter(PROGRAM, "t", KnownSymbols()), TextSink(out), out, told.append, Limits(20))
    assert (code, told, session.finished, session.closed) == (0, [], 1, 1)


def test_missing_probes_and_notes_are_told() -> None:
    run = Run(Scripted([Attached(1, ("kprobe:gone",))]), Limits(duration=0.02, quiet=True))
    assert run.told == ["warning: kprobe:gone could not be attached [XT1005]"]


def test_what_a_format_cannot_show_is_counted() -> None:
    run = Run(Scripted([Hit(0, ()), Hit(0, ())]), Limits(duration=0.02), folded=True)
    assert run.told == ["note: 2 outputs have no place in this format; -f text shows all"]


def test_a_local_program_runs_without_an_engine() -> None:
    program = typed('BEGIN { @n = 0; } interval:ms:5 { @n++; if (@n == 3) { exit(); } } END { printf("end"); }')
    assert needs_no_engine(program) and not needs_no_engine(typed("kprobe:f { @a = 1; }"))
    run = Run(LocalSession(program), Limits(duration=20), program=program)
    assert run.text == "end\n\n@n: 3\n"
