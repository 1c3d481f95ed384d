"""The single way to a host's facts: this machine, or a bundle."""

from __future__ import annotations

from typing import Optional

from xtrace.core.facts.model import HostFacts


def host(facts_file: Optional[str] = None) -> HostFacts:
    """Facts of this machine, or of the host in a bundle.

    Raises XtraceError XT0404 to XT0406 for a file that is no bundle, is damaged or of another schema, and OSError.
    """
    if facts_file is None:
        from xtrace.core.facts.live import LiveHost

        return LiveHost()
    from xtrace.core.facts.bundle import read_bundle

    return read_bundle(facts_file)
