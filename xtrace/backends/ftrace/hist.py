"""Hist triggers as text, and the tables that they keep, read back (Documentation/trace/histogram.rst)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, Union

from xtrace.backends.ftrace.model import HistKey, HistMap, Holds, KeyKind
from xtrace.core.lang.arithmetic import wrap

MAX_KEYS = 3
"""TRACING_MAP_KEYS_MAX of kernel/trace/tracing_map.h."""
STACK_DEPTH = 16
"""HIST_STACKTRACE_DEPTH of kernel/trace/trace_events_hist.c."""
TEXT_WIDTH = 50
"""Columns that a string key takes in the kernel's print (`%-50s`); longer ones could not be told apart."""
CONSTANT_KEY = "common_type"
"""The key of a map without keys: it is the same for every record of an event."""
STACK_KEY = "stacktrace"
CPU_KEY, CPU_KEY_TWICE = "common_cpu", "common_cpucommon_cpu"
"""Linux 7.2 prints the name of this key twice, and does not take that back."""
MIN_SIZE, MAX_SIZE = 128, 1 << 17
"""Entries of a trigger's table (TRACING_MAP_BITS_MIN and _MAX, kernel/trace/tracing_map.h)."""
MAX_TRIGGER = 4000
"""Bytes of a trigger with its filter; the kernel takes less than a page (event_trigger_regex_write)."""


def size_for(entries: int) -> int:
    """The room of a table that shall hold so many entries: a power of 2 within the kernel's bounds."""
    return min(MAX_SIZE, max(MIN_SIZE, 1 << (entries - 1).bit_length()))


class TableKey(NamedTuple):
    """A key of a table: how the trigger names it, how its print labels it, and how that is read."""

    token: str
    label: str
    kind: KeyKind


def table_keys(hist: HistMap) -> tuple[TableKey, ...]:
    """The keys of a table, each once; a name and a thread share one, because the kernel prints both."""
    named = {key.field for key in hist.keys if key.kind is KeyKind.NAME}
    found: dict[str, TableKey] = {}
    for key in hist.keys:
        if key.kind is KeyKind.CONSTANT:
            continue
        kind = KeyKind.NAME if key.field in named else key.kind
        token = f"{key.field}.execname" if kind is KeyKind.NAME else key.field
        found.setdefault(token, TableKey(token, key.field, kind))
    if hist.holds in (Holds.LOG2, Holds.POWERS):
        token = f"{hist.operand}.log2" if hist.holds is Holds.LOG2 else hist.operand
        found.setdefault(token, TableKey(token, hist.operand, KeyKind.NUMBER))
    return tuple(found.values()) or (TableKey(CONSTANT_KEY, CONSTANT_KEY, KeyKind.NUMBER),)


def trigger(hist: HistMap) -> str:
    """The trigger's text."""
    keys = ",".join(key.token for key in table_keys(hist))
    condition = f" if {hist.filter}" if hist.filter else ""
    return f"hist:keys={keys}:vals={hist.value or 'hitcount'}:size={hist.size}{condition}"


# --- reading -----------------------------------------------------------------------------------------------------

_DROPPED = re.compile(rb"^\s*Dropped: (\d+)", re.MULTILINE)
_NUMBER = re.compile(rb" *(\d+)")
_POWER = re.compile(rb"~ 2\^(\d+) *")
_EXECNAME = re.compile(rb"(.{16})\[ *(\d+)\]", re.DOTALL)
_FRAME = re.compile(rb"\n {9}([^\n]*)")

Cell = Union[int, str, "tuple[str, int]", "tuple[str, ...]"]


class TableRow(NamedTuple):
    """One entry: what stands for each key by its token (of a log2 key the exponent), the hits, and the sum."""

    cells: Mapping[str, Cell]
    hits: int
    total: int


def section_of(text: bytes, hist: HistMap) -> bytes:
    """The part of an event's `hist` file that one trigger made, told by how the kernel prints the trigger. Raises
    ValueError where there is none."""
    keys = ",".join(key.token for key in table_keys(hist))
    values = f"hitcount,{hist.value}" if hist.value else "hitcount"
    start = f"# trigger info: hist:keys={keys}:vals={values}:".encode()
    condition = f" if {hist.filter}".encode("utf-8", "surrogateescape") if hist.filter else b""
    for section in text.split(b"# event histogram\n")[1:]:
        line = next((line for line in section.split(b"\n") if line.startswith(b"# trigger info:")), b"")
        found, _, _ = _uniform(line).rpartition(b" [")
        if found.startswith(start) and (found.endswith(condition) if condition else b" if " not in found):
            return section
    raise ValueError(f"the hist file has no table of {start.decode()}")


def sections_with(text: bytes, variable: str) -> list[bytes]:
    """The tables whose trigger sets a variable."""
    mark = f":{variable}=".encode()
    sections = text.split(b"# event histogram\n")[1:]
    return [one for one in sections if any(mark in line for line in one.split(b"\n") if line.startswith(b"# trigger"))]


def _uniform(text: bytes) -> bytes:
    """Keys by one name on all kernels; since 6.3 the stack's is `common_stacktrace` (4b512860bdbd)."""
    return text.replace(CPU_KEY_TWICE.encode(), CPU_KEY.encode()).replace(b"common_stacktrace", STACK_KEY.encode())


def rows(section: bytes, hist: HistMap) -> Iterator[TableRow]:
    """The entries of one trigger's table. Raises ValueError for what does not read like one."""
    section = _uniform(section)
    keys = table_keys(hist)
    position = section.find(b"\n{ ")
    while position >= 0:
        cells, end = _read_cells(section, position + 3, keys)
        hits, end = _named_number(section, end, "hitcount")
        total = hits
        if hist.value:
            total, end = _named_number(section, end, hist.value)
        yield TableRow(cells, hits, wrap(total))
        position = section.find(b"\n{ ", end)


def _named_number(section: bytes, start: int, name: str) -> tuple[int, int]:
    end = section.find(b"\n", start)
    label = f" {name}:".encode()
    at = section.find(label, start - 1, end if end >= 0 else len(section))
    number = _NUMBER.match(section, at + len(label)) if at >= 0 else None
    if number is None:
        raise ValueError(f"no {name} in an entry of a hist file")
    return int(number[1]), number.end()


def _read_cells(section: bytes, position: int, keys: tuple[TableKey, ...]) -> tuple[dict[str, Cell], int]:
    """What an entry has for each key, and where its closing brace ends. Strings take exactly their width, so whatever
    they hold cannot be taken for something else."""
    cells: dict[str, Cell] = {}
    for key in keys:
        label = f"{key.label}:".encode()
        if not section.startswith(label, position):
            raise ValueError(f"no key {key.label} in an entry of a hist file")
        cells[key.token], position = _READERS[key.kind](section, position + len(label))
        # ", " before the next key; a stack ends its line, and the brace or the comma stands on the next one.
        position = section.index(b"}" if key is keys[-1] else b", ", position) + 2
    return cells, position


def _read_text(section: bytes, position: int) -> tuple[str, int]:
    end = position + 1 + TEXT_WIDTH
    return _text(section[position + 1 : end]), end


def _read_number(section: bytes, position: int) -> tuple[int, int]:
    number = _POWER.match(section, position + 1) or _NUMBER.match(section, position)
    if number is None:
        raise ValueError("a key of a hist file is no number")
    return wrap(int(number[1])), number.end()


def _read_name(section: bytes, position: int) -> tuple[tuple[str, int], int]:
    found = _EXECNAME.match(section, position + 1)
    if found is None:
        raise ValueError("a key of a hist file is no name")
    return (_text(found[1]), int(found[2])), found.end()


def _read_stack(section: bytes, position: int) -> tuple[tuple[str, ...], int]:
    frames: list[str] = []
    while found := _FRAME.match(section, position):
        frames.append(_frame(_text(found[1])))
        position = found.end()
    return tuple(frames), position


def _frame(text: str) -> str:
    """`vfs_read+0x1f/0x2c0 [module]` as the language shows it: `vfs_read+31`."""
    found = re.match(r"(\S+)\+0x([0-9a-f]+)/0x", text)
    return f"{found[1]}+{int(found[2], 16)}" if found else text.split(" ")[0]


def _text(raw: bytes) -> str:
    return raw.rstrip(b" ").decode("utf-8", "surrogateescape")


_READERS: Mapping[KeyKind, Callable[[bytes, int], tuple[Cell, int]]] = {
    KeyKind.NUMBER: _read_number,
    KeyKind.PROCESS: _read_number,
    KeyKind.TEXT: _read_text,
    KeyKind.NAME: _read_name,
    KeyKind.STACK: _read_stack,
}


def cell_of(key: HistKey, cells: Mapping[str, Cell]) -> Cell:
    """What a row says of one part of a map's key: of a process the thread's id, of a name the name."""
    if key.kind is KeyKind.CONSTANT:
        return key.constant
    cell = cells[f"{key.field}.execname"] if f"{key.field}.execname" in cells else cells[key.field]
    if isinstance(cell, tuple) and key.kind is not KeyKind.STACK:
        return str(cell[0]) if key.kind is KeyKind.NAME else int(cell[1])
    return cell


def dropped(section: bytes) -> int:
    """Updates that found the table full."""
    found = _DROPPED.search(section)
    return int(found[1]) if found else 0
