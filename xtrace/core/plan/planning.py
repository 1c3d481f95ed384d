"""Ask the backends for their verdicts; pure, like everything left of `run`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xtrace.core.backend import Backend
from xtrace.core.facts.model import HostFacts
from xtrace.core.plan.checking import check_request
from xtrace.core.plan.choose import choose, settled
from xtrace.core.plan.model import Plan, Refusal, Request, Verdict


def plan_all(request: Request, facts: HostFacts, backends: Mapping[str, Backend]) -> tuple[Verdict, ...]:
    """One verdict per backend, in the order of registration. Raises ProgramError for what is wrong on any host."""
    check_request(request)
    return tuple(backend.plan(request, facts) for backend in backends.values())


class Candidates:
    """Plans in the order in which to try them, each made when it is needed.

    A backend whose plan no other could beat settles the choice, and the others are asked only if it fails to start: a
    trace should not wait for the verdict of an engine that it does not use. `refused` holds the refusals met so far,
    `warnings` what is odd about the program on any host. Raises ProgramError for what is wrong there.
    """

    def __init__(self, request: Request, facts: HostFacts, backends: Mapping[str, Backend]) -> None:
        self.warnings = check_request(request)
        self.refused: list[Refusal] = []
        self._request = request
        self._facts = facts
        self._backends = backends

    def __iter__(self) -> Iterator[Plan]:
        open_plans: list[Plan] = []
        for backend in self._backends.values():
            verdict = backend.plan(self._request, self._facts)
            if isinstance(verdict, Refusal):
                self.refused.append(verdict)
            elif settled(verdict):
                yield verdict
            else:
                open_plans.append(verdict)
        yield from choose(open_plans).plans
