"""Start the best plan, and the next one when an engine refuses: the fallback that xtrace exists for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from xtrace.core.backend import Backend, Session
from xtrace.core.errors import BackendError, Diagnostic, PrivilegeError
from xtrace.core.facts.model import HostFacts
from xtrace.core.plan.model import Plan


def launch_first(
    plans: Sequence[Plan],
    backends: Mapping[str, Backend],
    facts: HostFacts,
    tell: Callable[[Diagnostic], None],
) -> tuple[Session, Plan]:
    """Launch the first plan that loads and attaches; `tell` hears of every one that did not and what comes next.

    Raises BackendError with the complaints of all of them when none did, or PrivilegeError when each failed for want
    of privilege.
    """
    failures: list[BackendError | PrivilegeError] = []
    for position, plan in enumerate(plans):
        backend = backends[plan.backend]
        try:
            return backend.launch(backend.render(plan), facts), plan
        except (BackendError, PrivilegeError) as error:
            failures.append(error)
            following = plans[position + 1].backend if position + 1 < len(plans) else ""
            if following:
                tell(_fallback(plan.backend, following, error))
    complaints = tuple(diagnostic for failure in failures for diagnostic in failure.diagnostics)
    if all(isinstance(failure, PrivilegeError) for failure in failures):
        raise PrivilegeError(*complaints)
    raise BackendError(*complaints)


def _fallback(failed: str, following: str, error: BackendError | PrivilegeError) -> Diagnostic:
    first = error.diagnostics[0]
    return Diagnostic(
        "XT1001",
        f"{failed} could not start: {first.message}; going on with {following}",
        hints=(*first.hints, f"--backend {failed} shows this failure alone"),
        severity="warning",
    )
