"""Start the best plan, and the next one when an engine refuses: the fallback that xtrace exists for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from xtrace.core.backend import Backend, Session
from xtrace.core.errors import BackendError, Diagnostic, PrivilegeError
from xtrace.core.facts.model import HostFacts
from xtrace.core.plan.model import Plan


def launch_first(
    plans: Iterable[Plan],
    backends: Mapping[str, Backend],
    facts: HostFacts,
    tell: Callable[[Diagnostic], None],
) -> tuple[Session, Plan] | None:
    """Launch the first plan that loads and attaches; `tell` hears of each that did not, once another takes over.

    None when there was no plan at all. Raises BackendError with the complaints of all of them when none started, or
    PrivilegeError when each failed for want of privilege.
    """
    failures: list[tuple[Plan, BackendError | PrivilegeError]] = []
    for plan in plans:
        backend = backends[plan.backend]
        for failed, error in failures[-1:]:
            tell(_fallback(failed.backend, plan.backend, error))
        try:
            return backend.launch(backend.render(plan), facts), plan
        except (BackendError, PrivilegeError) as error:
            failures.append((plan, error))
    if not failures:
        return None
    complaints = tuple(diagnostic for _, error in failures for diagnostic in error.diagnostics)
    if all(isinstance(error, PrivilegeError) for _, error in failures):
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
