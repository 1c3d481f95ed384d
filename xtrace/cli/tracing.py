"""From a command's options to one run: what `run` and `trace` share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TextIO

from xtrace.cli.options import Wishes
from xtrace.cli.surroundings import backends, host, probe_paths, sink
from xtrace.core.errors import UsageError

if TYPE_CHECKING:
    from xtrace.core.errors import Diagnostic
    from xtrace.core.plan.model import Degradation, Plan, Request


def trace(
    program: Any, title: str, wishes: Wishes, restrict: bool = True, announced: bool = False, **details: Any
) -> int:
    """Run a parsed program and give the exit code. `announced`: tell when all probes are in place, as
    bpftrace does. `details` go into the request (parameters, unsafe)."""
    from xtrace.core.plan.model import Request
    from xtrace.core.session.cgroups import cgroup_directory
    from xtrace.core.session.conduct import Aim, Outlet, conduct
    from xtrace.core.session.drive import Limits

    def request_for(scope: Any, cpid: int) -> Request:
        return Request(program, title, scope, wishes.config(), cpid=cpid, probe_paths=probe_paths(), **details)

    cgroup = None if wishes.cgroup is None else cgroup_directory(wishes.cgroup)
    aim = Aim(wishes.pid, wishes.command, restrict, wishes.follow, wishes.uid, cgroup)
    limits = Limits(wishes.duration, wishes.fail_on_loss, wishes.quiet, announce=wishes.verbose or announced)
    with ExitStack() as stack:
        out = _stream(wishes.output, stack)
        written = sink(wishes.format)(out)
        outlet = Outlet(written, out, _tell, warner(wishes), _explainer(wishes), safe=out.isatty())
        return conduct(request_for, aim, host(None), backends(wishes.backend), outlet, limits)


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


def warner(wishes: Wishes) -> Callable[[Diagnostic], None]:
    """What shows a warning about the program, unless the user wants quiet."""
    return lambda warning: None if wishes.quiet else _tell(warning.text())


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


def _explainer(wishes: Wishes) -> Callable[[Plan, Sequence[Degradation]], None]:
    """Degradations are always told, those that are minor where they concern the target; the rest only when asked."""

    def explain(plan: Plan, concerning: Sequence[Degradation]) -> None:
        from xtrace.core.plan.choose import losses

        concerned = () if wishes.verbose else tuple(one.message for one in concerning)
        lost = () if wishes.quiet else (*losses(plan, minor=wishes.verbose), *concerned)
        if lost:
            from xtrace.core.alike import said_once

            for loss in said_once(lost):
                _tell(f"warning: {loss}")
        if wishes.verbose:
            _tell(f"note: runs on {plan.backend}")
            for choice in plan.choices:
                _tell(f"note: {choice.event} comes from {choice.source}")
            for note in plan.notes:
                _tell(f"note: {note}")

    return explain
