"""What sessions that were killed left in tracefs, and removing it."""

from __future__ import annotations

from dataclasses import dataclass

from xtrace.backends.ftrace.clean import Leaving, clean, leavings
from xtrace.backends.ftrace.tracefs import Tracefs
from xtrace.core.errors import Diagnostic, PlanError, PrivilegeError, UsageError
from xtrace.core.facts.model import HostFacts
from xtrace.core.session.namespaces import SHARE_IDS, own_process_ids


@dataclass(frozen=True)
class Cleaned:
    """`found` is what dead sessions left; `removed` tells whether it was to be removed, `problems` what resisted."""

    found: tuple[Leaving, ...]
    removed: bool
    problems: tuple[str, ...] = ()


def cleaned(facts: HostFacts, dry_run: bool) -> Cleaned:
    """Remove all leavings, or only find them.

    Raises PrivilegeError where tracefs is closed, UsageError without one, PlanError where process ids are a
    container's: sessions of the host would look as if they had ended.
    """
    if own_process_ids(facts):
        message = "whether the processes of sessions still run cannot be seen from a process namespace of its own"
        raise PlanError.of("XT1009", message, hints=(SHARE_IDS,))
    tracefs = _tracefs(facts)
    try:
        if dry_run:
            return Cleaned(leavings(tracefs), False)
        found, problems = clean(tracefs)
    except PermissionError as error:
        hints = ("run as root: sudo xtrace clean",)
        raise PrivilegeError(Diagnostic("XT0807", f"tracefs is closed: {error.strerror}", hints=hints)) from None
    return Cleaned(found, True, problems)


def _tracefs(facts: HostFacts) -> Tracefs:
    fact = facts.fact("tracefs.path")
    if not fact.yes:
        message = f"no tracefs is mounted, so nothing can be left in it ({fact.evidence})"
        raise UsageError(Diagnostic("XT0806", message))
    return Tracefs(str(fact.value))


def words(leaving: Leaving) -> str:
    """One session's leavings in words."""
    parts = ["a trace buffer"] if leaving.instance else []
    parts += [f"{len(leaving.probes)} probes ({', '.join(leaving.probes)})"] if leaving.probes else []
    return f"{leaving.name}: {' and '.join(parts)}"


def text(result: Cleaned) -> str:
    """What was found and done, as a terminal shows it."""
    if not result.found:
        return "Nothing is left of sessions that have ended."
    verb = "removed" if result.removed else "left over"
    lines = [f"{verb}  {words(leaving)}" for leaving in result.found]
    return "\n".join(lines + [f"still there: {problem} [XT0811]" for problem in result.problems])


def document(result: Cleaned) -> dict[str, object]:
    """The same as a JSON object of schema `xtrace.clean/1`."""
    return {
        "schema": "xtrace.clean/1",
        "removed": result.removed,
        "found": [{"session": one.name, "instance": one.instance, "probes": list(one.probes)} for one in result.found],
        "problems": list(result.problems),
    }
