"""ftrace: nothing but the kernel's tracefs and Python's standard library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xtrace.backends.ftrace import objections
from xtrace.backends.ftrace.features import Features
from xtrace.backends.ftrace.lower import EXECS, lower, prepared
from xtrace.backends.ftrace.model import Follow, FtraceModel
from xtrace.core import ir
from xtrace.core.backend import Session
from xtrace.core.errors import BackendError, Diagnostic, PrivilegeError
from xtrace.core.facts.model import HostFacts
from xtrace.core.plan.model import Artifact, Degradation, Finding, Plan, Refusal, Request, Verdict
from xtrace.core.quoting import QuotingError
from xtrace.core.records import dataclass
from xtrace.core.session.local import LocalSession, needs_no_engine

SCRIPT = "trace.sh"


@dataclass(frozen=True)
class FtraceBackend:
    name: str = "ftrace"

    def check(self, facts: HostFacts) -> tuple[Finding, ...]:
        from xtrace.backends.ftrace.requirements import findings

        return findings(facts)

    def plan(self, request: Request, facts: HostFacts) -> Verdict:
        from xtrace.core.resolve.resolve import resolve

        features = Features(facts)
        resolved = resolve(request, facts, lambda clause: objections.clause_objections(clause, features))
        if resolved.program is None:
            return Refusal(self.name, resolved.problems, resolved.choices)
        reasons = self._reasons(resolved.program, features)
        if reasons:
            return Refusal(self.name, reasons, resolved.choices)
        model = self._lowered(resolved.program, features)
        if isinstance(model, Diagnostic):
            return Refusal(self.name, (model,), resolved.choices)
        return Plan(
            backend=self.name,
            program=resolved.program,
            degradations=(*resolved.degradations, *map(Degradation, model.degradations), *_by_program(model, features)),
            choices=resolved.choices,
            costs=tuple(_costs(model)),
            notes=(*resolved.notes, *model.notes),
            aggregates_in_kernel=_in_kernel(model),
            detail=model,
        )

    def _reasons(self, program: ir.Program, features: Features) -> tuple[Diagnostic, ...]:
        """Why a program that resolved cannot run: the host lacks what all of ftrace needs, or whole-program reasons."""
        if needs_no_engine(program):
            return ()
        if features.lacks("tracefs.path"):
            return (
                Diagnostic("XT0806", f"no tracefs is mounted ({features.evidence('tracefs.path')})", hints=(_MOUNT,)),
            )
        if features.lacks("tracefs.instances"):
            hints = ("SystemTap serves kernels this old",)
            return (Diagnostic("XT0803", "this kernel has no private trace buffers", hints=hints),)
        return objections.program_objections(program, features)

    def _lowered(self, program: ir.Program, features: Features) -> FtraceModel | Diagnostic:
        try:
            return lower(program, features)
        except QuotingError as error:
            return Diagnostic("XT0804", str(error))

    def render(self, plan: Plan) -> Artifact:
        assert isinstance(plan.detail, FtraceModel)
        return Artifact(self.name, _Rendered(plan), SCRIPT, ("sh", SCRIPT), plan)

    def launch(self, artifact: Artifact, facts: HostFacts) -> Session:
        model = artifact.plan.detail
        assert isinstance(model, FtraceModel)
        if needs_no_engine(model.program):
            return LocalSession(prepared(artifact.plan.program))
        from xtrace.backends.ftrace.tracefs import Tracefs
        from xtrace.backends.ftrace.volume import start

        tracefs = Tracefs(_root(facts))
        try:
            return start(model, tracefs)
        except BackendError:
            if not model.hists:
                raise
            # The kernel refused a trigger that its trial promised; user space counts as well.
            return start(lower(artifact.plan.program, Features(facts), count_in_kernel=False), tracefs)


class _Rendered(Mapping[str, str]):
    """The artifact's one file, rendered when somebody looks at it: running it needs no template."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def __getitem__(self, name: str) -> str:
        if name != SCRIPT:
            raise KeyError(name)
        from xtrace.backends.ftrace.script import script

        return script(self._plan)

    def __iter__(self) -> Iterator[str]:
        return iter((SCRIPT,))

    def __len__(self) -> int:
        return 1


_MOUNT = "mount -t tracefs nodev /sys/kernel/tracing, as root"


def _root(facts: HostFacts) -> str:
    """The tracefs directory. Raises BackendError where none is mounted, PrivilegeError where it is closed."""
    from xtrace.backends.ftrace.tracefs import find_root

    known = facts.fact("tracefs.path")
    try:
        root = find_root((str(known.value),)) if known.yes and known.value else None
        root = root or find_root()
    except PermissionError as error:
        hints = ("run as root",)
        raise PrivilegeError(Diagnostic("XT0807", f"tracefs is closed: {error.strerror}", hints=hints)) from error
    if root is None:
        raise BackendError(Diagnostic("XT0806", "no tracefs is mounted", hints=(_MOUNT,)))
    return root


def _by_program(model: FtraceModel, features: Features) -> Iterator[Degradation]:
    """What a program's file does not tell of its system calls."""
    if EXECS in model.recording.identity and features.arch == "x86_64":
        message = "what 64-bit programs call by `int 0x80` is named as their other calls: ftrace goes by the program"
        yield Degradation(message, minor=True)


def _in_kernel(model: FtraceModel) -> bool:
    """Does the kernel keep every map that only aggregates?"""
    kept = {one.map for one in model.hists}
    return bool(kept) and all(decl.name in kept for decl in model.program.maps if decl.aggregation)


def _costs(model: FtraceModel) -> Iterator[str]:
    """In words, from the figures of docs/reference (cost per event to the traced task)."""
    if not model.events:
        return
    if model.hists:
        yield "counts in the kernel: about 0.15 µs per event"
    else:
        yield "records every event that passes the filter: about 0.2 µs per event, more with strings and stacks"
    if model.recording.follow is Follow.USER:
        yield "this kernel cannot follow a process: events of all processes are read and sorted out in user space"
    if model.recording.kernel_stacks or model.recording.user_stacks:
        yield "stacks: about 1 to 2 µs per event"
