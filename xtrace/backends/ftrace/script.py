"""The same steps as a POSIX shell script, for hosts without xtrace and for people who want to see what it does."""

from __future__ import annotations

from xtrace.backends.ftrace.instance import BUFFER_MIN_KB
from xtrace.backends.ftrace.lower import INSTANCE
from xtrace.backends.ftrace.model import (
    Action,
    FtraceModel,
    HistMap,
    Name,
    OpenFile,
    Part,
    Refusal,
    Step,
    Text,
)
from xtrace.backends.ftrace.script_notes import notes
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
    words = _Words(model)
    steps = _shown(model)
    pid = model.program.scope.pid
    return (
        environment("ftrace")
        .get_template("trace.sh.j2")
        .render(
            notes=[Code(line) for line in notes(model)],
            prints=_prints(model),
            pid=pid if pid is not None else Code(""),
            buffer_kb=model.recording.buffer_kb or BUFFER_MIN_KB,
            definitions=[
                {"file": words.of(step.path), "undo": words.of(step.undo)}
                for step in reversed(model.steps)
                if step.action is Action.DEFINE
            ],
            at_end=list(dict.fromkeys(words.of(_hist_path(model, one)) for one in model.hists)),
            armed=[words.of(path) for path in _armed(model)],
            files=[
                {"number": FIRST_FILE + n, "path": sh_quote(file.path), "purpose": sh_quote(f"open {file.path}")}
                for n, file in enumerate(model.files[: LAST_FILE - FIRST_FILE + 1])
            ],
            steps=[words.line(step) for step in steps],
            optional=any(_optional(step) for step in steps),
            adds=any(step.action in (Action.ADD, Action.DEFINE) for step in steps),
        )
    )


def _prints(model: FtraceModel) -> Code:
    lines = ["one line per event"] if any(event.handlers for event in model.events) else []
    tables = ["the kernel's tables at the end"] if model.hists else []
    return Code(" and ".join(lines + tables))


def _hist_path(model: FtraceModel, hist: HistMap) -> Text:
    return (*model.events[hist.event].directory, "/hist")


def _armed(model: FtraceModel) -> list[Text]:
    """The files with triggers that must be taken off one by one, for the reasons in `removal.disarm`, in an order in
    which the kernel lets them go: the reverse of how they were put on."""
    if not model.timings:
        return []
    paths = [step.path for step in reversed(model.steps) if str(step.path[-1]).endswith("trigger")]
    return [path for path, before in zip(paths, [(), *paths]) if path != before]


def _shown(model: FtraceModel) -> list[Step]:
    """The steps of the script: without the bookkeeping of forks and renames, which only xtrace reads, and with a limit
    to `-p PID` where the program itself has none. Triggers know no such limit."""
    steps = [step for step in model.steps if not step.tells_who]
    if not model.hists and not any(Name.THREADS in step.data for step in steps):
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
