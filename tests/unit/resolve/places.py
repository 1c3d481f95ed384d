"""Looking for attach points, as the tests of resolving do."""

from __future__ import annotations

from xtrace.core.facts.model import HostFacts
from xtrace.core.lang.parser import parse_attach_point
from xtrace.core.lang.source import Source
from xtrace.core.resolve.located import Located
from xtrace.core.resolve.points import locate


def located(text: str, facts: HostFacts) -> Located:
    """Where an attach point as written leads on a host."""
    return locate(parse_attach_point(Source("test", text)), facts)


def refusal(text: str, facts: HostFacts) -> tuple[str, str, str]:
    """Code, state and first hint of an attach point that leads nowhere."""
    found = located(text, facts)
    assert found.points == ()
    (complaint,) = found.complaints
    assert complaint.span is not None
    return complaint.code, found.state, complaint.hints[0] if complaint.hints else ""
