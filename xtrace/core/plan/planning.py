"""Ask every backend for its verdict; pure, like everything left of `run`."""

from __future__ import annotations

from collections.abc import Iterable

from xtrace.core.backend import Backend
from xtrace.core.facts.model import HostFacts
from xtrace.core.plan.model import Request, Verdict


def plan_all(request: Request, facts: HostFacts, backends: Iterable[Backend]) -> tuple[Verdict, ...]:
    """One verdict per backend, in the order of registration."""
    return tuple(backend.plan(request, facts) for backend in backends)
