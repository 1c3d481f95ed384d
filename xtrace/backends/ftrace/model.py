"""The lowered program: what to write to tracefs, what each record holds, and which clauses it feeds.

Names that exist only at run time (the session's own, the files it opened, the threads it follows) are parts of their
own, never text to be replaced: a user's string can then not pretend to be one.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple, Optional, Union

from xtrace.core import ir
from xtrace.core.attach import Profile
from xtrace.core.plan.traverse import all_expressions
from xtrace.core.records import dataclass
from xtrace.core.types import CType, Member, Symbol


class Name(Enum):
    """A word that the session puts in."""

    SESSION = "session"
    """The session's name: its instance's directory and the group of its definitions."""
    THREADS = "threads"
    """The ids of the scope's threads at the start, with blanks between."""
    BUFFER_KB = "buffer"
    """The size of each CPU's buffer in kilobytes."""


@dataclass(frozen=True)
class OpenFile:
    """The path of file `index` of `FtraceModel.files` as the session holds it open: `/proc/PID/fd/N`."""

    index: int


Part = Union[str, Name, OpenFile]
Text = tuple[Part, ...]


class Action(Enum):
    MAKE = "make"
    """Make the directory; undone by removing it."""
    WRITE = "write"
    """Write the whole content of a file of the session's own instance; vanishes with it."""
    ADD = "add"
    """Add a line to a file of the session's own instance, where writing would take away what is there."""
    DEFINE = "define"
    """Append one definition to a file shared by everybody; undone by appending `undo`."""


class Refusal(Enum):
    """What follows when the kernel refuses a step."""

    STOP = "stop"
    IGNORE = "ignore"
    DROP_EVENT = "drop event"
    """The step's event is missing; the program's `missing_probes` says whether that is an error."""
    UNFILTERED = "unfiltered"
    """The step's event comes without a filter, and user space tests its predicates."""


@dataclass(frozen=True)
class Step:
    """One write below the tracefs directory; `event` is an index of `FtraceModel.events`, -1 for none. `tells_who`: it
    only turns on the kernel's events of forks and renames."""

    action: Action
    path: Text
    data: Text = ()
    undo: Text = ()
    on_refusal: Refusal = Refusal.STOP
    event: int = -1
    purpose: str = ""
    tells_who: bool = False


class Source(Enum):
    """Where a column's value comes from."""

    FIELD = "field"
    """A field of the record."""
    TIME = "time"
    CPU = "cpu"
    TID = "tid"
    PID = "pid"
    COMM = "comm"
    UID = "uid"
    GID = "gid"
    PPID = "ppid"
    CGROUP = "cgroup"
    SYSCALL_ABI = "ABI of system calls"
    KERNEL_STACK = "kernel stack"
    USER_STACK = "user stack"
    CONSTANT = "constant"
    LATE_STRING = "late string"
    """A string of the traced process, read from its memory after the event."""


@dataclass(frozen=True)
class Column:
    """One value that the clauses of an event need.

    `field` and `last` name the record's first and last field that hold it (they differ for bytes that took several
    fetch arguments). `guards` name fields with the pointers that were followed on the way: where one is no pointer,
    the value is 0, because the kernel leaves the record's old bytes there (process_fetch_insn_bottom of
    kernel/trace/trace_probe_tmpl.h stores nothing after a fault). A constant is `text`, or `value` where that is "";
    `size` bounds a string that is read late, or by a syscall event.

    Of a stack, `value` is the greatest depth. `field` may hold, of a user stack, the return address that the walk by
    frame pointers leaves out; of a kernel stack, the place of the probe, at which the tracer's own frames end.
    """

    source: Source
    type: CType
    field: str = ""
    last: str = ""
    guards: tuple[str, ...] = ()
    value: int = 0
    text: str = ""
    size: int = 0
    member: Optional[Member] = None


@dataclass(frozen=True)
class Handler:
    """A clause fed by an event: `columns[i]` of the event is the clause's captured slot i.

    `filtered`: the event's kernel filter is exactly this clause's predicate.
    """

    clause: int
    columns: tuple[int, ...]
    filtered: bool = False


@dataclass(frozen=True)
class Event:
    """One kernel event of the session's instance. `own`: it is in the session's own group, defined by a step."""

    system: str
    name: str
    own: bool
    columns: tuple[Column, ...]
    handlers: tuple[Handler, ...]
    probe: str
    filter: str = ""
    synthetic: bool = False
    """It is an event that triggers make, named after the session."""

    @property
    def directory(self) -> Text:
        """Below an instance: where its files are."""
        if self.synthetic:
            return words(("events/synthetic/", Name.SESSION, self.name))
        return words(("events/", Name.SESSION if self.own else self.system, f"/{self.name}"))


@dataclass(frozen=True)
class File:
    """A user program that probes are defined on, opened once. `semaphores`: file offsets of USDT semaphores that
    must be counted up by hand."""

    path: str
    semaphores: tuple[int, ...] = ()


class Follow(Enum):
    """How the scope's processes are told from others."""

    EVERYBODY = "everybody"
    KERNEL = "set_event_pid"
    USER = "user space"


@dataclass(frozen=True)
class Recording:
    """Settings of the instance. `clock` is a word of `trace_clock`; `buffer_kb` the size of each CPU's buffer, 0 for
    what suits the number of CPUs. `kernel_stacks` is "", `trigger` for single events or `option` for all."""

    clock: str
    buffer_kb: int
    follow: Follow
    fork_option: bool = False
    kernel_stacks: str = ""
    user_stacks: bool = False
    identity: tuple[str, ...] = ()
    """`system:event` of the kernel's events that tell who is who (fork, rename, exec)."""


class KeyKind(Enum):
    """What a part of a map's key is in the kernel's table."""

    NUMBER = "number"
    TEXT = "text"
    PROCESS = "process"
    """The table has the thread; user space knows its process."""
    NAME = "name"
    """The name that a thread had when the table met it first (`.execname`)."""
    STACK = "stack"
    CONSTANT = "constant"
    """Not in the table: it is the same for every event that counts."""


@dataclass(frozen=True)
class HistKey:
    """One part of a map's key. A number is brought to `size` bytes, and `mark` is added to it; a stack has at most
    `depth` frames, from that of function `start` on where it is named."""

    field: str
    kind: KeyKind = KeyKind.NUMBER
    size: int = 8
    signed: bool = True
    depth: int = 0
    start: str = ""
    constant: Union[int, str] = 0
    mark: int = 0


class Holds(Enum):
    """What a table's numbers are, for the map that it feeds."""

    VALUE = "value"
    """Hits, or the sum of a field, of the map's key."""
    LOG2 = "log2"
    """Hits by the power of 2 that is not below `operand`, which is at least 2."""
    POWERS = "powers"
    """Hits by `operand`, which is 0, 1 or a power of 2."""
    BUCKET = "bucket"
    """Hits that all belong to the histogram's bucket `bucket`."""


@dataclass(frozen=True)
class HistMap:
    """The table that a hist trigger on event `event` keeps for a map, for clause `clause`. `keys` are in the order of
    the map's keys; `value` is the summed field, "" for hits, which count `factor` each. `size` is the table's room,
    a power of 2."""

    map: str
    event: int
    clause: int
    keys: tuple[HistKey, ...]
    value: str = ""
    filter: str = ""
    holds: Holds = Holds.VALUE
    operand: str = ""
    bucket: int = 0
    factor: int = 1
    size: int = 128


@dataclass(frozen=True)
class Timing:
    """Times that the kernel takes between events `start` and `end` of a thread, for what the program calls `map`, and
    hands to synthetic event `number`. `fields` are the C types and names of what it hands on besides; `size` is the
    room for threads."""

    map: str
    number: int
    start: int
    end: int
    start_filter: str
    end_filter: str
    fields: tuple[tuple[str, str], ...]
    size: int


class Kept(NamedTuple):
    """Tables that the kernel keeps, one entry for each event that feeds a map; why other maps are not kept; what the
    tables say less than user space would."""

    tables: tuple[HistMap, ...] = ()
    reasons: tuple[str, ...] = ()
    coarser: tuple[str, ...] = ()
    unnamed: frozenset[int] = frozenset()
    """Clauses that stay only because their events do not carry the task's name."""
    clauses: frozenset[int] = frozenset()
    """Clauses that the kernel does altogether."""
    timings: tuple[Timing, ...] = ()
    offered: bool = False
    """The kernel would keep more where the user asks for that."""


@dataclass(frozen=True)
class FtraceModel:
    """Everything that running or rendering needs; immutable.

    `program` is the program whose clauses' expressions are captured slots; handlers count its clauses.
    """

    program: ir.Program
    steps: tuple[Step, ...]
    events: tuple[Event, ...]
    files: tuple[File, ...]
    recording: Recording
    hists: tuple[HistMap, ...] = ()
    timings: tuple[Timing, ...] = ()
    profiles: tuple[tuple[tuple[Handler, ...], Profile, tuple[Column, ...]], ...] = ()
    notes: tuple[str, ...] = ()
    degradations: tuple[str, ...] = ()
    coarser: tuple[str, ...] = ()
    """What the kernel's tables say less than user space would."""
    offers_kernel: bool = False
    """`--aggregate kernel` would spare records."""
    under_load: Optional[FtraceModel] = None
    """The model that takes the times of a program in the kernel without any record, where only starts without an end
    would be missing. It runs where there are too many events for user space."""


def shows_processes(model: FtraceModel) -> bool:
    """Does the program show addresses of processes, by user stacks or symbols?"""
    columns = [column for event in model.events for column in event.columns]
    columns += [column for _, _, some in model.profiles for column in some]
    if any(column.source is Source.USER_STACK for column in columns):
        return True
    expressions = (expr for clause in model.program.clauses for expr in all_expressions(clause))
    return any(isinstance(expr.type, Symbol) and expr.type.user for expr in expressions)


def words(parts: Iterable[Part]) -> Text:
    """Parts without empty ones, neighbouring texts joined."""
    joined: list[Part] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part != "":
            joined.append(part)
    return tuple(joined)
