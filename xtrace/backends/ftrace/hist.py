"""Counting in the kernel: which maps a `hist` trigger can keep with the evaluator's results, and reading them.

A trigger (Documentation/trace/histogram.rst) counts hits or sums a field by at most three keys. It sees neither
set_event_pid nor the event's own filter (kernel/trace/trace.h, __event_trigger_test_discard runs after it), so it
serves programs about everybody, with the predicate as its own filter. Its log2 modifier rounds up where the language
rounds down (hist_field_log2), its `.execname` keeps the name from a key's first event, and its stacks have names
only: those stay in user space.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Optional, Union

from xtrace.backends.ftrace.features import Features
from xtrace.backends.ftrace.filters import Filter, kernel_filter
from xtrace.backends.ftrace.model import Column, HistKey, HistMap, Source
from xtrace.backends.ftrace.placement import Placed
from xtrace.core import ir
from xtrace.core.attach import USER_SPACE, Profile, Tracepoint
from xtrace.core.lang.arithmetic import wrap
from xtrace.core.plan.capture import Capture
from xtrace.core.plan.traverse import all_expressions, statements
from xtrace.core.types import Count, Int, String, Sum

MAX_KEYS = 3
TEXT_WIDTH = 50
"""Columns that a string key takes in the kernel's print (`%-50s`); longer ones could not be told apart."""
CONSTANT_KEY = "common_type"
"""The key of a map without keys: it is the same for every record of an event."""
MIN_SIZE, MAX_SIZE = 128, 1 << 17
"""Entries of a trigger's table (TRACING_MAP_BITS_MIN and _MAX, kernel/trace/tracing_map.h)."""


def kernel_maps(
    program: ir.Program, captures: list[Capture], placed: list[Placed], features: Features
) -> tuple[HistMap, ...]:
    """The maps that triggers can keep, one entry for each event that feeds one; empty where none fits."""
    scope = program.scope
    if scope.pid is not None or scope.uid is not None or scope.cgroup is not None or not features.hist_triggers:
        return ()
    maker = _Maker(program, captures, placed, features)
    candidates = [number for number, made in enumerate(captures) if maker.fits(number, made.clause)]
    shared = _used_elsewhere(program, candidates)
    kept = [n for n in candidates if not {s.map for s in _aggregates(captures[n].clause)} & shared]
    return tuple(one for number in kept for one in maker.maps_of(number))


def _used_elsewhere(program: ir.Program, candidates: list[int]) -> set[str]:
    """Maps that clauses which stay in user space touch, other than by what user space does between events."""
    used: set[str] = set()
    for number, clause in enumerate(program.clauses):
        own = all(isinstance(point, USER_SPACE) for point in clause.attach)
        if number in candidates:
            continue
        for statement in statements(clause.body):
            if hasattr(statement, "map"):
                used.add(statement.map)
            if isinstance(statement, ir.Output) and not own:
                used.add(getattr(program.sites[statement.site], "map", None) or "")
        used.update(expr.map for expr in all_expressions(clause) if hasattr(expr, "map"))
    return used


def _aggregates(clause: ir.Clause) -> list[ir.Aggregate]:
    return [statement for statement in clause.body if isinstance(statement, ir.Aggregate)]


@dataclass(frozen=True)
class _Maker:
    program: ir.Program
    captures: list[Capture]
    placed: list[Placed]
    features: Features

    def fits(self, number: int, clause: ir.Clause) -> bool:
        """Is the clause nothing but counts and sums that triggers on all of its events can do?"""
        if any(isinstance(point, (*USER_SPACE, Profile)) for point in clause.attach) or not clause.body:
            return False
        if not all(isinstance(statement, ir.Aggregate) for statement in clause.body):
            return False
        return all(self._event_map(number, place, one) for place in self._places(number) for one in _aggregates(clause))

    def maps_of(self, number: int) -> Iterator[HistMap]:
        for place in self._places(number):
            for one in _aggregates(self.captures[number].clause):
                made = self._event_map(number, place, one)
                if made is not None:
                    yield made

    def _places(self, number: int) -> list[Placed]:
        return [place for place in self.placed if any(clause == number for clause, _ in place.clauses)]

    def _event_map(self, number: int, place: Placed, statement: ir.Aggregate) -> Optional[HistMap]:
        kind = self.program.map(statement.map).value
        if not isinstance(kind, (Count, Sum)) or len(statement.keys) > MAX_KEYS:
            return None
        columns = dict(place.clauses)[number]
        keys = [self._key(key, place, columns) for key in statement.keys]
        value = "" if statement.value is None else self._summed(statement.value, place, columns)
        test = self._filter(number, place, columns)
        if None in keys or value is None or test is None:
            return None
        named = tuple(key for key in keys if key is not None)
        if len({key.field for key in named}) < len(named):
            return None
        event = [one for one in self.placed if not isinstance(one.attach, Profile)].index(place)
        return HistMap(statement.map, event, number, named, value, test.text)

    def _filter(self, number: int, place: Placed, columns: tuple[int, ...]) -> Optional[Filter]:
        """The predicate as the trigger's own filter; None where it is not exactly that."""
        predicate = self.captures[number].clause.predicate
        if predicate is None:
            return Filter("", True)
        leaves = self.captures[number].leaves
        made = kernel_filter(
            predicate,
            lambda expr: place.columns.operand(leaves[expr.index]) if isinstance(expr, ir.Captured) else None,
            self.features.bit_tests,
        )
        return made if made is not None and made.exact else None

    def _key(self, expr: ir.Expr, place: Placed, columns: tuple[int, ...]) -> Optional[HistKey]:
        if isinstance(expr, ir.Builtin) and expr.name == "cpu":
            return HistKey("common_cpu")
        if not isinstance(expr, ir.Captured):
            return None
        column = place.columns.columns[columns[expr.index]]
        if column.source is Source.TID:
            return HistKey("common_pid")
        if column.source is Source.COMM and _has_comm(place, self.features):
            return HistKey("common_comm", text=True)
        return self._field_key(column)

    def _field_key(self, column: Column) -> Optional[HistKey]:
        if column.source is not Source.FIELD or column.guards or column.field != column.last:
            return None
        if isinstance(column.type, String):
            held = column.member.size if column.member and column.member.location == "inline" else 0
            return HistKey(column.field, text=True) if 0 < held <= min(TEXT_WIDTH, column.type.size) else None
        return HistKey(column.field) if isinstance(column.type, Int) else None

    def _summed(self, expr: ir.Expr, place: Placed, columns: tuple[int, ...]) -> Optional[str]:
        if not isinstance(expr, ir.Captured):
            return None
        key = self._field_key(place.columns.columns[columns[expr.index]])
        return key.field if key is not None and not key.text else None


def _has_comm(place: Placed, features: Features) -> bool:
    """`common_comm` names the task of each event (7.x); told by the kernel's own list of trigger fields."""
    return features.common_comm and isinstance(place.attach, Tracepoint)


def trigger(hist: HistMap, max_keys: int) -> str:
    """The trigger's text."""
    keys = ",".join(key.field for key in hist.keys) or CONSTANT_KEY
    size = MIN_SIZE
    while size < min(max_keys, MAX_SIZE):
        size *= 2
    condition = f" if {hist.filter}" if hist.filter else ""
    return f"hist:keys={keys}:vals={hist.value or 'hitcount'}:size={size}{condition}"


# --- reading -----------------------------------------------------------------------------------------------------

_DROPPED = re.compile(rb"^\s*Dropped: (\d+)", re.MULTILINE)
_NUMBER = re.compile(rb" *(\d+)")

Entries = Mapping[tuple[Union[int, str], ...], int]


def section_of(text: bytes, hist: HistMap) -> bytes:
    """The part of an event's `hist` file that one trigger made, told by how the kernel prints the trigger. Raises
    ValueError where there is none."""
    keys = ",".join(key.field for key in hist.keys) or CONSTANT_KEY
    values = f"hitcount,{hist.value}" if hist.value else "hitcount"
    start = f"# trigger info: hist:keys={keys}:vals={values}:".encode()
    condition = f" if {hist.filter}".encode("utf-8", "surrogateescape") if hist.filter else b""
    for section in text.split(b"# event histogram\n")[1:]:
        # Linux 7.2 prints the name of this one key twice.
        section = section.replace(b"common_cpucommon_cpu", b"common_cpu")
        line = next((line for line in section.split(b"\n") if line.startswith(b"# trigger info:")), b"")
        found, _, _ = line.rpartition(b" [")
        if line.startswith(start) and (found.endswith(condition) if condition else b" if " not in found):
            return section
    raise ValueError(f"the hist file has no table of {start.decode()}")


def entries(section: bytes, hist: HistMap) -> dict[tuple[int | str, ...], int]:
    """The table of one trigger by key. Raises ValueError for what does not read like one."""
    found: dict[tuple[int | str, ...], int] = {}
    position = section.find(b"\n{ ")
    while position >= 0:
        key, end = _read_key(section, position + 3, hist.keys)
        name = b" " + (hist.value or "hitcount").encode() + b":"
        at = section.find(name, end - 1, _line_end(section, end))
        number = _NUMBER.match(section, at + len(name)) if at >= 0 else None
        if number is None:
            raise ValueError(f"no {hist.value or 'hitcount'} in an entry of a hist file")
        found[key] = found.get(key, 0) + wrap(int(number[1]))
        position = section.find(b"\n{ ", number.end())
    return found


def _line_end(section: bytes, start: int) -> int:
    end = section.find(b"\n", start)
    return end if end >= 0 else len(section)


def _read_key(section: bytes, position: int, keys: Iterable[HistKey]) -> tuple[tuple[int | str, ...], int]:
    """The key that is printed at a position, and where its closing brace ends. Strings take exactly their width, so
    whatever they hold cannot be taken for something else."""
    values: list[int | str] = []
    for key in tuple(keys):
        label = f"{key.field}: ".encode()
        if not section.startswith(label, position):
            raise ValueError(f"no key {key.field} in an entry of a hist file")
        position += len(label)
        if key.text:
            values.append(section[position : position + TEXT_WIDTH].rstrip(b" ").decode("utf-8", "surrogateescape"))
            position += TEXT_WIDTH
        else:
            number = _NUMBER.match(section, position)
            if number is None:
                raise ValueError(f"key {key.field} of a hist file is no number")
            values.append(wrap(int(number[1])))
            position = number.end()
        position += 2
    if not values:
        position = section.index(b" }", position) + 1
    return tuple(values), position


def dropped(section: bytes) -> int:
    """Updates that found the table full."""
    found = _DROPPED.search(section)
    return int(found[1]) if found else 0
