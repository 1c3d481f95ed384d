"""From a command's options to one run: what `run` and `trace` share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TextIO

from xtrace.cli.options import Wishes
from xtrace.core.errors import UsageError

if TYPE_CHECKING:
    from xtrace.core.backend import Backend
    from xtrace.core.facts.model import HostFacts
    from xtrace.core.plan.model import Plan, Request


def backends(wish: str | None = None) -> dict[str, Backend]:
    """The backends by name, or only the one wished for. Raises UsageError with XT0006 for an unknown one."""
    from xtrace.core.facts.model import near_names
    from xtrace.core.plugins import active_plugins

    registry = active_plugins().registry("backends")
    if wish is not None and wish not in registry.names():
        near = near_names(wish, registry.names()) or registry.names()
        raise UsageError.of("XT0006", f"there is no backend {wish!r}", hints=(f"one of {', '.join(near)}",))
    return {name: registry.make(name) for name in registry.names() if wish in (None, name)}


def host(facts_file: str | None) -> HostFacts:
    """This host, or the recorded one of a file. Raises a diagnostic for a file that cannot be read."""
    from xtrace.core.facts.live import LiveHost

    if facts_file is None:
        return LiveHost()
    from xtrace.core.facts.bundle import read_bundle

    return read_bundle(facts_file)


def trace(program: Any, title: str, wishes: Wishes, restrict: bool = True, **details: Any) -> int:
    """Run a parsed program and give the exit code. `details` go into the request (parameters, unsafe)."""
    from xtrace.cli.programs import probe_paths
    from xtrace.core.plan.model import Request
    from xtrace.core.session.conduct import Aim, Outlet, conduct
    from xtrace.core.session.drive import Limits

    def request_for(scope: Any, cpid: int) -> Request:
        return Request(program, title, scope, cpid=cpid, probe_paths=probe_paths(), **details)

    aim = Aim(wishes.pid, wishes.command, restrict, wishes.follow, wishes.uid, wishes.cgroup)
    limits = Limits(wishes.duration, wishes.fail_on_loss, quiet=wishes.quiet or not wishes.verbose)
    with ExitStack() as stack:
        out = _stream(wishes.output, stack)
        sink = _sink(wishes.format)(out)
        outlet = Outlet(sink, out, _tell, _explainer(wishes), safe=out.isatty())
        return conduct(request_for, aim, host(None), backends(wishes.backend), outlet, limits)


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


def _sink(name: str) -> Callable[[TextIO], Any]:
    from xtrace.core.facts.model import near_names
    from xtrace.core.plugins import active_plugins

    registry = active_plugins().registry("sinks")
    if name not in registry.names():
        near = near_names(name, registry.names()) or registry.names()
        raise UsageError.of("XT0008", f"there is no output format {name!r}", hints=(f"one of {', '.join(near)}",))
    found: Callable[[TextIO], Any] = registry.make(name)
    return found


def _stream(output: str | None, stack: ExitStack) -> TextIO:
    """Standard output, or a file that only this user may read: traces hold secrets."""
    if output is None:
        return sys.stdout
    import os

    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise UsageError.of("XT0007", f"cannot write {output}: {error.strerror}") from None
    return stack.enter_context(open(descriptor, "w", encoding="utf-8", errors="surrogateescape"))  # noqa: PTH123


def _explainer(wishes: Wishes) -> Callable[[Plan], None]:
    """Degradations are always told; the rest only when asked."""

    def explain(plan: Plan) -> None:
        if not wishes.quiet:
            for degradation in plan.degradations:
                _tell(f"warning: {degradation.message}")
            for choice in plan.choices:
                if choice.approximate:
                    _tell(f"warning: {choice.event}: {choice.approximate}")
        if wishes.verbose:
            _tell(f"note: runs on {plan.backend}")
            for choice in plan.choices:
                _tell(f"note: {choice.event} comes from {choice.source}")
            for note in plan.notes:
                _tell(f"note: {note}")

    return explain
