"""Names for the values of a record's fields, as the print format of the event spells them out.

A kernel that prints `reason: NO_SOCKET` has the names in the event's `format` file: always those of the running kernel,
also where there is no BTF, and where the C type is a plain int (TCP states). Only named events use them: in a program
of the user's own, `args.newstate` is the number that bpftrace shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from xtrace.core import attach as at
from xtrace.core.facts.model import HostFacts
from xtrace.core.types import Enumerated, Int, Member

_MARK = "format:"
_ENTRY = re.compile(r'\{\s*(\w+),\s*"([^"]*)"\s*\}')


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
    """Names by value of an enumerated type that `with_named_values` made; None for other types."""
    if not enum.startswith(_MARK):
        return None
    system, event, field = enum[len(_MARK) :].split(":")
    known = facts.event_format(system, event)
    if known is None:
        return {}
    return known.enums.get(field) or _by_enumerator(known.print_format, field, facts)


def _by_enumerator(print_format: str, field: str, facts: HostFacts) -> Mapping[int, str]:
    """Where the kernel left names instead of numbers in the format, `{ TCP_CLOSE, "TCP_CLOSE" }`, BTF tells them."""
    said = print_format.partition(f"__print_symbolic(REC->{field},")[2].partition(")")[0]
    values = ((facts.types.enumerator(name), shown) for name, shown in _ENTRY.findall(said))
    return {value: shown for value, shown in values if value is not None}
