"""What this host's tracing can do, as far as lowering asks. Each answer is a fact, asked when it is first needed,
because some facts are trials that cost a write to tracefs."""

from __future__ import annotations

from functools import cached_property
from typing import Optional

from xtrace.core.facts.model import HostFacts

CLOCKS = ("boot", "mono", "perf", "global")
"""Trace clocks that are comparable between CPUs, the best first. `nsecs` is the boot clock; `boot` came with 4.10,
`mono` with 3.19; the others are brought to it by an offset that the session measures."""


class Features:
    """Answers about one host. Unknown counts as no, except where only a trial at the launch can tell."""

    def __init__(self, facts: HostFacts) -> None:
        self._facts = facts

    def has(self, name: str) -> bool:
        return self._facts.fact(name).yes

    def lacks(self, name: str) -> bool:
        """Conclusively not there."""
        return self._facts.fact(name).no

    def evidence(self, name: str) -> str:
        """How the answer is known."""
        return self._facts.fact(name).evidence

    @cached_property
    def arch(self) -> str:
        return self._facts.arch

    @cached_property
    def comm_argument(self) -> bool:
        return self.has("tracefs.fetch.comm")

    @cached_property
    def kprobe_args(self) -> bool:
        return self.has("tracefs.fetch.arg_n")

    @cached_property
    def arguments_at_return(self) -> bool:
        """Kretprobes take `$argN` as it was at the entry (Linux 25f00e40ce79, v6.9)."""
        return self.has("tracefs.fetch.arg_at_return")

    @cached_property
    def fprobes(self) -> bool:
        """Fprobe events (Linux 334e5519c375, v6.5)."""
        return self.has("tracefs.fprobe_events")

    @cached_property
    def fprobe_arguments_at_exit(self) -> bool:
        return self.has("tracefs.fprobe_exit_args")

    @cached_property
    def ustring(self) -> bool:
        """`ustring` and `+u0()`, which came together (Linux 88903c464321 and e65f7ae7f4da, v5.3)."""
        return self.has("tracefs.fetch.ustring")

    @cached_property
    def maxactive(self) -> bool:
        return self.has("tracefs.maxactive")

    @cached_property
    def ref_ctr(self) -> bool:
        return self.has("uprobe.ref_ctr")

    @cached_property
    def event_probes(self) -> bool:
        """Event probes that read what a record's pointers point to; some kernels take them and read nothing."""
        return self.has("tracefs.eprobes") and self.has("tracefs.eprobe_pointers")

    @cached_property
    def named_event_probes(self) -> bool:
        """Event probes that record the task's name besides the record's own fields."""
        return self.has("tracefs.eprobes") and self.comm_argument

    @cached_property
    def event_pid(self) -> bool:
        return self.has("tracefs.set_event_pid")

    @cached_property
    def event_fork(self) -> bool:
        return self.event_pid and self.has("tracefs.event_fork")

    @cached_property
    def bit_tests(self) -> bool:
        return self.has("tracefs.filter.bits")

    @cached_property
    def instance_options(self) -> bool:
        return self.has("tracefs.instance_options")

    @cached_property
    def stack_triggers(self) -> bool:
        return self.has("tracefs.triggers")

    @cached_property
    def kernel_stacks(self) -> bool:
        return self.stack_triggers or (self.instance_options and self.has("tracefs.stack_option"))

    @cached_property
    def user_stacks(self) -> bool:
        return self.instance_options and self.has("tracefs.user_stack_option")

    @cached_property
    def hist_triggers(self) -> bool:
        return self.has("tracefs.hist_triggers")

    @cached_property
    def common_comm(self) -> bool:
        """Hist triggers take the key `common_comm`, the task's name at each event (7.x); the README lists it."""
        return "common_comm" in str(self._facts.fact("tracefs.readme").value or "")

    @cached_property
    def clock(self) -> str:
        known = self._facts.fact("tracefs.clocks").value
        names = known if isinstance(known, (list, tuple)) else ()
        return next((name for name in CLOCKS if name in names), "global")

    def exists(self, system: str, event: str) -> bool:
        """Is there such a tracepoint? Unknown counts as yes: the step that enables it then tells."""
        events = self._facts.events()
        return events is None or f"{system}:{event}" in events

    def string_field(self, system: str, event: str, field: str) -> Optional[str]:
        """The field that holds the text of a syscall's string argument, `__filename_val` for `filename`, where the
        kernel records it (7.x)."""
        shape = self._facts.event_format(system, event)
        wanted = f"__{field}_val"
        return wanted if shape and any(member.name == wanted for member in shape.fields) else None
