"""Starting a session whose times may be taken in user space or in the kernel: by how many events there are."""

from __future__ import annotations

from xtrace.backends.ftrace.model import FtraceModel
from xtrace.backends.ftrace.session import FtraceSession
from xtrace.backends.ftrace.tracefs import Tracefs
from xtrace.core.errors import BackendError
from xtrace.core.messages import Notice

TRIAL = 0.1
"""Seconds in which events gather before the choice. They are not lost: user space goes on with them."""
SHARE = 0.25
"""The share of a CPU that handling events in user space may take.

For each pair of events, measured on 6.12 in the lab (60,000 reads of dd, least of three runs): records cost the traced
task 5.6 µs, times in the kernel 6.7 µs to sum them, 9.3 µs by powers of 2, 13.9 µs in 56 ranges; the evaluator takes
some ten times as much as a record. So the kernel always spares more than it costs, and what speaks for user space is
that it loses nothing and slows the traced task less. At a quarter of a CPU (on a bare machine some 100,000 events a
second) that is worth about a thirtieth of a CPU, and four times as many events would not get through any more.
"""


def start(model: FtraceModel, tracefs: Tracefs) -> FtraceSession:
    """A started session of the model, or of `model.under_load` where events come too fast. Raises BackendError."""
    session = _started(model, tracefs)
    if model.under_load is None:
        return session
    share = session.trial(TRIAL)
    if share < SHARE:
        return session
    session.close()
    try:
        in_kernel = _started(model.under_load, tracefs)
    except BackendError as error:
        session = _started(model, tracefs)
        session.tell(Notice(f"times stay in user space, although events are many: {error.diagnostics[0].message}"))
        return session
    in_kernel.tell(Notice(_reason(model.under_load, share)))
    return in_kernel


def _reason(model: FtraceModel, share: float) -> str:
    told = "; ".join(model.coarser)
    needs = f"{share:.0%} of a CPU" if share < 1 else "more than a CPU"
    return f"times are taken in the kernel, because user space would need {needs} (--aggregate user does that): {told}"


def _started(model: FtraceModel, tracefs: Tracefs) -> FtraceSession:
    session = FtraceSession(model, tracefs)
    session.start()
    return session
