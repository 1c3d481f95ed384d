"""The contract of a backend: one frozen class, five members. A plugin implements the same five."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from xtrace.core.facts.model import HostFacts
from xtrace.core.messages import Message
from xtrace.core.plan.model import Artifact, Finding, Plan, Request, Verdict


class Session(Protocol):
    """A running trace. Made by `launch` with all probes attached; `close` is safe at any time and twice.

    The controller loops over `poll` until it sees `Exited`, the duration ends or the user stops it, then calls
    `finish` once and `close` always.
    """

    def poll(self, timeout: float) -> Sequence[Message]:
        """Messages that came within `timeout` seconds, in order; an empty sequence when none did.

        Raises BackendError if the engine died.
        """

    def finish(self) -> Sequence[Message]:
        """Detach the probes, run `end` clauses, and give what is left: last hits, final maps (`MapDump` with site -1
        for every non-empty map of the program in name order, unless the program or its config says otherwise),
        losses."""

    def close(self) -> None:
        """Give everything back: probes, instances, modules, processes. Never raises for what is already gone."""


class Backend(Protocol):
    @property
    def name(self) -> str: ...

    def check(self, facts: HostFacts) -> tuple[Finding, ...]:
        """What this engine needs on a host: findings with evidence and remedies, from facts alone."""

    def plan(self, request: Request, facts: HostFacts) -> Verdict:
        """A plan, or a refusal that lists every unsupported node with its span. Pure."""

    def render(self, plan: Plan) -> Artifact:
        """The plan as text that a person can read and run without xtrace. Pure."""

    def launch(self, artifact: Artifact, facts: HostFacts) -> Session:
        """Compile, load, attach; return once every probe is in place.

        Raises BackendError or PrivilegeError with the engine's own words, after undoing what it did.
        """
