"""What is wrong with a program wherever it would run, all of it at once and before any host is asked."""

from __future__ import annotations

from collections.abc import Mapping

from xtrace.core.errors import Diagnostic, ProgramError
from xtrace.core.lang.complaints import MOST, in_order
from xtrace.core.lang.typing.checking import check
from xtrace.core.lang.typing.host import Settings
from xtrace.core.plan.model import Request
from xtrace.core.probes.events import find_event
from xtrace.core.types import CType


def check_request(request: Request) -> tuple[Diagnostic, ...]:
    """The warnings about a program, in the order of the text. Raises ProgramError, with them and every error, where
    there is an error."""

    def event_fields(name: str) -> Mapping[str, CType] | None:
        event = find_event(name, request.probe_paths)
        return {field.name: field.type for field in event.fields.values()} if event else None

    settings = Settings(request.config, request.parameters, request.unsafe, request.cpid, event_fields=event_fields)
    found = check(request.program, settings)
    errors = [one for one in found if one.severity == "error"]
    if errors:
        raise ProgramError(*in_order(found if len(found) <= MOST else errors))
    return found
