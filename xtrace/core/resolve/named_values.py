"""Names for the values of a record's fields, as the print format of the event spells them out.

A kernel that prints `reason: NO_SOCKET` has the names in the event's `format` file: always those of the running kernel,
also where there is no BTF, and where the C type is a plain int (TCP states). Only named events use them: in a program
of the user's own, `args.newstate` is the number that bpftrace shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from xtrace.core import attach as at
from xtrace.core.facts.model import HostFacts
from xtrace.core.types import Enumerated, Int, Member

_MARK = "format:"
_TCP_STATES = (
    "TCP_ESTABLISHED", "TCP_SYN_SENT", "TCP_SYN_RECV", "TCP_FIN_WAIT1", "TCP_FIN_WAIT2", "TCP_TIME_WAIT", "TCP_CLOSE",
    "TCP_CLOSE_WAIT", "TCP_LAST_ACK", "TCP_LISTEN", "TCP_CLOSING", "TCP_NEW_SYN_RECV",
)  # fmt: skip
"""Enumerators of include/net/tcp_states.h; their values are the host's."""


def with_named_values(point: at.Attach, facts: HostFacts) -> at.Attach:
    """A tracepoint whose integer fields with named values are enumerated; other points as they are."""
    if not isinstance(point, at.Tracepoint):
        return point
    known = facts.event_format(point.system, point.event)
    if known is None or "__print_symbolic" not in known.print_format:
        return point
    fields = tuple(_named(member, point, known.print_format) for member in point.fields)
    return replace(point, fields=fields)


def _named(member: Member, point: at.Tracepoint, print_format: str) -> Member:
    if f"__print_symbolic(REC->{member.name}," not in print_format or member.location != "inline":
        return member
    if not isinstance(member.type, (Int, Enumerated)):
        return member
    name = f"{_MARK}{point.system}:{point.event}:{member.name}"
    return replace(member, type=Enumerated(name, member.type.size, member.type.signed))


def values_of(enum: str, facts: HostFacts) -> Mapping[int, str] | None:
    """Names by value of an enumerated type that `with_named_values` made, or of `tcp_state`; None for other types."""
    if enum == "tcp_state":
        return _of_field("sock", "inet_sock_set_state", "newstate", facts) or _tcp_states(facts)
    if not enum.startswith(_MARK):
        return None
    system, event, field = enum[len(_MARK) :].split(":")
    return _of_field(system, event, field, facts)


def _of_field(system: str, event: str, field: str, facts: HostFacts) -> Mapping[int, str]:
    known = facts.event_format(system, event)
    return known.enums.get(field, {}) if known is not None else {}


def _tcp_states(facts: HostFacts) -> Mapping[int, str]:
    values = ((facts.types.enumerator(name), name) for name in _TCP_STATES)
    return {value: name for value, name in values if value is not None}
