"""The same steps as a POSIX shell script, for hosts without xtrace and for people who want to see what it does."""

from __future__ import annotations

from collections.abc import Iterator

from xtrace.backends.ftrace.instance import BUFFER_MIN_KB
from xtrace.backends.ftrace.lower import INSTANCE
from xtrace.backends.ftrace.model import (
    Action,
    Column,
    FtraceModel,
    HistMap,
    Holds,
    Name,
    OpenFile,
    Part,
    Refusal,
    Source,
    Step,
    Text,
)
from xtrace.core.errors import BackendError
from xtrace.core.plan.model import Plan
from xtrace.core.quoting import Code, sh_quote, tracefs_token
from xtrace.core.render import environment

FIRST_FILE, LAST_FILE = 3, 9
"""Descriptors that a POSIX shell can open by number: one digit."""

_SHELL_WORDS = {
    Name.SESSION: Code('"$name"'),
    Name.THREADS: Code('"$threads"'),
    Name.BUFFER_KB: Code('"$buffer"'),
}


def script(plan: Plan) -> str:
    """The text of the script. Raises BackendError for what a shell cannot do (more programs than descriptors)."""
    model = plan.detail
    assert isinstance(model, FtraceModel)
    if not model.events:
        raise BackendError.of(
            "XT0803",
            "no part of this program is recorded by tracefs, so there is no script of it",
            hints=("xtrace run and xtrace trace run it",),
        )
    if model.timings:
        raise BackendError.of(
            "XT0803",
            "a script cannot take the triggers of timed events apart again, which must be done in a certain order",
            hints=("without --aggregate kernel the script shows the events to time",),
        )
    words = _Words(model)
    steps = _shown(model)
    pid = model.program.scope.pid
    return (
        environment("ftrace")
        .get_template("trace.sh.j2")
        .render(
            notes=[Code(line) for line in _notes(model)],
            pid=pid if pid is not None else Code(""),
            buffer_kb=model.recording.buffer_kb or BUFFER_MIN_KB,
            definitions=[
                {"file": words.of(step.path), "undo": words.of(step.undo)}
                for step in reversed(model.steps)
                if step.action is Action.DEFINE
            ],
            at_end=list(dict.fromkeys(words.of(_hist_path(model, one)) for one in model.hists)),
            files=[
                {"number": FIRST_FILE + n, "path": sh_quote(file.path), "purpose": sh_quote(f"open {file.path}")}
                for n, file in enumerate(model.files[: LAST_FILE - FIRST_FILE + 1])
            ],
            steps=[words.line(step) for step in steps],
            optional=any(_optional(step) for step in steps),
            adds=any(step.action in (Action.ADD, Action.DEFINE) for step in steps),
        )
    )


def _hist_path(model: FtraceModel, hist: HistMap) -> Text:
    return (*model.events[hist.event].directory, "/hist")


def _shown(model: FtraceModel) -> list[Step]:
    """The steps of the script: without the bookkeeping of forks and renames, which only xtrace reads, and with a limit
    to `-p PID` where the program itself has none."""
    steps = [step for step in model.steps if not step.tells_who]
    if not any(Name.THREADS in step.data for step in steps):
        limit = Step(
            Action.WRITE, (*INSTANCE, "/set_event_pid"), (Name.THREADS,), purpose="limit events to the process"
        )
        steps.insert(1, limit)
    return steps


class _Words:
    """Parts of steps as words of the shell."""

    def __init__(self, model: FtraceModel) -> None:
        self._files = model.files

    def of(self, parts: Text) -> Code:
        return Code("".join(self._word(part) for part in parts) or "''")

    def _word(self, part: Part) -> Code:
        if isinstance(part, OpenFile):
            number = FIRST_FILE + part.index
            return Code(f'"/proc/$$/fd/{number}"') if number <= LAST_FILE else self._path(part)
        return _SHELL_WORDS[part] if isinstance(part, Name) else sh_quote(part.rstrip("\n"))

    def _path(self, file: OpenFile) -> Code:
        try:
            return sh_quote(tracefs_token(self._files[file.index].path))
        except ValueError as error:
            raise BackendError.of("XT0804", f"a script cannot name so many programs: {error}") from error

    def line(self, step: Step) -> dict[str, Code]:
        return {
            "verb": _verb(step),
            "purpose": sh_quote(step.purpose.replace("\n", " ")),
            "path": self.of(step.path),
            "data": self.of(step.data),
        }


def _verb(step: Step) -> Code:
    if Name.THREADS in step.data:
        return Code("limit")
    if _optional(step):
        return Code("try")
    verbs = {Action.MAKE: "make", Action.DEFINE: "add", Action.ADD: "add", Action.WRITE: "put"}
    return Code(verbs[step.action])


def _optional(step: Step) -> bool:
    return step.on_refusal in (Refusal.IGNORE, Refusal.UNFILTERED)


def _notes(model: FtraceModel) -> Iterator[str]:
    """Comment lines: what the fields mean, and what only xtrace itself does. Printable ASCII only."""
    for event in model.events:
        yield _comment(f"{event.name}: {event.probe}{_fields(event.columns)}")
    partly = {h.clause for event in model.events for h in event.handlers if not h.filtered}
    if any(model.program.clauses[number].predicate is not None for number in partly):
        yield "Predicates beyond the event filters below are tested by xtrace, not by this script."
    if model.program.maps:
        yield "Maps are computed by xtrace from these events; the script shows the events."
    if any(one.holds is Holds.LOG2 for one in model.hists):
        yield "The kernel's tables by .log2 round up; those of single values beside them tell the powers of 2 apart."
    if any(file.semaphores for file in model.files):
        yield "This kernel does not count USDT semaphores: probes that test one stay silent in this script."


def _fields(columns: tuple[Column, ...]) -> str:
    names = [column.field for column in columns if column.source is Source.FIELD and column.field]
    return f" ({', '.join(dict.fromkeys(names))})" if names else ""


def _comment(text: str) -> str:
    return "".join(char if " " <= char <= "~" else "?" for char in text)
